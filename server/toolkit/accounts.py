"""Whose accounts a caller sees."""

from datetime import UTC, date, datetime
from typing import Protocol

from mcp.server.auth.provider import AccessToken
from mcp.server.mcpserver.exceptions import ToolError

from server.toolkit.account import Account
from server.toolkit.demonstration import demonstration_accounts


class AccountStore(Protocol):
    """Accounts of signed-in users, kept durably; every method raises `StoreUnavailable` as the store does."""

    async def get_accounts(self, user_id: str) -> tuple[Account, ...]:
        """Give the user's accounts in the order of their ids; empty when there are none."""

    async def open_accounts(self, user_id: str, accounts: tuple[Account, ...], now: int) -> tuple[Account, ...]:
        """Keep these accounts for a user who has none, and give what the user has then.

        Of an account that the user has already, what it lacks is filled in: number, phone, ZIP code and lines.
        """


def signed_in(token: AccessToken | None, scope: str) -> str:
    """Give the id of the user whose token makes the call.

    Args:
        token: The caller's.
        scope: What a token needs for it, for the message.

    Raises:
        ToolError: Nobody is signed in.
    """
    if token is None:
        raise ToolError(f"Nobody is signed in. Connect with an access token of scope {scope}, then call again.")
    if not token.subject:
        raise ToolError(
            "Nobody is signed in: this token belongs to an application, which has no accounts of its own. "
            "Connect as a person, through the sign-in page, then call again."
        )
    return token.subject


async def accounts_of(user_id: str, store: AccountStore, now: int) -> tuple[Account, ...]:
    """Give a user's accounts; invented ones are made at the first use, and completed where they lack something."""
    accounts = await store.get_accounts(user_id)
    if all(account.account_number is not None for account in accounts) and accounts:
        return accounts
    invented = demonstration_accounts(user_id, day(now))
    if accounts and {account.account_id for account in accounts}.isdisjoint(a.account_id for a in invented):
        return accounts
    return await store.open_accounts(user_id, invented, now)


def one_of(accounts: tuple[Account, ...], account_id: str | None) -> Account:
    """Give the account of this id, or the only one there is.

    Raises:
        ToolError: There is none of this id, or several and none was named; the message lists them.
    """
    found = [account for account in accounts if account_id in {None, account.account_id}]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{account.account_id} ({account.name})" for account in accounts)
    if account_id is None:
        raise ToolError(f"There are several accounts: say which by accountId. They are {known}.")
    raise ToolError(f"The signed-in user has no account of that id. The accounts are {known}.")


def day(now: int) -> date:
    """Give the day in UTC of a time in Unix seconds."""
    return datetime.fromtimestamp(now, UTC).date()
