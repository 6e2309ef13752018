import copy
import json
from typing import Any

import pytest

from server import shipped
from server.catalogue.files import KINDS, MOST_FAULTS, FaultyFile, Sheet, read, write
from server.catalogue.geo import Store

SHIPPED = shipped.directory("data")

STORE: dict[str, Any] = {
    "type": "Feature",
    "id": "node/1",
    "geometry": {"type": "Point", "coordinates": [-96.8, 32.78]},
    "properties": {
        "name": "AT&T",
        "addr:housenumber": "12",
        "addr:street": "Main Street",
        "addr:city": "Dallas",
        "addr:state": "TX",
        "addr:postcode": "75201",
        "phone": "+1 214-555-0100",
        "website": "https://stores.example/1",
        "opening_hours": "Mo-Sa 10:00-20:00; Su,PH off",
        "brand:wikidata": "Q35476",
    },
}


def shipped_file(kind: str) -> Any:
    return json.loads((SHIPPED / f"{kind}.json").read_bytes())


def faults(document: Any) -> list[str]:
    content = document if isinstance(document, bytes) else json.dumps(document, indent=1).encode()
    with pytest.raises(FaultyFile) as caught:
        read(content)
    return [str(fault) for fault in caught.value.faults]


def stores(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def store(**changes: Any) -> dict[str, Any]:
    """Give a store with other tags; a tag given as ``...`` is left out, and ``_`` in it stands for a colon."""
    feature = copy.deepcopy(STORE)
    for name, value in changes.items():
        feature["properties"][name.replace("__", ":")] = value
    feature["properties"] = {name: value for name, value in feature["properties"].items() if value is not ...}
    return feature


def read_store(feature: dict[str, Any]) -> Store:
    sheet = read(json.dumps(stores(feature)).encode())
    assert sheet.kind == "stores"
    (row,) = sheet.rows
    assert isinstance(row, Store)
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_known_by_what_is_in_it(kind: str) -> None:
    sheet = read((SHIPPED / f"{kind}.json").read_bytes())
    assert sheet.kind == kind
    assert sheet.notice is not None
    assert len(sheet.rows) == len(shipped_file(kind)[KINDS[kind].member])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_as_the_same(kind: str) -> None:
    sheet = read((SHIPPED / f"{kind}.json").read_bytes())
    documents = [row.model_dump_json(by_alias=True, exclude_none=True) for row in sheet.rows]
    again = read("".join(write(kind, documents, sheet.notice)).encode())
    assert again == sheet
    without = read("".join(write(kind, documents[:1], None)).encode())
    assert without == Sheet(kind, sheet.rows[:1], None)


@pytest.mark.parametrize(
    ("change", "where", "fault"),
    [
        ({"priceCents": 75.5}, '"priceCents"', "priceCents cannot be 75.5: Input should be a valid integer"),
        ({"priceCents": "75"}, '"priceCents"', 'priceCents cannot be "75": Input should be a valid integer'),
        ({"priceCents": -1}, '"priceCents"', "priceCents cannot be -1: Input should be greater than or equal to 0"),
        ({"productType": "satellite"}, '"productType"', 'productType cannot be "satellite": Input should be'),
        ({"features": ["A", ""]}, '""', 'features.1 cannot be "": String should have at least 1 character'),
        ({"features": []}, '"features"', "features cannot be []: Tuple should have at least 1 item"),
        ({"colour": "red"}, '"colour"', "colour is not known here"),
        ({"name": ...}, "{", "name is missing"),
        ({"id": "no spaces"}, '"id"', 'id cannot be "no spaces": String should match pattern'),
        ({"name": "x" * 5_000}, '"name"', f'name cannot be "{"x" * 79}…: String should have at most 200 characters'),
    ],
)
def test_each_fault_of_a_row_is_told_with_its_line(change: dict[str, Any], where: str, fault: str) -> None:
    row: dict[str, Any] = {
        "id": "p",
        "productType": "wireless",
        "name": "P",
        "tier": "T",
        "priceCents": 1,
        "priceNote": "a month",
        "features": ["A"],
        **change,
    }
    document = {"plans": [{name: value for name, value in row.items() if value is not ...}]}
    (found,) = faults(document)
    line, problem = found.split(": ", 1)
    assert problem.startswith(fault)
    text = json.dumps(document, indent=1).splitlines()[2:]
    expected = next(number for number, written in enumerate(text, 3) if written.strip().startswith(where))
    assert line == f"line {expected}"


def test_all_faults_of_a_file_are_told_and_in_order() -> None:
    plans = shipped_file("plans")
    plans["plans"][1]["priceCents"] = None
    plans["plans"][4]["name"] = 7
    plans["plans"][4]["tier"] = ""
    plans["plans"][6] = "a plan"
    plans["plans"][8]["id"] = plans["plans"][0]["id"]
    found = faults(plans)
    assert [fault.partition(": ")[2].split(":")[0] for fault in found] == [
        "priceCents cannot be null",
        "name cannot be 7",
        'tier cannot be ""',
        'the row cannot be "a plan"',
        "the id 'demo-wireless-value' was given in line 5 already",
    ]
    lines = [int(fault.split(":")[0].removeprefix("line ")) for fault in found]
    text = json.dumps(plans, indent=1).splitlines()
    assert lines == sorted(lines)
    assert [text[line - 1].strip().split(":")[0] for line in lines] == [
        '"priceCents"',
        '"name"',
        '"tier"',
        '"a plan",',
        "{",
    ]


def test_a_file_with_very_many_faults_is_not_read_to_its_end() -> None:
    assert len(faults({"plans": [{}] * 1_000})) < MOST_FAULTS + 10


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "line 1: not JSON: "),
        (b'{"plans":\n[{"id": 1},\n]}', "line 2: not JSON: "),
        (b'{"plans": [{"id": "a"}}', "line 1: not JSON: "),
        (b"{\n\xff}", "line 2: not UTF-8"),
        (b"{}", "line 1: there are no rows in it"),
        (b'{"plans": []}', "line 1: there are no rows in it"),
        (b'{"type": "FeatureCollection", "features": []}', "line 1: there are no rows in it"),
        (b'{"tariffs": [{}]}', "line 1: 'tariffs' is no kind of row; there are features, plans, devices, "),
    ],
)
def test_what_is_no_catalogue_file_is_refused(content: bytes, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(content))


