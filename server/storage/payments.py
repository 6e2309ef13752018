"""Quotes and the ledger of payments, for the tools."""

from server.oauth.audit import Event
from server.storage.accounts import get_guest_account
from server.storage.audit import insert
from server.storage.driver import Driver, Script, Statement, changed
from server.toolkit.account import Account
from server.toolkit.payments import (
    GUEST_WINDOW,
    MOST_BY_ACCOUNT,
    MOST_BY_CALLER,
    Guest,
    GuestRefusal,
    Payment,
    Quote,
)

_QUOTE = """quote_digest, payer, account_id, user_id, client_id, amount_cents, balance_cents,
    payment_method_id, brand, last_four, created_at, expires_at"""

_PAYMENT = """confirmation_number, quote_digest, payer, account_id, user_id, client_id, amount_cents,
    balance_before_cents, balance_after_cents, payment_method_id, brand, last_four, paid_at"""

_DROP_QUOTES = "DELETE FROM payment_quotes WHERE payer = :payer AND account_id = :account_id"

_ADD_QUOTE = f"""
INSERT INTO payment_quotes ({_QUOTE})
VALUES (
    :quote_digest, :payer, :account_id, :user_id, :client_id, :amount_cents, :balance_cents,
    :payment_method_id, :brand, :last_four, :created_at, :expires_at
)"""  # noqa: S608 - constants

_GET_QUOTE = f"SELECT {_QUOTE} FROM payment_quotes WHERE quote_digest = :quote_digest"  # noqa: S608 - constants

_DROP_QUOTE = "DELETE FROM payment_quotes WHERE quote_digest = :quote_digest RETURNING 1"

_GET_PAYMENT = f"SELECT {_PAYMENT} FROM payments WHERE quote_digest = :quote_digest"  # noqa: S608 - constants

_GET_RECENT_PAYMENT = f"""
SELECT {_PAYMENT} FROM payments
WHERE account_id = :account_id AND paid_at > :since AND payer = :payer
    AND (amount_cents = :amount OR :amount IS NULL AND balance_after_cents = 0)
ORDER BY paid_at DESC LIMIT 1"""  # noqa: S608 - constants

_GET_LAST_PAYMENT = f"""
SELECT {_PAYMENT} FROM payments
WHERE account_id = :account_id AND paid_at > :since AND payer = :payer
ORDER BY paid_at DESC, balance_after_cents LIMIT 1"""  # noqa: S608 - constants

# The compare-and-set: whoever confirms the same quote next, or another quote for the same balance, finds no row.

_LOWER_BALANCE = """
UPDATE accounts SET
    balance_cents = balance_cents - :amount_cents,
    due_on = CASE WHEN balance_cents = :amount_cents THEN NULL ELSE due_on END
WHERE account_id = :account_id AND balance_cents = :balance_before_cents AND balance_cents >= :amount_cents
    AND (:payer LIKE 'guest:%' OR :payer = 'user:' || user_id)
    AND EXISTS (
        SELECT 1 FROM payment_quotes q
        WHERE q.quote_digest = :quote_digest AND q.payer = :payer AND q.account_id = accounts.account_id
            AND q.amount_cents = :amount_cents AND q.expires_at > :paid_at
    )
    AND EXISTS (
        SELECT 1 FROM payment_methods m
        WHERE m.payment_method_id = :payment_method_id AND m.account_id = accounts.account_id
            AND (m.open_to_guests = 1 OR :payer NOT LIKE 'guest:%')
    )
RETURNING balance_cents"""

_ADD_PAYMENT = f"""
INSERT INTO payments ({_PAYMENT})
VALUES (
    :confirmation_number, :quote_digest, :payer, :account_id, :user_id, :client_id, :amount_cents,
    :balance_before_cents, :balance_after_cents, :payment_method_id, :brand, :last_four, :paid_at
)"""  # noqa: S608 - constants

_COUNT_FAILURES = """
SELECT coalesce(sum(failures), 0) FROM guest_failures WHERE holder_digest = :holder AND failed_at > :since"""

_ADD_FAILURE = """
INSERT INTO guest_failures (holder_digest, failed_at, failures) VALUES (:holder, :now, 1)
ON CONFLICT (holder_digest, failed_at) DO UPDATE SET failures = guest_failures.failures + 1"""

_FIND_GUEST_ACCOUNT = """
SELECT account_id FROM accounts
WHERE zip_code = :zip_code AND (account_number = :account_number OR phone = :phone)
LIMIT 2"""


