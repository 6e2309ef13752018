"""att-account-summary."""

from dataclasses import dataclass
from typing import Protocol


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
