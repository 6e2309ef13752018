"""What is not paid, or not even read."""

from pathlib import Path

import pytest

from server.toolkit.screening import REFUSAL
from tests.tools.conftest import Call, Shell, Text
from tests.tools.make_payment.conftest import CARD, GUEST, files


async def test_more_than_is_due_is_refused(pay: Call, text: Text, shell: Shell) -> None:
    refused = await pay(amountCents=7_501)
    assert refused.is_error
    assert text(refused) == "amountCents is more than what is due, which is $75.00 (7500 cents)."
    shell("UPDATE accounts SET balance_cents = -500")
    refused = await pay()
    assert "Nothing is due on this account (its balance is -$5.00)" in text(refused)


async def test_only_a_saved_payment_method_will_do(pay: Call, text: Text, shell: Shell) -> None:
    assert "No payment method of that id" in text(await pay(paymentMethodId="other"))
    shell("DELETE FROM payment_methods")
    refused = await pay()
    assert refused.is_error
    assert "No payment method that could be used here is saved" in text(refused)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"amountCents": 0}, "amountCents cannot be what was given; it takes whole US cents"),
        ({"amountCents": -1}, "amountCents cannot be what was given;"),
        ({"amountCents": 20.5}, "amountCents cannot be what was given;"),
        ({"amountCents": 20.0}, "amountCents cannot be what was given;"),
        ({"amountCents": "2000"}, "amountCents cannot be what was given;"),
        ({"amountCents": True}, "amountCents cannot be what was given;"),
        ({"zip": "9810"}, "zip cannot be what was given; it takes for a guest, the account's five-digit ZIP code."),
        ({"phone": "555-0123"}, "phone cannot be what was given;"),
        ({"accountNumber": "12345678"}, "accountNumber cannot be what was given;"),
        ({"quoteToken": "x"}, "quoteToken cannot be what was given;"),
        ({"routing": "12345"}, "There is no argument of that name; the arguments are accountId, accountNumber,"),
        ({"zip": "98101"}, "A guest names an account by zip together with accountNumber or phone"),
        ({"phone": "2065550123"}, "A guest names an account by zip together with"),
        ({**GUEST, "phone": "2065550123"}, "A guest names an account by zip together with"),
        ({**GUEST, "accountId": "phone"}, "A guest names an account by zip together with"),
    ],
)
async def test_bad_input_is_refused_without_repeating_it(
    pay: Call, text: Text, arguments: dict[str, object], message: str
) -> None:
    result = await pay(**arguments)
    assert result.is_error
    assert text(result).startswith(message)


async def test_nobody_signed_in_can_pay_on_no_account_of_theirs(call: Call, pay: Call, text: Text) -> None:
    assert "Nobody is signed in" in text(await call("att-make-payment"))
    assert "this token belongs to an application" in text(await pay(None))


HOSTILE: list[dict[str, object]] = [
    {"accountId": CARD},
    {"accountNumber": CARD.replace(" ", "-")},
    {"phone": CARD, "zip": "98101"},
    {"zip": CARD},
    {"amountCents": 4111111111111111},
    {"paymentMethodId": "4111.1111.1111.1111"},
    {"quoteToken": CARD},
    {"cardNumber": CARD},
    {CARD: "1"},
    {"note": {"pay with": [CARD]}},
    {"accountNumber": "021000021"},
    {"accountNumber": "DE89 3704 0044 0532 0130 00"},
]


async def test_a_card_or_bank_number_is_refused_with_the_reason_wherever_it_stands(
    pay: Call, text: Text, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        for arguments in HOSTILE:
            result = await pay(**arguments)
            assert (result.is_error, text(result)) == (True, REFUSAL), arguments
    kept = caplog.text.encode() + files(tmp_path)
    for trace in (b"4111", b"021000021", b"0532"):
        assert trace not in kept
