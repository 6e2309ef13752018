"""The customers' accounts, for the tools."""

from typing import Any

from server.storage.driver import Driver, Script, Statement
from server.toolkit.account import Account, Line, PaymentMethod

_ACCOUNT = "account_id, user_id, name, kind, balance_cents, due_on, autopay, account_number, phone, zip_code"

_GET_ACCOUNTS = f"SELECT {_ACCOUNT} FROM accounts WHERE user_id = :user_id ORDER BY account_id"  # noqa: S608 - constants

_GET_ACCOUNT = f"SELECT {_ACCOUNT} FROM accounts WHERE account_id = :account_id"  # noqa: S608 - constants

_GET_GUEST_METHODS = """
SELECT payment_method_id, brand, last_four, is_default, open_to_guests FROM payment_methods
WHERE account_id = :account_id AND open_to_guests = 1 ORDER BY position"""

_GET_PAYMENT_METHODS = """
SELECT p.account_id, p.payment_method_id, p.brand, p.last_four, p.is_default, p.open_to_guests
FROM payment_methods p JOIN accounts a ON a.account_id = p.account_id
WHERE a.user_id = :user_id ORDER BY p.account_id, p.position"""

_GET_LINES = """
SELECT l.account_id, l.line_id, l.plan_id, l.device, l.device_since
FROM account_lines l JOIN accounts a ON a.account_id = l.account_id
WHERE a.user_id = :user_id ORDER BY l.account_id, l.position"""

_ADD_ACCOUNT = f"""
INSERT INTO accounts ({_ACCOUNT}, created_at)
VALUES (
    :account_id, :user_id, :name, :kind, :balance_cents, :due_on, :autopay, :account_number, :phone, :zip_code, :now
)"""  # noqa: S608 - constants

_COMPLETE_ACCOUNT = """
UPDATE accounts SET account_number = :account_number, phone = :phone, zip_code = :zip_code
WHERE account_id = :account_id AND user_id = :user_id AND account_number IS NULL
RETURNING 1"""

_OPEN_TO_GUESTS = """
UPDATE payment_methods SET open_to_guests = :open_to_guests WHERE payment_method_id = :payment_method_id"""

_ADD_PAYMENT_METHOD = """
INSERT INTO payment_methods (
    payment_method_id, account_id, position, brand, last_four, is_default, open_to_guests
) VALUES (
    :payment_method_id, :account_id, :position, :brand, :last_four, :is_default, :open_to_guests
)"""

_ADD_LINE = """
INSERT INTO account_lines (line_id, account_id, position, plan_id, device, device_since)
VALUES (:line_id, :account_id, :position, :plan_id, :device, :device_since)
ON CONFLICT (line_id) DO NOTHING"""


class SqlAccountStore:
    """`server.toolkit.accounts.AccountStore` in SQL."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def get_accounts(self, user_id: str) -> tuple[Account, ...]:
        """Give the user's accounts in the order of their ids; empty when there are none."""
        return await self._driver.read(_get_accounts(user_id))

    async def open_accounts(self, user_id: str, accounts: tuple[Account, ...], now: int) -> tuple[Account, ...]:
        """Keep these accounts for a user who has none, or fill in what those that there are lack."""
        return await self._driver.write(_open_accounts(user_id, accounts, now))


def _get_accounts(user_id: str) -> Script[tuple[Account, ...]]:
    user = {"user_id": user_id}
    accounts = yield Statement(_GET_ACCOUNTS, user)
    methods: dict[str, list[PaymentMethod]] = {}
    for account_id, method_id, brand, last_four, is_default, guests in (yield Statement(_GET_PAYMENT_METHODS, user)):
        method = PaymentMethod(method_id, brand, last_four, bool(is_default), bool(guests))
        methods.setdefault(account_id, []).append(method)
    lines: dict[str, list[Line]] = {}
    for account_id, *line in (yield Statement(_GET_LINES, user)):
        lines.setdefault(account_id, []).append(Line(*line))
    return tuple(_account(row, tuple(methods.get(row[0], ())), tuple(lines.get(row[0], ()))) for row in accounts)


def get_guest_account(account_id: str) -> Script[Account]:
    """Read an account as a guest may use it: with the payment methods that are open to guests, and without lines."""
    wanted = {"account_id": account_id}
    row = (yield Statement(_GET_ACCOUNT, wanted))[0]
    methods = yield Statement(_GET_GUEST_METHODS, wanted)
    return _account(row, tuple(PaymentMethod(a, b, c, bool(d), bool(e)) for a, b, c, d, e in methods), ())


def _account(row: tuple[Any, ...], methods: tuple[PaymentMethod, ...], lines: tuple[Line, ...]) -> Account:
    account_id, user_id, name, kind, balance_cents, due_on, autopay, number, phone, zip_code = row
    return Account(
        account_id, user_id, name, kind, balance_cents, due_on, bool(autopay), methods, number, phone, zip_code, lines
    )


def _open_accounts(user_id: str, accounts: tuple[Account, ...], now: int) -> Script[tuple[Account, ...]]:
    held = yield from _get_accounts(user_id)
    for account in accounts:
        if held:
            yield from _complete(account)
        else:
            yield from _add_account(user_id, account, now)
    return (yield from _get_accounts(user_id))


def _complete(account: Account) -> Script[None]:
    """Fill in what an account from before there were account numbers lacks."""
    about = {"account_id": account.account_id, "user_id": account.user_id}
    names = {"account_number": account.account_number, "phone": account.phone, "zip_code": account.zip_code}
    if not (yield Statement(_COMPLETE_ACCOUNT, {**about, **names})):
        return
    for method in account.payment_methods:
        opened = {"payment_method_id": method.payment_method_id, "open_to_guests": int(method.open_to_guests)}
        yield Statement(_OPEN_TO_GUESTS, opened)
    yield from _add_lines(account)


def _add_account(user_id: str, account: Account, now: int) -> Script[None]:
    yield Statement(
        _ADD_ACCOUNT,
        {
            "account_id": account.account_id,
            "user_id": user_id,
            "name": account.name,
            "kind": account.kind,
            "balance_cents": account.balance_cents,
            "due_on": account.due_on,
            "autopay": int(account.autopay),
            "account_number": account.account_number,
            "phone": account.phone,
            "zip_code": account.zip_code,
            "now": now,
        },
    )
    for position, method in enumerate(account.payment_methods):
        yield Statement(
            _ADD_PAYMENT_METHOD,
            {
                "payment_method_id": method.payment_method_id,
                "account_id": account.account_id,
                "position": position,
                "brand": method.brand,
                "last_four": method.last_four,
                "is_default": int(method.is_default),
                "open_to_guests": int(method.open_to_guests),
            },
        )
    yield from _add_lines(account)


def _add_lines(account: Account) -> Script[None]:
    for position, line in enumerate(account.lines):
        fields = {name: getattr(line, name) for name in line.__slots__}
        yield Statement(_ADD_LINE, {**fields, "account_id": account.account_id, "position": position})
