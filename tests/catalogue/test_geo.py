import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.catalogue.geo import Area, Shape
from server.catalogue.rows import LatLong

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [4, 6], [6, 6], [6, 4], [4, 4]]
ELSEWHERE = [[20, 20], [30, 20], [25, 30], [20, 20]]


def shape(kind: str, *coordinates: Any) -> Shape:
    return Shape.model_validate_json(json.dumps({"type": kind, "coordinates": coordinates}))


@pytest.mark.parametrize(
    ("latitude", "longitude", "inside"),
    [
        (5, 1, True),
        (1, 5, True),
        (5, 5, False),  # in the hole
        (5, 3.99, True),
        (5, 4.01, False),
        (5, 6.01, True),
        (5, 10.01, False),
        (10.01, 5, False),
        (-0.01, 5, False),
        (5, -0.01, False),
        (21, 25, True),  # in the other polygon
        (29.9, 25, True),
        (29, 21, False),
        (15, 15, False),
        (0, 25, False),  # at the latitude of a side and of corners
        (20, 5, False),
        (4, -1, False),
    ],
)
def test_a_place_is_inside_an_area_or_not(latitude: float, longitude: float, *, inside: bool) -> None:
    area = shape("MultiPolygon", [SQUARE, HOLE], [ELSEWHERE])
    assert area.covers(LatLong(latitude, longitude)) is inside


def test_a_polygon_and_a_multipolygon_of_one_are_the_same() -> None:
    one, several = shape("Polygon", SQUARE, HOLE), shape("MultiPolygon", [SQUARE, HOLE])
    assert one.polygons == several.polygons


corners = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(
    points=st.lists(corners, min_size=3, max_size=12, unique=True), at=st.tuples(st.floats(-60, 60), st.floats(-60, 60))
)
def test_the_crossings_agree_with_the_winding_of_a_convex_outline(
    points: list[tuple[int, int]], at: tuple[float, float]
) -> None:
    """For convex outlines, inside means: to the left of every side, all the way round."""
    ring = [*_half_hull(sorted(points)), *_half_hull(sorted(points, reverse=True))]
    assume(len(ring) > 2)
    distances = [_turn(a, b, at) for a, b in pairwise([*ring, ring[0]])]
    assume(all(abs(distance) > 1e-6 for distance in distances))
    outline = [list(corner) for corner in [*ring, ring[0]]]
    covered = shape("Polygon", outline).covers(LatLong(at[1], at[0]))
    assert covered is all(distance > 0 for distance in distances)


def _half_hull(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give half of the convex hull of sorted points, without its last corner (Andrew's monotone chain)."""
    chain: list[tuple[int, int]] = []
    for point in points:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain[:-1]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@given(at=st.tuples(st.floats(-1, 11), st.floats(-1, 11)), start=st.integers(0, 3))
def test_it_does_not_matter_where_a_ring_begins_nor_which_way_it_goes(at: tuple[float, float], start: int) -> None:
    turned = [*SQUARE[start:-1], *SQUARE[: start + 1]]
    place = LatLong(at[1], at[0])
    expected = shape("Polygon", SQUARE).covers(place)
    assert shape("Polygon", turned).covers(place) is expected
    assert shape("Polygon", turned[::-1]).covers(place) is expected


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Polygon", [SQUARE[:-1]]),  # not closed
        ("Polygon", [SQUARE[:2] + SQUARE[:1]]),  # too short
        ("Polygon", [[[0, 91], [1, 91], [1, 92], [0, 91]]]),
        ("Polygon", []),
        ("MultiPolygon", [[]]),
        ("MultiPolygon", [SQUARE]),
        ("Polygon", [[SQUARE]]),
        ("LineString", SQUARE),
    ],
)
def test_what_is_no_area_is_refused(kind: str, coordinates: Any) -> None:
    with pytest.raises(ValidationError):
        Shape.model_validate_json(json.dumps({"type": kind, "coordinates": coordinates}))


def test_an_area_names_the_plans_that_it_offers() -> None:
    tags = {"name": "A", "service_type": "fiber", "plans": "one; two"}
    area = {"type": "Feature", "id": "a", "properties": tags, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
    assert Area.model_validate_json(json.dumps(area)).plan_ids == ("one", "two")
