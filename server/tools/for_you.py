"""att-for-you: offers that fit what the signed-in user has, with the reason for each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.recommendations import Condition, Recommendation
from server.catalogue.rows import Device, Plan
from server.services import Services
from server.toolkit.account import Account, Line
from server.toolkit.accounts import AccountStore, accounts_of, day, one_of, signed_in
from server.toolkit.money import Money, money
from server.toolkit.shelf import Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import OFFERS

NOTICE = "Demonstration data: these accounts, offers and prices are invented."


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody's accounts on a day, and what their plans and devices are called."""

    accounts: tuple[Account, ...]
    names: Mapping[str, str]
    today: date


class ForYouArguments(Arguments):
    """What the tool is called with."""

    account_id: str | None = Field(
        None,
        max_length=64,
        description="the id of an account as att-account-summary gives it; all of the user's accounts if left out",
    )


class OfferEntry(TypedDict):
    """An offer, and why it is made."""

    id: str
    title: str
    description: str
    price: Annotated[Money, Field(description="What it costs; negative is a discount.")]
    priceNote: Annotated[str, Field(description="What the price is for, and on which conditions.")]
    accountId: Annotated[str, Field(description="The account that it is for.")]
    reason: Annotated[str, Field(description="What about the account it was chosen for.")]


class ForYouOutput(TypedDict):
    """Offers for the signed-in user."""

    count: Annotated[int, Field(ge=0, description="How many offers there are.")]
    offers: list[OfferEntry]
    notice: Annotated[str, Field(description="What kind of data this is.")]


def tool(services: Services) -> Tool[ForYouArguments]:
    """Make the tool; offers come from the catalogue, accounts from the database."""
    store: AccountStore = services.store
    recommendations = Shelf(services.store, "recommendations", Recommendation)
    plans, devices = Shelf(services.store, "plans", Plan), Shelf(services.store, "devices", Device)

    async def offer(call: Call[ForYouArguments]) -> Answer:
        now = services.clock()
        accounts = await accounts_of(signed_in(call.caller, "account"), store, now)
        account_id = call.arguments.account_id
        chosen = accounts if account_id is None else (one_of(accounts, account_id),)
        names = {row.id: row.title for row in (*(await plans.rows()).all, *(await devices.rows()).all)}
        customer, offers = Customer(accounts, names, day(now)), (await recommendations.rows()).all
        return _answer([entry for account in chosen for entry in _fitting(account, customer, offers)])

    return Tool(
        name="att-for-you",
        title="Offers for me",
        description=(
            "Give offers chosen from the plans and devices on the signed-in user's accounts, each with the reason for "
            "it. Invented demonstration data."
        ),
        scopes=("account",),
        arguments=ForYouArguments,
        output=ForYouOutput,
        answer=offer,
        meta=OFFERS.tool_meta,
    )


def _fitting(account: Account, customer: Customer, offers: Iterable[Recommendation]) -> Iterator[OfferEntry]:
    """Give the offers that fit an account, in the catalogue's order."""
    for offer in offers:
        lines = _fitting_lines(account, offer.when, customer.today)
        if account.kind in offer.kinds and _fits(account, customer, offer.when) and len(lines) >= offer.when.lines:
            yield OfferEntry(
                id=offer.id,
                title=offer.name,
                description=offer.summary,
                price=money(offer.price_cents),
                priceNote=offer.price_note,
                accountId=account.account_id,
                reason=_reason(offer.reason, account, lines, customer),
            )


def _fits(account: Account, customer: Customer, when: Condition) -> bool:
    """Tell whether what is asked of the account as a whole, and of the customer's others, is so."""
    return (
        when.autopay in {None, account.autopay}
        and when.lacks_plan not in {line.plan_id for line in account.lines}
        and when.lacks not in {held.kind for held in customer.accounts}
    )


def _fitting_lines(account: Account, when: Condition, today: date) -> list[Line]:
    """Give the lines on such a plan and with such a device."""
    return [
        line
        for line in account.lines
        if (when.plans is None or line.plan_id in when.plans) and _months(line, today) >= when.device_months
    ]


def _reason(reason: str, account: Account, lines: list[Line], customer: Customer) -> str:
    """Put the customer's own into a reason: of the lines that fit, the one whose device is the oldest."""
    oldest = max(lines, key=lambda line: _months(line, customer.today))
    device = oldest.device or "device"
    return reason.format(
        account=account.name,
        plan=customer.names.get(oldest.plan_id, oldest.plan_id),
        device=customer.names.get(device, device),
        months=_months(oldest, customer.today),
        lines=len(lines),
    )


def _months(line: Line, today: date) -> int:
    """Count the whole months for which a line's device has been in use; none without a device."""
    if line.device is None or line.device_since is None:
        return 0
    since = date.fromisoformat(line.device_since)
    return (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)


def _answer(entries: list[OfferEntry]) -> Answer:
    data = ForYouOutput(count=len(entries), offers=entries, notice=NOTICE)
    head = f"{len(entries)} {'offer' if len(entries) == 1 else 'offers'}. {NOTICE}"
    return listing(
        head,
        (
            f"{entry['title']} ({entry['price']['formatted']} {entry['priceNote']}): {entry['description']} Why: "
            f"{entry['reason']}"
            for entry in entries
        ),
        data,
    )
