"""The customers' accounts, for the tools."""

from server.storage import statements as sql
from server.storage.driver import Driver, Script, Statement
from server.tools.account_summary import Account, PaymentMethod


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
    accounts = yield Statement(sql.GET_ACCOUNTS, user)
    methods: dict[str, list[PaymentMethod]] = {}
    for account_id, payment_method_id, brand, last_four, is_default in (yield Statement(sql.GET_PAYMENT_METHODS, user)):
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
        sql.ADD_ACCOUNT,
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
            sql.ADD_PAYMENT_METHOD,
            {
                "payment_method_id": method.payment_method_id,
                "account_id": account.account_id,
                "position": position,
                "brand": method.brand,
                "last_four": method.last_four,
                "is_default": int(method.is_default),
            },
        )
