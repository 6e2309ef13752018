"""att-make-payment: a quote, then its confirmation."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import InputRequiredResult
from pydantic import Field
from typing_extensions import TypedDict

from server.services import Services
from server.toolkit.account import Account
from server.toolkit.accounts import accounts_of, one_of, signed_in
from server.toolkit.elicitation import Question, Reply, ask, reply_of
from server.toolkit.money import Money, money
from server.toolkit.payments import QUOTE_TTL, Guest, Payer, Payment, Quote
from server.toolkit.screening import refuse_payment_numbers
from server.toolkit.till import Till, Wanted
from server.toolkit.tool import Answer, Arguments, Call, Hints, Tool
from server.toolkit.widgets import ACCOUNT

NOTICE = "Demonstration data: this account is invented, and no real money moves."
HALF_A_GUEST = (
    "A guest names an account by zip together with accountNumber or phone, and by nothing else. Leave all three out "
    "to pay on an account of the signed-in user."
)

Status = Literal["confirmation_required", "paid", "declined"]


class MakePaymentArguments(Arguments):
    """What the tool is called with."""

    account_id: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z_.-]{1,64}$",
        description="the id of one of the signed-in user's accounts, as att-account-summary gives it; not for guests",
    )
    account_number: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{4}-?[0-9]{4}-?[0-9]{4}$",
        description="for a guest, an account number such as DEMO-1234-5678, together with zip",
    )
    phone: str | None = Field(
        None,
        pattern=r"^(\+?1[ .-]?)?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}$",
        description="for a guest, the account's ten-digit phone number in place of its number, together with zip",
    )
    zip: str | None = Field(None, pattern=r"^[0-9]{5}$", description="for a guest, the account's five-digit ZIP code")
    amount_cents: int | None = Field(
        None, ge=1, le=10_000_000, strict=True, description="whole US cents, at most what is due; all of it by default"
    )
    payment_method_id: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z_.-]{1,80}$",
        description="the id of a payment method saved on the account; the default one if left out",
    )
    quote_token: str | None = Field(
        None, pattern=r"^att_pq_[0-9A-Za-z]{49}$", description="the token of a quote that the person has agreed to"
    )


class MakePaymentOutput(TypedDict):
    """A quote, a payment, or the word that there was none."""

    status: Annotated[Status, Field(description="Nothing is charged unless it is paid.")]
    accountId: Annotated[str | None, Field(description="The account, or null for a guest.")]
    amount: Money
    balance: Annotated[Money, Field(description="What is due: with the payment taken off once it is paid.")]
    paymentMethod: Annotated[str, Field(description="What it is paid by, as the person knows it.")]
    quoteToken: Annotated[str | None, Field(description="To be sent once the person has agreed to the quote.")]
    expiresAt: Annotated[str | None, Field(description="Until when the quote is good, in UTC.")]
    confirmationNumber: Annotated[str | None, Field(description="The payment's number, or null when none was made.")]
    paidAt: Annotated[str | None, Field(description="When it was paid, in UTC.")]
    repeated: Annotated[bool, Field(description="Whether an earlier call made the payment, and this one none.")]
    notice: Annotated[str, Field(description="What kind of data this is.")]


def tool(services: Services) -> Tool[MakePaymentArguments]:
    """Make the tool; quotes and the ledger live in the database."""
    till = Till(services.store, services)

    async def make_payment(call: Call[MakePaymentArguments]) -> Answer | InputRequiredResult:
        return await _pay(call, till)

    return Tool(
        name="att-make-payment",
        title="Pay a bill",
        description=(
            "Pay what is due on one of the signed-in user's accounts, or as a guest on an account named by phone or "
            "account number with ZIP code, by a payment method that is saved on it. The first call gives a quote; "
            "nothing is charged until the person agrees, in the client's own form where it has one, else by a second "
            "call with the quote's token. Never ask for, or pass on, a card or bank number. Invented demonstration "
            "data: no real money moves."
        ),
        scopes=("payment",),
        arguments=MakePaymentArguments,
        output=MakePaymentOutput,
        answer=make_payment,
        hints=Hints(read_only=False, destructive=True),
        meta=ACCOUNT.tool_meta,
        screen=refuse_payment_numbers,
    )


async def _pay(call: Call[MakePaymentArguments], till: Till) -> Answer | InputRequiredResult:
    """Go as far as this call can: settle what was asked or quoted before, or quote, and ask if the client lets us."""
    given, brought = call.arguments, reply_of(call)
    payer, account = await _payer(call, till)
    account_id = given.account_id if account is None else account.account_id
    wanted = Wanted(account_id, given.amount_cents, given.payment_method_id)
    if brought is not None:
        return await _settle(till, payer, wanted, *brought)
    if given.quote_token is not None:
        return _receipt(*await till.pay(payer, wanted, given.quote_token))
    offered = await till.quote(payer, account or await _own_account(payer, given.account_id, till), wanted)
    if isinstance(offered, Payment):
        return _receipt(offered, repeated=True)
    before = await till.reminder(offered[0])
    outcome = await ask(call, _question(*offered, before))
    if outcome is None:
        return _offer(*offered, before)
    return await _settle(till, payer, wanted, offered[1], outcome) if isinstance(outcome, Reply) else outcome


async def _own_account(payer: Payer, account_id: str | None, till: Till) -> Account:
    """Give the account of this id among the payer's own, or the only one that they have."""
    return one_of(await accounts_of(payer.user_id or "", till.store, till.services.clock()), account_id)


