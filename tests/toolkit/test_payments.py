import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.auth.provider import AccessToken

from server.oauth.tokens import digest
from server.toolkit.payments import Guest, Payer, confirmation_number
from server.toolkit.screening import looks_like_payment_number

ADA = AccessToken(token="t", client_id="app", scopes=["payment"], subject="ada")
ROBOT = AccessToken(token="t", client_id="app", scopes=["payment"])


@given(st.text(), st.text())
def test_each_quote_has_a_confirmation_number_of_its_own_that_looks_like_no_card(one: str, other: str) -> None:
    numbers = [confirmation_number(digest(text)) for text in (one, other)]
    assert (numbers[0] == numbers[1]) == (one == other)
    for number in numbers:
        assert re.fullmatch(r"DEMO(-[BCDFGHJKLMNPQRSTVWXZ]{4}){3}", number)
        assert not looks_like_payment_number(number)


def test_payers_are_told_apart_by_what_they_pay_as() -> None:
    payers = [
        Payer.owner("ada", ADA),
        Payer.guest(ADA),
        Payer.guest(ROBOT),
        Payer.guest(None),
        Payer.owner("app", ROBOT),
    ]
    assert len({payer.name for payer in payers}) == len(payers)
    other = ADA.model_copy(update={"client_id": "another"})
    assert Payer.owner("ada", other).name == Payer.owner("ada", ADA).name, "whichever application they use"
    assert Payer.guest(other).name != Payer.guest(ADA).name


@pytest.mark.parametrize(
    ("number", "phone", "read"),
    [
        ("demo12345678", None, ("DEMO-1234-5678", None)),
        ("DEMO-1234-5678", None, ("DEMO-1234-5678", None)),
        (None, "+1 (206) 555-0123", (None, "2065550123")),
        (None, "2065550123", (None, "2065550123")),
    ],
)
def test_a_guest_may_write_numbers_as_people_do(
    number: str | None, phone: str | None, read: tuple[str | None, str | None]
) -> None:
    guest = Guest.named(number, phone, "98101", Payer.guest(None))
    assert (guest.account_number, guest.phone) == read


def test_guesses_are_counted_by_what_was_named_and_by_who_named_it() -> None:
    one = Guest.named("DEMO-1234-5678", None, "98101", Payer.guest(ADA)).holders()
    assert one == Guest.named("demo12345678", None, "10003", Payer.guest(ADA)).holders(), "whatever the ZIP code"
    assert one[0] == Guest.named("DEMO-1234-5678", None, "98101", Payer.guest(None)).holders()[0]
    assert set(one).isdisjoint(Guest.named(None, "2065550123", "98101", Payer.guest(None)).holders())
