"""JSON taken apart row by row, with the line of each row and of what is in it."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Document:
    """A JSON object of which one member, a list, is read row by row, since it may be long."""

    def __init__(self, text: str) -> None:
        """Begin at the top of a text."""
        self.text = text
        self.members: dict[str, Any] = {}
        """The members other than lists of objects, as far as the text has been read."""
        self._at, self._line = 0, 1

    def rows(self) -> Iterator[tuple[str, int, str]]:
        """Give each row of each list: its member's name, its offset and its text.

        Raises:
            json.JSONDecodeError: The text is not JSON, or not an object.
        """
        at = self._open("{", self._skip(0))
        while self.text[at : at + 1] != "}":
            name, at = self._name(at)
            if self.text[at : at + 1] == "[":
                for start, end in self._elements(at):
                    yield name, start, self.text[start:end]
                    at = end
                at = self._skip(self.text.index("]", at)) + 1
            else:
                self.members[name], at = _DECODER.raw_decode(self.text, at)
            at = self._next(self._skip(at), "}")
        if (rest := self._skip(at + 1)) != len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, rest)

    def line(self, offset: int) -> int:
        """Give the line of an offset, from 1; quickest when the offsets come in order."""
        if offset < self._at:
            self._at, self._line = 0, 1
        self._line += self.text.count("\n", self._at, offset)
        self._at = offset
        return self._line

    def find(self, offset: int, path: Sequence[str | int]) -> int:
        """Give the offset of what a path leads to in the value at an offset, as far as there is such a thing."""
        for step in path:
            inside = self._members(offset) if self.text[offset] == "{" else self._items(offset)
            found = next((at for name, at in inside if name == step), None)
            if found is None:
                break
            offset = found
        return offset

    def _members(self, at: int) -> Iterator[tuple[str | int, int]]:
        """Give each member of the object at an offset: its name, and the offset of its value."""
        at = self._open("{", at)
        while self.text[at : at + 1] != "}":
            name, value = self._name(at)
            yield name, value
            at = self._next(self._skip(_DECODER.raw_decode(self.text, value)[1]), "}")

    def _items(self, at: int) -> Iterator[tuple[str | int, int]]:
        """Give each item of a list, if there is one at the offset: its index, and its offset."""
        if self.text[at] == "[":
            yield from ((index, start) for index, (start, _) in enumerate(self._elements(at)))

    def _elements(self, at: int) -> Iterator[tuple[int, int]]:
        """Give where each element of the list at an offset begins and ends."""
        at = self._open("[", at)
        while self.text[at : at + 1] != "]":
            _, end = _DECODER.raw_decode(self.text, at)
            yield at, end
            at = self._next(self._skip(end), "]")

    def _name(self, at: int) -> tuple[str, int]:
        """Read the name of a member, and give the offset of its value."""
        name, end = _DECODER.raw_decode(self.text, at)
        if not isinstance(name, str):
            raise json.JSONDecodeError("Expecting a name in double quotes", self.text, at)
        colon = self._skip(end)
        if self.text[colon : colon + 1] != ":":
            raise json.JSONDecodeError("Expecting ':'", self.text, colon)
        return name, self._skip(colon + 1)

    def _open(self, bracket: str, at: int) -> int:
        """Go past the beginning of an object or a list."""
        if self.text[at : at + 1] != bracket:
            raise json.JSONDecodeError(f"Expecting '{bracket}'", self.text, at)
        return self._skip(at + 1)

    def _skip(self, at: int) -> int:
        """Go past white space."""
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _next(self, at: int, end: str) -> int:
        """Go past the comma before the next one, or stay at the end of the list or object."""
        if self.text[at : at + 1] == end:
            return at
        if self.text[at : at + 1] != ",":
            raise json.JSONDecodeError(f"Expecting ',' or '{end}'", self.text, at)
        after = self._skip(at + 1)
        if self.text[after : after + 1] == end:
            raise json.JSONDecodeError("Nothing may follow the last comma but another value", self.text, at)
        return after
