"""The parameters of a request to an OAuth endpoint (RFC 6749 sections 3.1 and 3.2)."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import unquote

from server.oauth.errors import InvalidRequest

MAX_FIELDS = 100

_REPEATABLE = frozenset({"resource"})


class Parameters:
    """Decoded parameters: one sent without a value counts as omitted, and none may be repeated but ``resource``."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Take the decoded name and value pairs in the order in which they were sent."""
        self._pairs = [pair for pair in pairs if pair[1]]
        self._first = dict(reversed(self._pairs))
        self.repeated = _repeated(pairs) if len(dict(pairs)) < len(pairs) else ()

    @classmethod
    def parse(cls, text: str) -> "Parameters":
        """Parse ``application/x-www-form-urlencoded`` text, as in a query or a form.

        Raises:
            InvalidRequest: It is not UTF-8, or has more than 100 fields.
        """
        if text.count("&") >= MAX_FIELDS:
            raise InvalidRequest(f"there are more than {MAX_FIELDS} parameters")
        fields = (field.partition("=") for field in text.replace("+", " ").split("&") if field)
        try:
            return cls([(_decoded(name), _decoded(value)) for name, _, value in fields])
        except UnicodeDecodeError:
            raise InvalidRequest("the parameters are not UTF-8") from None

    def get(self, name: str) -> str | None:
        """Give a parameter's value, the first if it was repeated, or ``None``."""
        return self._first.get(name)

    def all(self, name: str) -> tuple[str, ...]:
        """Give every value of a parameter, in order."""
        return tuple(value for key, value in self._pairs if key == name)

    def require(self, name: str) -> str:
        """Give a parameter's value.

        Raises:
            InvalidRequest: It is missing.
        """
        value = self.get(name)
        if value is None:
            raise InvalidRequest(f"the parameter {name} is missing")
        return value

    def refuse_repeated(self) -> None:
        """Refuse a request that includes a parameter more than once (RFC 6749 section 3.1).

        Raises:
            InvalidRequest: It names the parameter if its name can be shown.
        """
        if self.repeated:
            shown = next((f"the parameter {n[:40]}" for n in self.repeated if n.isidentifier() and n.isascii()), None)
            raise InvalidRequest(f"{shown or 'a parameter'} was sent more than once")


def _repeated(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    times = Counter(name for name, _ in pairs)
    return tuple(sorted(name for name in times.keys() - _REPEATABLE if times[name] > 1))


def _decoded(text: str) -> str:
    return unquote(text, errors="strict") if "%" in text else text
