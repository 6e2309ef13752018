"""Catalogue files: read row by row, every fault with its line, and written again."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ValidationError

from server.catalogue.geo import Area, Store
from server.catalogue.lines import Document
from server.catalogue.recommendations import Recommendation
from server.catalogue.rows import Article, Device, Offer, Plan, Row, Service

MOST_FAULTS = 100
"""With so many faults a file is not read on."""

_LONGEST_ECHO = 80
_FEATURES = "features"


class Kind(NamedTuple):
    """A kind of row, and the member of its file that lists them."""

    row: type[Row]
    member: str


KINDS: Mapping[str, Kind] = {
    "stores": Kind(Store, _FEATURES),
    "areas": Kind(Area, _FEATURES),
    "plans": Kind(Plan, "plans"),
    "devices": Kind(Device, "devices"),
    "services": Kind(Service, "services"),
    "offers": Kind(Offer, "offers"),
    "articles": Kind(Article, "articles"),
    "recommendations": Kind(Recommendation, "recommendations"),
}


class Fault(NamedTuple):
    """What is wrong, and in which line."""

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


class FaultyFile(Exception):  # noqa: N818 - it is the file that is at fault
    """A file cannot be used; it holds every fault that was found, in the order of the lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Take at least one fault."""
        self.faults = tuple(faults)
        super().__init__(str(self.faults[0]))


@dataclass
class Sheet:
    """What a file says."""

    kind: str = ""
    rows: list[Row] = field(default_factory=list)
    notice: str | None = None
    """What a reader has to be told of the rows, such as that they are invented."""


def read(content: bytes, progress: Callable[[int], None] = lambda _row: None) -> Sheet:
    """Read a file of any kind: it says itself which.

    Args:
        content: The file, in UTF-8.
        progress: Is told how far into the text each row is.

    Raises:
        FaultyFile: The file is not JSON, is of no kind, or has rows that are not as their kind wants them.
    """
    try:
        document = Document(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FaultyFile([Fault(content.count(b"\n", 0, error.start) + 1, "not UTF-8")]) from None
    return _Reader(document, progress).read()


class _Reader:
    """Reads one document, collecting faults."""

    def __init__(self, document: Document, progress: Callable[[int], None]) -> None:
        self._document = document
        self._progress = progress
        self._sheet = Sheet()
        self._faults: list[Fault] = []
        self._lines: dict[str, int] = {}

    def read(self) -> Sheet:
        try:
            for member, offset, text in self._document.rows():
                self._progress(offset)
                if self._is_of_the_kind(member, offset, text):
                    self._take(offset, text)
                if len(self._faults) >= MOST_FAULTS:
                    break
            else:
                self._check_members()
        except json.JSONDecodeError as error:
            self._faults.append(Fault(error.lineno, f"not JSON: {error.msg} (column {error.colno})"))
        if self._faults:
            raise FaultyFile(self._faults)
        return self._sheet

    def _is_of_the_kind(self, member: str, offset: int, text: str) -> bool:
        """Learn the kind from the first row; skip what GeoJSON calls foreign members."""
        kind = self._sheet.kind or _kind_of(member, text)
        if kind and KINDS[kind].member == member:
            self._sheet.kind = kind
            return True
        line = self._document.line(offset)
        if not kind:
            known = ", ".join(dict.fromkeys(k.member for k in KINDS.values()))
            self._faults.append(Fault(line, f"{member!r} is no kind of row; there are {known}"))
        elif KINDS[kind].member != _FEATURES:
            self._faults.append(Fault(line, f"{member!r} cannot be in a file of {kind}"))
        return False

    def _take(self, offset: int, text: str) -> None:
        """Check a row and keep it."""
        try:
            row = KINDS[self._sheet.kind].row.model_validate_json(text)
        except ValidationError as error:
            self._faults += self._explain(offset, error)
            return
        line = self._document.line(offset)
        if row.id in self._lines:
            self._faults.append(Fault(line, f"the id {row.id!r} was given in line {self._lines[row.id]} already"))
            return
        self._lines[row.id] = line
        self._sheet.rows.append(row.complete())

    def _explain(self, offset: int, error: ValidationError) -> Iterator[Fault]:
        """Say for each fault of a row in which line it is, and what it is about."""
        for fault in error.errors(include_url=False):
            line = self._document.line(self._document.find(offset, fault["loc"]))
            where = ".".join(map(str, fault["loc"])) or "the row"
            problem = str(fault.get("ctx", {}).get("error", fault["msg"]))
            if fault["type"] == "missing":
                yield Fault(line, f"{where} is missing")
            elif fault["type"] == "extra_forbidden":
                yield Fault(line, f"{where} is not known here")
            else:
                yield Fault(line, f"{where} cannot be {_echo(fault['input'])}: {problem}")

    def _check_members(self) -> None:
        """Check what stands beside the rows."""
        members, kind = self._document.members, KINDS.get(self._sheet.kind)
        if kind is None:
            self._faults.append(Fault(1, "there are no rows in it"))
        elif kind.member == _FEATURES:
            if members.get("type") != "FeatureCollection":
                self._faults.append(Fault(1, 'as GeoJSON it needs "type": "FeatureCollection"'))
        elif unknown := sorted(members.keys() - {"$schema", "notice"}):
            self._faults.append(Fault(1, f"{', '.join(unknown)}: not known here"))
        notice = members.get("notice")
        if not isinstance(notice, str | None):
            self._faults.append(Fault(1, "notice has to be text"))
        else:
            self._sheet.notice = notice


def _kind_of(member: str, text: str) -> str:
    """Tell the kind of a file by a list's name; of features, by whether the first one is a point."""
    if member != _FEATURES:
        return next((name for name, kind in KINDS.items() if kind.member == member), "")
    try:
        shape = json.loads(text)["geometry"]["type"]
    except (LookupError, TypeError):
        shape = "Point"
    return "areas" if shape in {"Polygon", "MultiPolygon"} else "stores"


def _echo(value: object) -> str:
    """Repeat a value, but not endlessly."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


def write(kind: str, rows: Iterable[str], notice: str | None) -> Iterator[str]:
    """Write a file that `read` takes, piece by piece, from rows that are JSON already."""
    head: dict[str, str] = {"type": "FeatureCollection"} if KINDS[kind].member == _FEATURES else {}
    if notice is not None:
        head["notice"] = notice
    yield "".join(
        ["{\n", *(f"  {json.dumps(name)}: {json.dumps(text, ensure_ascii=False)},\n" for name, text in head.items())]
    )
    yield f'  "{KINDS[kind].member}": ['
    between = "\n    "
    for row in rows:
        yield between + row
        between = ",\n    "
    yield "\n  ]\n}\n"
