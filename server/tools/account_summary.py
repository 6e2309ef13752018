"""att-account-summary: the signed-in user's accounts."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Protocol, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.services import Services
from server.toolkit.money import Money, money
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing

NOTICE = "Demonstration data: these accounts and payment methods are invented."

AccountKind = Literal["wireless", "internet", "prepaid"]


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A saved payment method: never more than its brand and last four digits."""

    payment_method_id: str
    brand: str
    last_four: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A customer account; money in integer US cents."""

    account_id: str
    user_id: str
    name: str
    kind: str
    """``wireless``, ``internet`` or ``prepaid``."""
    balance_cents: int
    due_on: str | None
    """The due date of the balance, ``YYYY-MM-DD``."""
    autopay: bool
    payment_methods: tuple[PaymentMethod, ...]


class AccountStore(Protocol):
    """Accounts of signed-in users, kept durably; every method raises `StoreUnavailable` as the store does."""

    async def get_accounts(self, user_id: str) -> tuple[Account, ...]:
        """Give the user's accounts in the order of their ids; empty when there are none."""

    async def open_accounts(self, user_id: str, accounts: tuple[Account, ...], now: int) -> tuple[Account, ...]:
        """Keep these accounts for a user who has none, and give what the user has then."""


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
        token = call.caller
        if token is None:
            raise ToolError("Nobody is signed in. Connect with an access token of scope account, then call again.")
        if not token.subject:
            raise ToolError(
                "Nobody is signed in: this token belongs to an application, which has no accounts of its own. "
                "Connect as a person, through the sign-in page, then call again."
            )
        now = services.clock()
        today = datetime.fromtimestamp(now, UTC).date()
        accounts = await store.get_accounts(token.subject)
        if not accounts:
            accounts = await store.open_accounts(token.subject, demonstration_accounts(token.subject, today), now)
        return _answer(accounts, today)

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
    )


def demonstration_accounts(user_id: str, today: date) -> tuple[Account, ...]:
    """Invent a user's accounts: one to three of them, the same for the same user and day."""
    digest = hashlib.sha256(user_id.encode()).digest()
    kinds: tuple[AccountKind, ...] = ("wireless", "internet", "prepaid")
    chosen = kinds[: 1 + digest[0] % len(kinds)]
    return tuple(_demonstration_account(user_id, kind, today) for kind in chosen)


def _demonstration_account(user_id: str, kind: AccountKind, today: date) -> Account:
    digest = hashlib.sha256(f"{kind}\n{user_id}".encode()).digest()
    account_id = f"demo-{kind}-{digest.hex()[:20]}"
    balance = 0 if digest[0] % 8 == 0 else 1_500 + int.from_bytes(digest[1:3]) % 24_000
    brands = ("Visa", "Mastercard", "American Express", "Discover")
    methods = tuple(
        PaymentMethod(
            payment_method_id=f"{account_id}-card-{number}",
            brand=brands[digest[4 + number] % len(brands)],
            last_four=f"{int.from_bytes(digest[8 + 2 * number : 10 + 2 * number]) % 10_000:04}",
            is_default=number == 1,
        )
        for number in range(1, 2 + digest[3] % 2)
    )
    return Account(
        account_id=account_id,
        user_id=user_id,
        name=f"Demonstration {kind} account",
        kind=kind,
        balance_cents=balance,
        due_on=(today + timedelta(days=5 + digest[4] % 21)).isoformat() if balance else None,
        autopay=digest[5] % 2 == 0,
        payment_methods=methods,
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
