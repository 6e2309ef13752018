import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import shipped
from server.catalogue.states import STATES
from server.toolkit.gazetteer import Gazetteer, UnknownPlace, distance_miles

HALF_WAY_ROUND = math.pi * 3958.8

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer()


@pytest.mark.parametrize(
    ("text", "label", "latitude", "longitude"),
    [
        ("10001", "New York, NY 10001", 40.75, -73.99),
        ("10001-2345", "New York, NY 10001", 40.75, -73.99),
        ("00601", "Adjuntas, PR 00601", 18.18, -66.75),
        ("Austin, TX 78701", "Austin, TX 78701", 30.27, -97.74),
        ("Austin, TX", "Austin, TX", 30.3, -97.75),
        ("austin tx", "Austin, TX", 30.3, -97.75),
        ("AUSTIN,TEXAS", "Austin, TX", 30.3, -97.75),
        ("Austin, TX, USA", "Austin, TX", 30.3, -97.75),
        ("New York New York", "New York, NY", 40.75, -73.98),
        ("Kansas City Kansas", "Kansas City, KS", 39.1, -94.7),
        ("Washington, D.C.", "Washington, DC", 38.9, -77.03),
        ("washington district of columbia", "Washington, DC", 38.9, -77.03),
        ("St. Louis, Missouri", "Saint Louis, MO", 38.63, -90.3),
        ("Saint Louis MO", "Saint Louis, MO", 38.63, -90.3),
        ("Ft Worth, TX", "Fort Worth, TX", 32.75, -97.33),
        ("Winston-Salem, NC", "Winston Salem, NC", 36.1, -80.25),
        ("Coeur d'Alene, ID", "Coeur D Alene, ID", 47.7, -116.8),
        ("San José, California", "San Jose, CA", 37.3, -121.9),
        ("Queens, NY", "Queens, NY", 40.7, -73.85),
        ("40.7128, -74.006", "40.7128, -74.006", 40.7128, -74.006),
        ("-33.9,18.4", "-33.9, 18.4", -33.9, 18.4),
        ("+90;-180", "90, -180", 90, -180),
    ],
)
def test_places_are_found(gazetteer: Gazetteer, text: str, label: str, latitude: float, longitude: float) -> None:
    place = gazetteer.locate(text)
    assert place.label == label
    assert distance_miles(place.latitude, place.longitude, latitude, longitude) < 8


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t\n", ",", "Austin", "TX", "Texas", "Atlantis, TX", "Austin, ZZ", "É, É", "北京, 中国", "1,2,3"),
        *("9999", "100011", "00000", "09000", "90.1, 0", "0, 180.5", "1e3, 5", "nan, nan", "Austin\tAustin, TX\t1\t2"),
    ],
)
def test_what_is_no_place_says_what_would_be(gazetteer: Gazetteer, text: str) -> None:
    with pytest.raises(UnknownPlace, match="is not a p") as caught:
        gazetteer.locate(text)
    assert "ZIP code" in str(caught.value) or "latitude goes from" in str(caught.value)


@given(text=st.text(max_size=200))
def test_any_text_is_a_place_or_unknown(gazetteer: Gazetteer, text: str) -> None:
    try:
        place = gazetteer.locate(text)
    except UnknownPlace:
        return
    assert -90 <= place.latitude <= 90
    assert -180 <= place.longitude <= 180


