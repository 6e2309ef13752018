"""Paying where the client shows the person a form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client.session import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from server.toolkit.payments import QUOTE_TTL
from server.toolkit.screening import REFUSAL
from tests.tools.conftest import Call, Connect, Shell, SignIn, Text, World, data
from tests.tools.make_payment.conftest import CARD, GUEST, balance, files


class Person:
    """Answers the form, and remembers what it said."""

    def __init__(self, action: Any, **content: Any) -> None:
        self.answer = ElicitResult(action=action, content=content or None)
        self.asked: list[ElicitRequestFormParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert context is not None
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params)
        return self.answer


Ask = Callable[..., Any]


@pytest.fixture
def asked(connect: Connect, sign_in: SignIn) -> Ask:
    """Call the tool with a person at the client."""

    async def make_payment(person: Person, subject: str | None = "ada", **arguments: object) -> CallToolResult:
        with sign_in(subject):
            client = connect()
            client.elicitation_callback = person
            async with client:
                return await client.call_tool("att-make-payment", arguments)

    return make_payment


@pytest.mark.parametrize("arguments", [{"subject": "ada"}, {"subject": "bob", **GUEST}, {"subject": None, **GUEST}])
async def test_a_person_who_agrees_in_the_form_has_paid(asked: Ask, shell: Shell, arguments: dict[str, Any]) -> None:
    person = Person("accept", confirm=True)
    paid = data(await asked(person, **arguments, amountCents=2_000))
    assert (paid["status"], paid["quoteToken"], paid["balance"]["cents"]) == ("paid", None, 5_500)
    (form,) = person.asked
    assert form.message.startswith("Pay $20.00 of the $75.00 due by ")
    assert form.requested_schema["required"] == ["confirm"]
    assert balance(shell) == 5_500


NO = {
    "decline": Person("decline"),
    "cancel": Person("cancel"),
    "unticked": Person("accept", confirm=False),
    "empty": Person("accept"),
    "odd": Person("accept", confirm="yes"),
}


@pytest.mark.parametrize("person", NO.values(), ids=NO)
async def test_a_person_who_does_not_agree_has_paid_nothing(
    asked: Ask, text: Text, shell: Shell, person: Person
) -> None:
    result = await asked(person)
    assert data(result)["status"] == "declined"
    assert "nothing was charged" in text(result)
    assert balance(shell) == 7_500
    assert shell("SELECT count(*) FROM payment_quotes") == [(0,)], "the quote cannot be paid any more"


async def test_the_same_call_soon_after_does_not_ask_again(asked: Ask, shell: Shell) -> None:
    first, again = Person("accept", confirm=True), Person("accept", confirm=True)
    paid = data(await asked(first, amountCents=2_000))
    assert data(await asked(again, amountCents=2_000)) == {**paid, "repeated": True}
    assert again.asked == []
    assert balance(shell) == 5_500


async def test_whoever_is_asked_again_is_reminded_of_what_they_paid(
    pay: Call, asked: Ask, text: Text, world: World
) -> None:
    paid = data(await pay(quoteToken=data(await pay(amountCents=2_000))["quoteToken"]))
    world.now += QUOTE_TTL
    reminder = f"Before that, $20.00 was paid at {paid['paidAt']} ({paid['confirmationNumber']})."
    assert reminder in text(await pay(amountCents=2_000))
    person = Person("decline")
    await asked(person, amountCents=2_000)
    assert reminder in person.asked[0].message
    assert "Before that" not in text(await pay("bob", **GUEST)), "of what they paid themselves, that is"
    world.now += 86_400
    assert "Before that" not in text(await pay(amountCents=2_000))


async def test_a_card_number_in_the_form_is_refused(
    asked: Ask, text: Text, shell: Shell, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        result = await asked(Person("accept", confirm=True, note=CARD))
    assert (result.is_error, text(result)) == (True, REFUSAL)
    assert balance(shell) == 7_500
    kept = caplog.text.encode() + files(tmp_path)
    assert b"4111" not in kept