def test_what_stands_beside_the_rows_is_checked() -> None:
    plans = shipped_file("plans")
    assert faults({**plans, "note": "x"}) == ["line 1: note: not known here"]
    assert faults({**plans, "notice": 1}) == ["line 1: notice has to be text"]
    assert faults({**plans, "devices": [{}]})[0].endswith(": 'devices' cannot be in a file of plans")
    assert faults({"features": [STORE]}) == ['line 1: as GeoJSON it needs "type": "FeatureCollection"']


def test_a_byte_order_mark_is_let_pass() -> None:
    assert read(b"\xef\xbb\xbf" + (SHIPPED / "plans.json").read_bytes()).kind == "plans"


def test_a_store_is_read_from_openstreetmaps_tags() -> None:
    row = read_store(STORE)
    tags = row.properties
    assert (row.id, row.title, row.place) == ("node/1", "AT&T", (32.78, -96.8))
    assert (tags.house_number, tags.street, tags.city, tags.state, tags.postcode) == (
        "12",
        "Main Street",
        "Dallas",
        "TX",
        "75201",
    )
    assert (tags.phone, tags.website) == ("+1 214-555-0100", "https://stores.example/1")
    assert (tags.timezone, tags.store_type) == ("America/Chicago", "retail")
    assert json.loads(row.model_dump_json(by_alias=True))["properties"]["brand:wikidata"] == "Q35476"


def test_a_store_needs_no_more_than_a_name_an_id_and_a_place() -> None:
    feature = {"type": "Feature", "geometry": STORE["geometry"], "properties": {"ref": "7", "name": "AT&T"}}
    row = read_store(feature)
    assert (row.id, row.properties.opening_hours, row.properties.city) == ("7", None, None)


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (store(ref="own"), "own"),
        ({**store(), "id": 12}, "12"),
        ({**{k: v for k, v in STORE.items() if k != "id"}, "properties": {"name": "A", "@id": "way/9"}}, "way/9"),
    ],
)
def test_an_id_is_taken_from_where_maps_have_it(feature: dict[str, Any], expected: str) -> None:
    assert read_store(feature).id == expected


@pytest.mark.parametrize(
    ("coordinates", "zone"),
    [
        ([-73.99, 40.75], "America/New_York"),
        ([-106.45, 31.77], "America/Denver"),  # El Paso, the other zone of Texas
        ([-112.07, 33.45], "America/Phoenix"),
        ([-157.86, 21.31], "Pacific/Honolulu"),
        ([-149.9, 61.2], "America/Anchorage"),
    ],
)
def test_a_store_without_a_time_zone_has_that_of_its_place(coordinates: list[float], zone: str) -> None:
    assert read_store({**STORE, "geometry": {"type": "Point", "coordinates": coordinates}}).time_zone.key == zone


def test_contact_tags_will_do_and_a_height_is_let_pass() -> None:
    feature = store(phone=..., website=..., contact__phone="1", contact__website="https://a.example")
    feature["geometry"]["coordinates"] = [-96.8, 32.78, 120.5]
    row = read_store(feature)
    assert (row.properties.phone, row.properties.website) == ("1", "https://a.example")
    assert row.place == (32.78, -96.8)


@pytest.mark.parametrize(
    ("feature", "fault"),
    [
        (store(name=...), "properties.name is missing"),
        (store(opening_hours="9-5"), 'properties.opening_hours cannot be "9-5": not opening hours as OpenStreetMap'),
        (store(timezone="Mars/Base"), 'properties.timezone cannot be "Mars/Base": not the IANA name of a time zone'),
        (store(addr__state="Texas"), 'properties.addr:state cannot be "Texas"'),
        (store(addr__postcode="752"), 'properties.addr:postcode cannot be "752"'),
        (store(website="javascript:alert(1)"), "properties.website cannot be"),
        (store(store_type="kiosk"), 'properties.store_type cannot be "kiosk"'),
        (store(products="a;;b"), 'properties.products cannot be "a;;b": values are separated by semicolons'),
        ({**STORE, "geometry": {"type": "Point", "coordinates": [32.78, -96.8]}}, "geometry.coordinates.1 cannot be"),
        ({**STORE, "geometry": {"type": "Point", "coordinates": [-96.8]}}, "geometry.coordinates.1 is missing"),
        ({**STORE, "geometry": None}, "geometry cannot be null"),
        ({k: v for k, v in STORE.items() if k != "id"}, "id is missing"),
    ],
)
def test_a_store_that_cannot_be_is_refused(feature: dict[str, Any], fault: str) -> None:
    (found,) = faults(stores(feature))
    assert fault in found


def test_the_reading_says_how_far_it_is() -> None:
    seen: list[int] = []
    content = (SHIPPED / "plans.json").read_bytes()
    read(content, seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 14
    assert 0 < seen[0] < seen[-1] < len(content)
