"""The customers' accounts, for the tools."""

from server.storage.driver import Driver, Script, Statement
from server.tools.account_summary import Account, PaymentMethod

_GET_ACCOUNTS = """
SELECT account_id, user_id, name, kind, balance_cents, due_on, autopay
FROM accounts WHERE user_id = :user_id ORDER BY account_id"""

_GET_PAYMENT_METHODS = """
SELECT p.account_id, p.payment_method_id, p.brand, p.last_four, p.is_default
FROM payment_methods p JOIN accounts a ON a.account_id = p.account_id
WHERE a.user_id = :user_id ORDER BY p.account_id, p.position"""

_ADD_ACCOUNT = """
INSERT INTO accounts (account_id, user_id, name, kind, balance_cents, due_on, autopay, created_at)
VALUES (:account_id, :user_id, :name, :kind, :balance_cents, :due_on, :autopay, :now)"""

_ADD_PAYMENT_METHOD = """
INSERT INTO payment_methods (payment_method_id, account_id, position, brand, last_four, is_default)
VALUES (:payment_method_id, :account_id, :position, :brand, :last_four, :is_default)"""


class SqlAccountStore:
    """`server.tools.account_summary.AccountStore` in SQL."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def get_accounts(self, user_id: str) -> tuple[Account, ...]:
        """Give the user's accounts in the order of their ids; empty when there are none."""
        return await self._driver.read(_get_accounts(user_id))

    async def open_accounts(self, user_id: str, accounts: tuple[Account, ...], now: int) -> tuple[Account, ...]:
        """Keep these accounts for a user who has none, and give what the user has then."""
        return await self._driver.write(_open_accounts(user_id, accounts, now))


def _get_accounts(user_id: str) -> Script[tuple[Account, ...]]:
    user = {"user_id": user_id}
    accounts = yield Statement(_GET_ACCOUNTS, user)
    methods: dict[str, list[PaymentMethod]] = {}
    for account_id, payment_method_id, brand, last_four, is_default in (yield Statement(_GET_PAYMENT_METHODS, user)):
        method = PaymentMethod(payment_method_id, brand, last_four, bool(is_default))
        methods.setdefault(account_id, []).append(method)
    return tuple(
        Account(account_id, owner, name, kind, balance, due_on, bool(autopay), tuple(methods.get(account_id, ())))
        for account_id, owner, name, kind, balance, due_on, autopay in accounts
    )


def _open_accounts(user_id: str, accounts: tuple[Account, ...], now: int) -> Script[tuple[Account, ...]]:
    held = yield from _get_accounts(user_id)
    if held:
        return held
    for account in accounts:
        yield from _add_account(user_id, account, now)
    return (yield from _get_accounts(user_id))


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
            },
        )