@pytest.mark.parametrize(
    ("text", "label", "precision"),
    [
        ("123 Main St, Dallas, TX 75201", "Dallas, TX 75201", "zip"),
        ("123 Main St\nDallas, Texas 75201-1234\nUSA", "Dallas, TX 75201", "zip"),
        ("4 West Virginia Ave, Charleston, West Virginia 25301", "Charleston, WV 25301", "zip"),
        ("75201", "Dallas, TX 75201", "zip"),
        ("5 Fort Worth Ave, Dallas, Texas", "Dallas, TX", "city"),
        ("1 Broadway New York NY", "New York, NY", "city"),
        ("77 St. Paul St., St. Paul, MN", "Saint Paul, MN", "city"),
        ("500 Kansas Ave Kansas City Kansas", "Kansas City, KS", "city"),
        ("32.78, -96.8", "32.78, -96.8", "point"),
    ],
)
def test_an_address_is_placed_as_closely_as_it_says(
    gazetteer: Gazetteer, text: str, label: str, precision: str
) -> None:
    place, closely = gazetteer.locate_address(text)
    assert (place.label, closely) == (label, precision)


@pytest.mark.parametrize(
    "text",
    [
        *("", "Main Street", "Dallas", "12 Elm Street, TX", "12 Elm Street, Atlantis, TX", "Dallas, TX 00000"),
        *("100, 200", "Dallas, TX 98101", "Charleston, Virginia 25301", "Apt 75201", "PO Box 75201", "Suite # 75201"),
    ],
)
def test_an_address_that_cannot_be_placed_says_what_could(gazetteer: Gazetteer, text: str) -> None:
    with pytest.raises(UnknownPlace, match=r"cannot be placed|is not a point"):
        gazetteer.locate_address(text)


@given(text=st.text(max_size=200))
def test_any_text_is_an_address_or_unknown(gazetteer: Gazetteer, text: str) -> None:
    try:
        place, _ = gazetteer.locate_address(text)
    except UnknownPlace:
        return
    assert -90 <= place.latitude <= 90


@pytest.mark.parametrize("code", sorted(STATES))
def test_every_state_is_known_by_code_and_by_name(gazetteer: Gazetteer, code: str) -> None:
    capitals = {"AL": "Montgomery", "CA": "Sacramento", "NC": "Raleigh", "WV": "Charleston", "PR": "San Juan"}
    some_city = capitals.get(code)
    if some_city is None:
        with pytest.raises(UnknownPlace):
            gazetteer.locate(f"No Such City, {code}")
    else:
        by_code = gazetteer.locate(f"{some_city}, {code}")
        assert gazetteer.locate(f"{some_city}, {STATES[code]}") == by_code


def test_the_table_is_what_the_package_says() -> None:
    program = Path(__file__).parent / "make_places.py"
    code = f"import runpy, sys; sys.stdout.buffer.write(runpy.run_path({str(program)!r})['table']())"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert made.stdout == (shipped.directory("data") / "places.tsv").read_bytes(), "run `make places`"


def test_known_distances() -> None:
    assert distance_miles(40.6413, -73.7781, 33.9416, -118.4085) == pytest.approx(2470, abs=5)
    assert distance_miles(0, 0, 0, 1) == pytest.approx(69.09, abs=0.01)
    assert distance_miles(90, 0, -90, 0) == pytest.approx(HALF_WAY_ROUND)
    assert distance_miles(0, 179.5, 0, -179.5) == pytest.approx(69.09, abs=0.01)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_agrees_with_the_angle_between_vectors(a: float, b: float, c: float, d: float) -> None:
    def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
        phi, lam = math.radians(latitude), math.radians(longitude)
        return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)

    chord = math.dist(vector(a, b), vector(c, d))
    assert distance_miles(a, b, c, d) == pytest.approx(2 * 3958.8 * math.asin(min(1, chord / 2)), abs=1e-3)
    assert distance_miles(a, b, c, d) == pytest.approx(distance_miles(c, d, a, b))
    assert 0 <= distance_miles(a, b, c, d) <= HALF_WAY_ROUND + 1e-9


@given(latitudes, longitudes, latitudes, longitudes, latitudes, longitudes)
def test_no_detour_is_shorter(a: float, b: float, c: float, d: float, e: float, f: float) -> None:
    assert distance_miles(a, b, e, f) <= distance_miles(a, b, c, d) + distance_miles(c, d, e, f) + 1e-6