class SqlPaymentStore:
    """The part of `server.toolkit.payments.PaymentStore` that is about payments, in SQL."""

    _driver: Driver

    async def identify_guest(self, guest: Guest, now: int) -> Account | GuestRefusal:
        """Give the account that a guest names, with the payment methods that are open to guests; count failures."""
        return await self._driver.write(_identify_guest(guest, now))

    async def get_recent_payment(self, payer: str, account_id: str, amount: int | None, since: int) -> Payment | None:
        """Give what a payer paid on an account after a time: an amount, or the whole balance; ``None`` if nothing."""
        return await self._driver.read(_get_recent_payment(payer, account_id, amount, since))

    async def get_last_payment(self, payer: str, account_id: str, since: int) -> Payment | None:
        """Give what a payer paid last on an account, if that was after a time."""
        return await self._driver.read(_get_last_payment(payer, account_id, since))

    async def add_quote(self, quote: Quote, since: int) -> Payment | None:
        """Keep a quote in place of the payer's others for the account; or give the equal payment made after a time."""
        return await self._driver.write(_add_quote(quote, since))

    async def get_quote(self, quote_digest: str) -> Quote | None:
        """Give a quote that was not confirmed, expired ones too, or ``None``."""
        return await self._driver.read(_get_quote(quote_digest))

    async def withdraw_quote(self, quote_digest: str) -> bool:
        """Remove a quote; ``False`` when there was none."""
        return await self._driver.write(changed(_DROP_QUOTE, quote_digest=quote_digest))

    async def get_payment(self, quote_digest: str) -> Payment | None:
        """Give what a quote led to, or ``None``."""
        return await self._driver.read(_get_payment(quote_digest))

    async def pay(self, payment: Payment, event: Event | None) -> Payment | None:
        """Enter a payment and lower the balance, if its quote and the balance are still as they were."""
        return await self._driver.write(_pay(payment, event))


def _identify_guest(guest: Guest, now: int) -> Script[Account | GuestRefusal]:
    holders = guest.holders()
    for holder, most in zip(holders, (MOST_BY_ACCOUNT, MOST_BY_CALLER), strict=True):
        count = yield Statement(_COUNT_FAILURES, {"holder": holder, "since": now - GUEST_WINDOW})
        if count[0][0] >= most:
            return GuestRefusal.LIMITED
    names = {"account_number": guest.account_number, "phone": guest.phone, "zip_code": guest.zip_code}
    found = yield Statement(_FIND_GUEST_ACCOUNT, names)
    if len(found) != 1:
        for holder in holders:
            yield Statement(_ADD_FAILURE, {"holder": holder, "now": now})
        return GuestRefusal.UNKNOWN
    return (yield from get_guest_account(found[0][0]))


def _get_recent_payment(payer: str, account_id: str, amount: int | None, since: int) -> Script[Payment | None]:
    wanted = {"payer": payer, "account_id": account_id, "amount": amount, "since": since}
    found = yield Statement(_GET_RECENT_PAYMENT, wanted)
    return Payment(*found[0]) if found else None


def _get_last_payment(payer: str, account_id: str, since: int) -> Script[Payment | None]:
    found = yield Statement(_GET_LAST_PAYMENT, {"payer": payer, "account_id": account_id, "since": since})
    return Payment(*found[0]) if found else None


def _add_quote(quote: Quote, since: int) -> Script[Payment | None]:
    made = yield from _get_recent_payment(quote.payer, quote.account_id, quote.amount_cents, since)
    if made is not None:
        return made
    yield Statement(_DROP_QUOTES, {"payer": quote.payer, "account_id": quote.account_id})
    yield Statement(_ADD_QUOTE, {name: getattr(quote, name) for name in quote.__slots__})
    return None


def _get_quote(quote_digest: str) -> Script[Quote | None]:
    found = yield Statement(_GET_QUOTE, {"quote_digest": quote_digest})
    return Quote(*found[0]) if found else None


def _get_payment(quote_digest: str) -> Script[Payment | None]:
    found = yield Statement(_GET_PAYMENT, {"quote_digest": quote_digest})
    return Payment(*found[0]) if found else None


def _pay(payment: Payment, event: Event | None) -> Script[Payment | None]:
    values = {name: getattr(payment, name) for name in payment.__slots__}
    if not (yield Statement(_LOWER_BALANCE, values)):
        return (yield from _get_payment(payment.quote_digest))
    yield Statement(_ADD_PAYMENT, values)
    yield Statement(_DROP_QUOTE, {"quote_digest": payment.quote_digest})
    if event is not None:
        yield insert(event)
    return payment
