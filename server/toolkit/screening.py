"""Keeping card and bank numbers out: texts that look like one are refused before anything reads them.

The forms that the arguments take let none in anyway. This is so that whoever tries is told why, and that nothing on
the way repeats what they sent.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

REFUSAL = (
    "This looks like a card or bank number, and none is taken here: nothing of the call was kept, and nothing was "
    "charged. Payments are made by the payment methods saved on the account; call again without the number."
)

TOO_MUCH = "This is far more than the tool takes, so nothing of it was read or kept."

_MOST_TEXTS = 200
_LONGEST_TEXT = 1_000
"""Characters that are looked at: no argument takes so many, so a longer one is refused by its form."""
_MOST_BITS = 256
"""Of a number that is looked at; a larger one is none that a tool takes, and takes long to write down."""

_CARD = re.compile(r"(?<![0-9A-Za-z])\d(?:[^0-9A-Za-z]{0,3}\d){11,18}(?![0-9A-Za-z])")
"""ISO/IEC 7812 allows 10 to 19 digits and issuers use 12 or more; an account number at a bank may be as long."""

_ROUTING = re.compile(r"(?<!\d)\d(?:[^0-9A-Za-z]{0,3}\d){8}(?!\d)")
_WORD = re.compile(r"[0-9A-Z]+")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}")
_LONGEST_IBAN = 34
_OWN_ID = re.compile(r"demo-(?:wireless|internet|prepaid)-[0-9a-f]{20}(?:-[a-z]+-\d)?")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def refuse_payment_numbers(given: Any) -> None:
    """Refuse a JSON value that holds what looks like a card or bank number, in any text, number or name of a member.

    Raises:
        ToolError: It does, or it holds so much that looking would take long; the message repeats none of it.
    """
    for count, text in enumerate(_texts(given)):
        if count >= _MOST_TEXTS:
            raise ToolError(TOO_MUCH)
        if looks_like_payment_number(text):
            raise ToolError(REFUSAL)


def looks_like_payment_number(text: str) -> bool:
    """Tell whether a text holds a card number, a US routing number or an IBAN, spaced and dashed or not."""
    plain = "".join(str(int(c)) if c.isdecimal() else c for c in unicodedata.normalize("NFKC", text[:_LONGEST_TEXT]))
    if _OWN_ID.fullmatch(plain):
        return False
    return bool(_CARD.search(plain)) or _has_card(plain) or _has_routing_number(plain) or _has_iban(plain.upper())


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case bool() | None:
            return
        case int():
            yield str(value) if value.bit_length() <= _MOST_BITS else ""
        case float():
            yield f"{value:f}".partition(".")[0]
        case Mapping():
            for name, member in value.items():
                yield str(name)
                yield from _texts(member)
        case list() | tuple():
            yield " ".join(
                text for member in value[:_MOST_TEXTS] if isinstance(member, str | int) for text in _texts(member)
            )
            for member in value:
                yield from _texts(member)


def _has_card(text: str) -> bool:
    """Find 13 to 19 digits in a row, whatever stands around or between them, that pass ISO/IEC 7812-1 annex B."""
    digits = re.findall(r"\d+", re.sub(r"[^0-9A-Za-z]", "", text))
    return any(
        run[start] in "23456" and _passes_luhn(run[start : start + length])
        for run in digits
        for length in range(13, 20)
        for start in range(len(run) - length + 1)
    )


def _passes_luhn(digits: str) -> bool:
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(_LUHN_DOUBLED[int(digit)] for digit in even)) % 10 == 0


def _has_routing_number(text: str) -> bool:
    """Find nine digits with the check digit of the American Bankers Association's routing numbers."""
    for match in _ROUTING.finditer(text):
        digits = [int(digit) for digit in match[0] if digit.isdecimal()]
        total = sum(digit * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True))
        if total and total % 10 == 0:
            return True
    return False


def _has_iban(text: str) -> bool:
    """Find an IBAN in one word or several in a row (ISO 13616): moved round and read in base 36 it is 1 modulo 97."""
    words = _WORD.findall(text)
    for first in range(len(words)):
        joined = ""
        for word in words[first:]:
            joined += word
            if len(joined) > _LONGEST_IBAN:
                break
            if _IBAN.fullmatch(joined) and int("".join(str(int(c, 36)) for c in joined[4:] + joined[:4])) % 97 == 1:
                return True
    return False
