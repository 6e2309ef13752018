"""How a payment comes about: a quote, its confirmation, and each of them as often as a client likes to repeat it."""

from dataclasses import dataclass

from mcp.server.mcpserver.exceptions import ToolError

from server.oauth import tokens
from server.oauth.audit import Event, Kind
from server.services import Services
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.money import money
from server.toolkit.noting import noted
from server.toolkit.payments import (
    QUOTE,
    QUOTE_TTL,
    REMINDER,
    Guest,
    GuestRefusal,
    Payer,
    Payment,
    PaymentStore,
    Quote,
    payment_of,
)

NO_QUOTE = (
    "This quote is not known here, has expired, or was replaced or withdrawn, so this call charged nothing. Call again "
    "without quoteToken for a new quote."
)
OTHER_QUOTE = (
    "This quote is for another amount, account or payment method, so nothing was charged. Call again with the token "
    "and the details that were quoted, or without quoteToken for a new quote."
)
OVERTAKEN = (
    "The balance or the payment method has changed since the quote was made, so nothing was charged. Call again "
    "without quoteToken for a new quote."
)
NO_GUEST = (
    "No account could be found for this account number or phone number together with this ZIP code. Check them with "
    "the person who pays."
)
TOO_OFTEN = "This was tried too often with details that did not fit. Try again in an hour."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller said about a payment; ``None`` where nothing was said."""

    account_id: str | None
    amount_cents: int | None
    method_id: str | None

    def fits(self, quote: Quote) -> bool:
        """Tell whether a quote is for this."""
        pairs = (
            (self.account_id, quote.account_id),
            (self.amount_cents, quote.amount_cents),
            (self.method_id, quote.payment_method_id),
        )
        return all(said in {None, quoted} for said, quoted in pairs)


@dataclass(frozen=True, slots=True)
class Till:
    """Where payments are made."""

    store: PaymentStore
    services: Services

    async def identify(self, guest: Guest) -> Account:
        """Give the account that a guest names.

        Raises:
            ToolError: There is none, whatever part of the name was wrong; or it was tried too often.
        """
        found = await self.store.identify_guest(guest, self.services.clock())
        if isinstance(found, GuestRefusal):
            raise ToolError(TOO_OFTEN if found is GuestRefusal.LIMITED else NO_GUEST)
        return found

    async def quote(self, payer: Payer, account: Account, wanted: Wanted) -> tuple[Quote, str] | Payment:
        """Offer a payment.

        Returns:
            The quote with its token; or the equal payment that the same payer has just made, which this call then
            repeats.

        Raises:
            ToolError: The amount or the payment method cannot be.
        """
        now = self.services.clock()
        since, amount = now - QUOTE_TTL, wanted.amount_cents
        made = await self.store.get_recent_payment(payer.name, account.account_id, amount, since)
        if made is not None and (amount is not None or account.balance_cents <= 0):
            return made
        token = tokens.make(QUOTE, self.services.entropy)
        amount, method = _amount(account, amount), _method(account, wanted.method_id)
        quote = Quote(
            tokens.digest(token),
            payer.name,
            account.account_id,
            payer.user_id,
            payer.client_id,
            amount,
            account.balance_cents,
            method.payment_method_id,
            method.brand,
            method.last_four,
            now,
            now + QUOTE_TTL,
        )
        return await self.store.add_quote(quote, since) or (quote, token)

    async def reminder(self, quote: Quote) -> Payment | None:
        """Give what was paid last by the payer of a quote on its account, within a day."""
        return await self.store.get_last_payment(quote.payer, quote.account_id, quote.created_at - REMINDER)

    async def pay(self, payer: Payer, wanted: Wanted, token: str) -> tuple[Payment, bool]:
        """Pay a quote.

        Returns:
            The one payment that the quote leads to, and whether an earlier call had made it.

        Raises:
            ToolError: The quote is not this payer's, not good any more, or for something else; nothing was paid.
        """
        quote, now = await self.find(payer, token), self.services.clock()
        if quote is None:
            return await self._receipt(payer, wanted, token), True
        if quote.expires_at <= now:
            raise ToolError(NO_QUOTE)
        if not wanted.fits(quote):
            raise ToolError(OTHER_QUOTE)
        payment = payment_of(quote, now)
        entered = await self.store.pay(payment, self._event(payment))
        if entered is None:
            raise ToolError(OVERTAKEN)
        return entered, entered is not payment

    async def _receipt(self, payer: Payer, wanted: Wanted, token: str) -> Payment:
        """Give what a quote led to that is no longer there: it goes in the transaction that pays it."""
        made = await self.store.get_payment(tokens.digest(token))
        if made is None or made.payer != payer.name or wanted.account_id not in {None, made.account_id}:
            raise ToolError(NO_QUOTE)
        return made

    async def withdraw(self, payer: Payer, wanted: Wanted, token: str) -> Quote | Payment:
        """Make sure that a quote will not be paid.

        Returns:
            The quote; or the payment, when it has been paid.

        Raises:
            ToolError: It is not this payer's.
        """
        quote = await self.find(payer, token)
        if quote is None or not await self.store.withdraw_quote(quote.quote_digest):
            return await self._receipt(payer, wanted, token)
        return quote

    async def find(self, payer: Payer, token: str) -> Quote | None:
        """Give the quote of a token, if it is this payer's."""
        quote = await self.store.get_quote(tokens.digest(token))
        return quote if quote is not None and quote.payer == payer.name else None

    def _event(self, payment: Payment) -> Event | None:
        """Say who paid how much."""
        paid = f"{money(payment.amount_cents)['formatted']} on {payment.account_id} as {payment.confirmation_number}"
        who = {"client_id": payment.client_id, "user_id": payment.user_id}
        return noted(self.services, Kind.PAYMENT_MADE, payment.paid_at, **who, detail=paid)


def _amount(account: Account, wanted: int | None) -> int:
    due = money(account.balance_cents)["formatted"]
    if account.balance_cents <= 0:
        raise ToolError(f"Nothing is due on this account (its balance is {due}), so there is nothing to pay.")
    if wanted is not None and wanted > account.balance_cents:
        raise ToolError(f"amountCents is more than what is due, which is {due} ({account.balance_cents} cents).")
    return wanted if wanted is not None else account.balance_cents


def _method(account: Account, wanted: str | None) -> PaymentMethod:
    methods = {method.payment_method_id: method for method in account.payment_methods}
    if not methods:
        raise ToolError("No payment method that could be used here is saved on this account, and none is taken here.")
    if wanted is not None and wanted not in methods:
        raise ToolError("No payment method of that id that could be used here is saved on this account.")
    if wanted is not None:
        return methods[wanted]
    return next((method for method in account.payment_methods if method.is_default), account.payment_methods[0])