async def _payer(call: Call[MakePaymentArguments], till: Till) -> tuple[Payer, Account | None]:
    """Find out who pays; for a guest, on which account too."""
    given = call.arguments
    named = [given.account_number, given.phone]
    if named == [None, None] and given.zip is None:
        return Payer.owner(signed_in(call.caller, "payment"), call.caller), None
    if given.zip is None or named.count(None) != 1 or given.account_id is not None:
        raise ToolError(HALF_A_GUEST)
    payer = Payer.guest(call.caller)
    return payer, await till.identify(Guest.named(given.account_number, given.phone, given.zip, payer))


async def _settle(till: Till, payer: Payer, wanted: Wanted, token: str, reply: Reply) -> Answer:
    """Do what the person answered: only a form sent off with the box ticked is a yes."""
    if reply.accepted and reply.content.get("confirm") is True:
        return _receipt(*await till.pay(payer, wanted, token))
    quote = await till.withdraw(payer, wanted, token)
    if isinstance(quote, Payment):
        return _receipt(quote, repeated=True)
    text = f"The person did not agree, so nothing was charged. {_due(quote.balance_cents)} {NOTICE}"
    return Answer(text, _output(quote, "declined", balance=money(quote.balance_cents)))


def _question(quote: Quote, token: str, before: Payment | None) -> Question:
    amount = money(quote.amount_cents)["formatted"]
    pay = f"Pay {amount} of the {money(quote.balance_cents)['formatted']} due by {_method(quote)}?"
    message = f"{pay} {_reminder(before)}{NOTICE}"
    box = {"type": "boolean", "title": f"Pay {amount} now", "default": False}
    schema = {"type": "object", "properties": {"confirm": box}, "required": ["confirm"]}
    return Question(message, schema, token, patience=QUOTE_TTL)


def _reminder(before: Payment | None) -> str:
    """Say what was paid last, so that nobody who only repeats a call agrees to a second payment."""
    if before is None:
        return ""
    paid = f"{money(before.amount_cents)['formatted']} was paid at {_time(before.paid_at)}"
    return f"Before that, {paid} ({before.confirmation_number}). "


def _offer(quote: Quote, token: str, before: Payment | None) -> Answer:
    again = "the same account number or phone and ZIP code, and " if _is_guest(quote) else ""
    text = (
        f"Nothing has been charged yet. {money(quote.amount_cents)['formatted']} of the "
        f"{money(quote.balance_cents)['formatted']} due would be paid by {_method(quote)}. Ask the person. If they "
        f"agree, call att-make-payment again with {again}quoteToken {token} by {_time(quote.expires_at)}. "
        f"{_reminder(before)}{NOTICE}"
    )
    data = _output(quote, "confirmation_required", balance=money(quote.balance_cents))
    return Answer(text, {**data, "quoteToken": token, "expiresAt": _time(quote.expires_at)})


def _receipt(payment: Payment, repeated: bool) -> Answer:
    amount, due = money(payment.amount_cents)["formatted"], money(payment.balance_after_cents)
    if repeated:
        paid = (
            f"{amount} was paid by {_method(payment)} at {_time(payment.paid_at)} already: this call charged nothing."
        )
        rest = f"After it {due['formatted']} was due."
    else:
        paid, rest = f"{amount} was paid by {_method(payment)}.", _due(payment.balance_after_cents)
    text = f"{paid} The confirmation number is {payment.confirmation_number}. {rest} {NOTICE}"
    receipt = {"confirmationNumber": payment.confirmation_number, "paidAt": _time(payment.paid_at)}
    return Answer(text, {**_output(payment, "paid", balance=due), **receipt, "repeated": repeated})


def _output(deal: Quote | Payment, status: Status, balance: Money) -> MakePaymentOutput:
    """Give what every answer has, for a payment that was not made."""
    return MakePaymentOutput(
        status=status,
        accountId=None if _is_guest(deal) else deal.account_id,
        amount=money(deal.amount_cents),
        balance=balance,
        paymentMethod=_method(deal),
        quoteToken=None,
        expiresAt=None,
        confirmationNumber=None,
        paidAt=None,
        repeated=False,
        notice=NOTICE,
    )


def _is_guest(deal: Quote | Payment) -> bool:
    return deal.payer.startswith("guest:")


def _method(deal: Quote | Payment) -> str:
    """Name a payment method; a guest is not told which it is."""
    if _is_guest(deal):
        return "the payment method that the account keeps open to guests"
    return f"{deal.brand} ending {deal.last_four}"


def _due(balance: int) -> str:
    return f"{money(balance)['formatted']} is due now."


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
