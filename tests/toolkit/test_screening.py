from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.mcpserver.exceptions import ToolError

from server.oauth import tokens
from server.toolkit.accounts import day
from server.toolkit.demonstration import demonstration_accounts
from server.toolkit.screening import REFUSAL, TOO_MUCH, looks_like_payment_number, refuse_payment_numbers
from tests.storage.make import NOW

CARDS = [
    "4111111111111111",
    "378282246310005",
    "5555555555554444",
    "6011111111111117",
    "6759649826438453",
    "36227206271667",
]


def luhn(head: str) -> str:
    """Append the check digit."""
    total = 0
    for place, digit in enumerate(reversed(head)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return head + str(-total % 10)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("separator", ["", " ", "-", ".", "\u00a0", " - ", "\u2013", "_", "/"])
def test_a_card_number_is_seen_however_it_is_parted(card: str, separator: str) -> None:
    groups = [card[:4], card[4:8], card[8:12], card[12:]]
    assert looks_like_payment_number(separator.join(groups))
    assert looks_like_payment_number(f"my card is {separator.join(groups)}, thanks")


@given(
    st.text("23456", min_size=1, max_size=1),
    st.text("0123456789", min_size=11, max_size=17),
    st.sampled_from(["{}", "card{}", "{}x", "N{}N", "x@{}.example"]),
)
def test_a_number_that_passes_the_check_of_cards_is_seen_amid_letters(first: str, rest: str, form: str) -> None:
    assert looks_like_payment_number(form.format(luhn(first + rest)))


@given(st.text("0123456789", min_size=12, max_size=19))
def test_so_many_digits_are_refused_even_with_a_slip_of_the_pen(digits: str) -> None:
    assert looks_like_payment_number(digits)
    assert looks_like_payment_number(f"to {'-'.join(digits)}.")


@pytest.mark.parametrize("zero", ["\uff10", "\u0660", "\u0966"])
def test_digits_of_other_scripts_are_digits_too(zero: str) -> None:
    assert looks_like_payment_number("".join(chr(ord(zero) + int(digit)) for digit in CARDS[0]))


@pytest.mark.parametrize("routing", ["021000021", "026009593", "0210-0002-1", "021 - 000 - 021", "ABA021000021"])
def test_a_routing_number_is_seen(routing: str) -> None:
    assert looks_like_payment_number(routing)


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "gb29-nwbk-6016-1331-9268-19",
        "NL91ABNA0417164300",
        "pay to NL91 ABNA 0417 1643 00 please",
        "MT84MALT011000012345MTLCAST001S",
        "NO9386011117947",
    ],
)
def test_an_iban_is_seen(iban: str) -> None:
    assert looks_like_payment_number(iban)


@pytest.mark.parametrize(
    "text",
    ["", "(206) 555-0123", "+1 206 555 0123", "2065550123", "98101", "021000022", "DEMO-1234-5678", "2026-11-23T10:00",
     "ada.lovelace+2026@example.com", "12345678", "-250", "DE89 3704"],
)  # fmt: skip
def test_what_the_tools_take_is_let_through(text: str) -> None:
    assert not looks_like_payment_number(text)


@given(st.binary(min_size=32, max_size=32))
def test_a_token_is_let_through(random: bytes) -> None:
    assert not looks_like_payment_number(tokens.make("att_pq_", lambda _size: random))


@given(st.text())
def test_ids_and_numbers_of_invented_accounts_are_let_through(user_id: str) -> None:
    for account in demonstration_accounts(user_id, day(NOW)):
        given = {"accountId": account.account_id, "accountNumber": account.account_number, "phone": account.phone}
        refuse_payment_numbers({**given, "zip": account.zip_code})
        for method in account.payment_methods:
            refuse_payment_numbers({"paymentMethodId": method.payment_method_id, "balance": account.balance_cents})


CARD = CARDS[0]


@pytest.mark.parametrize(
    "given",
    [
        {"amountCents": int(CARD)},
        {"amountCents": float(CARD)},
        {CARD: "x"},
        {"note": {"deep": [{"deeper": f"x {CARD}"}]}},
        {"note": ["4111", "1111", "1111", "1111"]},
        {"note": [4111, 1111, 1111, 1111]},
    ],
)
def test_no_part_of_what_is_given_is_overlooked(given: object) -> None:
    with pytest.raises(ToolError) as refused:
        refuse_payment_numbers(given)
    assert str(refused.value) == REFUSAL


def test_what_is_no_text_at_all_is_let_through() -> None:
    refuse_payment_numbers({"a": None, "b": True, "c": [], "d": {}, "e": 12.5, "f": -1})


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "given",
    [
        {"phone": "2" * 4_000_000},
        {"phone": "2 a " * 1_000_000},
        {"phone": "DE12 " * 800_000},
        {"phone": "- " * 2_000_000},
        {"amountCents": 2**10_000_000},
        {"amountCents": 10**5_000},
    ],
    ids=["digits", "digits amid letters", "codes", "separators", "a huge number", "a number too long to write"],
)
def test_what_is_far_too_long_is_looked_at_in_part(given: object) -> None:
    with suppress(ToolError):
        refuse_payment_numbers(given)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("many", [[1] * 2_000_000, [[]] * 2_000_000, {str(n): [n] for n in range(500_000)}])
def test_what_is_far_too_much_is_not_read(many: object) -> None:
    with pytest.raises(ToolError) as refused:
        refuse_payment_numbers({"note": many})
    assert str(refused.value) in {TOO_MUCH, REFUSAL}
