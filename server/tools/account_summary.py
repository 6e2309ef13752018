"""att-account-summary: the signed-in user's accounts."""

from datetime import date
from typing import Annotated, cast

from pydantic import Field
from typing_extensions import TypedDict

from server.services import Services
from server.toolkit.account import Account, AccountKind
from server.toolkit.accounts import AccountStore, accounts_of, day, signed_in
from server.toolkit.money import Money, money
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import ACCOUNT

NOTICE = "Demonstration data: these accounts and payment methods are invented."


class AccountSummaryArguments(Arguments):
    """The tool takes none: the token says whose accounts they are."""


class PaymentMethodEntry(TypedDict):
    """A saved payment method; only its brand and last four digits are kept."""

    id: str
    brand: str
    lastFour: Annotated[str, Field(pattern=r"^\d{4}$")]
    isDefault: bool


class AccountEntry(TypedDict):
    """An account of the signed-in user."""

    id: str
    name: str
    kind: AccountKind
    accountNumber: Annotated[str | None, Field(description="By which a guest can name the account, with its ZIP code.")]
    balance: Annotated[Money, Field(description="What is owed; negative is a credit.")]
    dueDate: Annotated[str | None, Field(description="When the balance is due, YYYY-MM-DD, or null when nothing is.")]
    overdue: Annotated[bool, Field(description="Whether the due date has passed (UTC).")]
    autopay: Annotated[bool, Field(description="Whether it is paid from the default payment method when due.")]
    paymentMethods: list[PaymentMethodEntry]


class AccountSummaryOutput(TypedDict):
    """The signed-in user's accounts and what they owe together."""

    accounts: list[AccountEntry]
    totalBalance: Money
    notice: Annotated[str, Field(description="What kind of data this is.")]


def tool(services: Services) -> Tool[AccountSummaryArguments]:
    """Make the tool; its accounts live in the database and are made for a user on first use."""
    store: AccountStore = services.store

    async def summarise_accounts(call: Call[AccountSummaryArguments]) -> Answer:
        user_id, now = signed_in(call.caller, "account"), services.clock()
        return _answer(await accounts_of(user_id, store, now), day(now))

    return Tool(
        name="att-account-summary",
        title="Show my accounts",
        description=(
            "Show the signed-in user's accounts with balance, due date and saved payment methods (brand and last "
            "four digits only). Invented demonstration data."
        ),
        scopes=("account",),
        arguments=AccountSummaryArguments,
        output=AccountSummaryOutput,
        answer=summarise_accounts,
        meta=ACCOUNT.tool_meta,
    )


def _answer(accounts: tuple[Account, ...], today: date) -> Answer:
    entries = [_entry(account, today) for account in accounts]
    total = money(sum(account.balance_cents for account in accounts))
    head = f"{len(entries)} {'account' if len(entries) == 1 else 'accounts'}, {total['formatted']} in all. {NOTICE}"
    output = AccountSummaryOutput(accounts=entries, totalBalance=total, notice=NOTICE)
    return listing(head, map(_line, entries), output)


def _entry(account: Account, today: date) -> AccountEntry:
    return AccountEntry(
        id=account.account_id,
        name=account.name,
        kind=cast("AccountKind", account.kind),
        accountNumber=account.account_number,
        balance=money(account.balance_cents),
        dueDate=account.due_on,
        overdue=account.due_on is not None and account.due_on < today.isoformat(),
        autopay=account.autopay,
        paymentMethods=[
            PaymentMethodEntry(
                id=method.payment_method_id,
                brand=method.brand,
                lastFour=method.last_four,
                isDefault=method.is_default,
            )
            for method in account.payment_methods
        ],
    )


def _line(entry: AccountEntry) -> str:
    due = "nothing due" if entry["dueDate"] is None else f"due {entry['dueDate']}"
    late = " (overdue)" if entry["overdue"] else ""
    autopay = "autopay on" if entry["autopay"] else "autopay off"
    cards = ", ".join(
        f"{method['brand']} ending {method['lastFour']}{' (default)' if method['isDefault'] else ''}"
        for method in entry["paymentMethods"]
    )
    balance = entry["balance"]["formatted"]
    return f"{entry['name']}: {balance}, {due}{late}, {autopay}; pays by {cards or 'nothing saved'}."
