"""Payments: a quote is confirmed at most once, and the ledger says what came of it."""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from mcp.server.auth.provider import AccessToken

from server.oauth import tokens
from server.oauth.audit import Event
from server.toolkit.account import Account
from server.toolkit.accounts import AccountStore

QUOTE = "att_pq_"
QUOTE_TTL = 600
"""Seconds for which a quote is good, and for which an equal payment counts as the same one."""

REMINDER = 86_400
"""Seconds for which whoever is asked to pay is reminded of what they paid before."""

GUEST_WINDOW = 3_600
"""Seconds for which a guest's failures count."""
MOST_BY_ACCOUNT = 5
"""Failures in that time after which an account can no longer be named, nor guessed at."""
MOST_BY_CALLER = 20
"""Failures in that time after which a caller can no longer name any."""

_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
_CONFIRMATION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: an account's owner, or a guest."""

    name: str
    """Equal for the same owner, or for a guest with the same token holder."""
    user_id: str | None
    client_id: str | None

    @classmethod
    def owner(cls, user_id: str, token: AccessToken | None) -> "Payer":
        """Name the user who pays from an account of their own, whichever application they use."""
        return cls(f"user:{user_id}", user_id, token.client_id if token else None)

    @classmethod
    def guest(cls, token: AccessToken | None) -> "Payer":
        """Name a guest by the application and user of the token; nobody in particular where there is none."""
        user_id, client_id = (token.subject, token.client_id) if token else (None, None)
        return cls(f"guest:{json.dumps([client_id, user_id])}", user_id, client_id)


@dataclass(frozen=True, slots=True)
class Guest:
    """An account as a guest names it."""

    account_number: str | None
    phone: str | None
    """Ten digits."""
    zip_code: str
    payer: Payer

    @classmethod
    def named(cls, account_number: str | None, phone: str | None, zip_code: str, payer: Payer) -> "Guest":
        """Read an account number and a phone number in whatever way they are written."""
        if account_number is not None:
            letters = account_number.replace("-", "").upper()
            account_number = f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
        digits = re.sub(r"[^0-9]", "", phone or "")
        return cls(account_number, digits[-10:] or None, zip_code, payer)

    def holders(self) -> tuple[str, str]:
        """Give the digests by which failures are counted: what was named, and who named it."""
        named = f"account\n{self.account_number or self.phone}"
        return tokens.digest(named), tokens.digest(f"caller\n{self.payer.name}")


class GuestRefusal(Enum):
    """Why a guest is not let near an account."""

    UNKNOWN = "unknown"
    """There is no such account, it has another ZIP code, or several would fit."""
    LIMITED = "limited"
    """It was tried too often."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A payment that waits to be confirmed; money in integer US cents."""

    quote_digest: str
    payer: str
    account_id: str
    user_id: str | None
    client_id: str | None
    amount_cents: int
    balance_cents: int
    """The balance that it was made for: it is good for no other."""
    payment_method_id: str
    brand: str
    last_four: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of the ledger; money in integer US cents."""

    confirmation_number: str
    quote_digest: str
    payer: str
    account_id: str
    user_id: str | None
    client_id: str | None
    amount_cents: int
    balance_before_cents: int
    balance_after_cents: int
    payment_method_id: str
    brand: str
    last_four: str
    paid_at: int


class PaymentStore(AccountStore, Protocol):
    """Quotes and the ledger, kept durably; every method raises `StoreUnavailable` as the store does."""

    async def identify_guest(self, guest: Guest, now: int) -> Account | GuestRefusal:
        """Give the account that a guest names, with the payment methods that are open to guests; count failures."""

    async def get_recent_payment(self, payer: str, account_id: str, amount: int | None, since: int) -> Payment | None:
        """Give what a payer paid on an account after a time: an amount, or the whole balance; ``None`` if nothing."""

    async def get_last_payment(self, payer: str, account_id: str, since: int) -> Payment | None:
        """Give what a payer paid last on an account, if that was after a time."""

    async def add_quote(self, quote: Quote, since: int) -> Payment | None:
        """Keep a quote in place of the payer's others for the account; or give the equal payment made after a time."""

    async def get_quote(self, quote_digest: str) -> Quote | None:
        """Give a quote that was not confirmed, expired ones too, or ``None``."""

    async def withdraw_quote(self, quote_digest: str) -> bool:
        """Remove a quote; ``False`` when there was none."""

    async def get_payment(self, quote_digest: str) -> Payment | None:
        """Give what a quote led to, or ``None``."""

    async def pay(self, payment: Payment, event: Event | None) -> Payment | None:
        """Enter a payment and lower the balance, if its quote and the balance are still as they were.

        Returns:
            This payment; or the one that was entered for the quote before; or ``None`` when nothing was entered.
        """


def payment_of(quote: Quote, now: int) -> Payment:
    """Make the payment that a quote leads to."""
    return Payment(
        confirmation_number(quote.quote_digest),
        quote.quote_digest,
        quote.payer,
        quote.account_id,
        quote.user_id,
        quote.client_id,
        quote.amount_cents,
        quote.balance_cents,
        quote.balance_cents - quote.amount_cents,
        quote.payment_method_id,
        quote.brand,
        quote.last_four,
        now,
    )


def confirmation_number(quote_digest: str) -> str:
    """Derive the one confirmation number of a quote: twelve consonants, which spell no word and no card number."""
    number = int.from_bytes(hashlib.sha256(f"confirmation\n{quote_digest}".encode()).digest())
    letters = ""
    for _ in range(_CONFIRMATION_LENGTH):
        number, place = divmod(number, len(_CONSONANTS))
        letters += _CONSONANTS[place]
    return f"DEMO-{letters[:4]}-{letters[4:8]}-{letters[8:]}"
