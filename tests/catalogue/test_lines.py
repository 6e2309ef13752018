import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.lines import Document

scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
documents = st.dictionaries(st.text(), scalars | st.dictionaries(st.text(), values, max_size=3) | st.lists(values))


@given(document=documents, indent=st.sampled_from([None, 0, 2, "\t"]))
def test_a_document_is_read_as_json_is(document: dict[str, Any], indent: int | str | None) -> None:
    text = json.dumps(document, indent=indent)
    read = Document(text)
    rows: dict[str, list[Any]] = {}
    for name, offset, row in read.rows():
        rows.setdefault(name, []).append(json.loads(row))
        assert text[offset : offset + len(row)] == row
    assert rows == {name: value for name, value in document.items() if isinstance(value, list) and value}
    assert read.members == {name: value for name, value in document.items() if not isinstance(value, list)}


@given(row=st.dictionaries(st.text(), values), before=st.integers(0, 5), data=st.data())
def test_what_a_path_leads_to_is_found_with_its_line(row: dict[str, Any], before: int, data: st.DataObject) -> None:
    text = "\n" * before + json.dumps({"rows": [row]}, indent=1)
    read = Document(text)
    ((_, offset, _),) = read.rows()
    value: Any = row
    path: list[str | int] = []
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        path.append(step)
        value = value[step]
    found = read.find(offset, path)
    assert json.JSONDecoder().raw_decode(text, found)[0] == value
    assert read.line(found) == text.count("\n", 0, found) + 1


def test_a_path_that_leads_nowhere_ends_at_the_last_thing_that_is_there() -> None:
    text = '{"rows": [\n{"a":\n{"b": 1}}]}'
    read = Document(text)
    ((_, offset, _),) = read.rows()
    assert read.line(read.find(offset, ["a", "c", "d"])) == 3
    assert read.line(read.find(offset, ["x"])) == 2
    assert read.line(read.find(offset, ["a", "b", "d"])) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("[]", 1),
        ("{", 1),
        ('{"rows": [{"a": 1},\n]}', 1),
        ('{"rows": [{"a": 1}\n{"a": 2}]}', 2),
        ('{"rows": [{"a": 1}],\n}', 1),
        ('{"rows": []}\nx', 2),
        ('{"rows"\n []}', 2),
        ("{\n1: 2}", 2),
        ('{"rows": [\n\n{"a": nothing}]}', 3),
        ('{"rows": [1', 1),
    ],
)
def test_what_is_not_json_is_refused_in_its_line(text: str, line: int) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        list(Document(text).rows())
    assert caught.value.lineno == line
