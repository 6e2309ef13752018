"""att-internet-backup-offer: how to stay online when the home internet fails."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.rows import Offer, Plan, ProductType
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.money import Money, money
from server.toolkit.shelf import Rows, Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import OFFERS


class InternetBackupOfferArguments(Arguments):
    """What the tool is called with."""

    internet_plan_id: str | None = Field(
        None, min_length=1, max_length=100, description="the id of an internet plan, as att-plans-list gives it"
    )
    wireless_plan_id: str | None = Field(
        None, min_length=1, max_length=100, description="the id of a wireless plan, as att-plans-list gives it"
    )


class PlanReference(TypedDict):
    """A plan that an offer goes with."""

    id: str
    name: str


class OfferEntry(TypedDict):
    """A way to stay online."""

    id: str
    name: str
    summary: str
    price: Money
    priceNote: Annotated[str, Field(description="What the price is for, and on which conditions.")]
    eligible: Annotated[
        bool | None, Field(description="Whether it can be had with the plans that were named; null if more is needed.")
    ]
    reason: Annotated[str, Field(description="Why it can be had or not, or what is needed to tell.")]
    internetPlans: Annotated[
        list[PlanReference], Field(description="It needs one of these; none if the list is empty.")
    ]
    wirelessPlans: Annotated[list[PlanReference], Field(description="And one of these; none if the list is empty.")]
    backupData: str
    equipment: str
    howItWorks: list[str]
    terms: str


class InternetBackupOfferOutput(TypedDict):
    """Every offer, those that can be had first."""

    count: Annotated[int, Field(ge=0, description="How many offers there are.")]
    offers: list[OfferEntry]
    notice: Notice


def tool(services: Services) -> Tool[InternetBackupOfferArguments]:
    """Make the tool."""
    offers = Shelf(services.store, "offers", Offer)
    plans = Shelf(services.store, "plans", Plan)

    async def plan_ids(product_type: ProductType) -> list[str]:
        return _ids(product_type, await plans.rows())

    async def show_offers(call: Call[InternetBackupOfferArguments]) -> Answer:
        known = await plans.rows()
        internet, wireless = call.arguments.internet_plan_id, call.arguments.wireless_plan_id
        _check("internet", internet, known)
        _check("wireless", wireless, known)
        return _answer(internet, wireless, await offers.rows(), known)

    return Tool(
        name="att-internet-backup-offer",
        title="Show internet backup",
        description=(
            "Show how the home stays online when the internet connection fails: what backup costs, what it carries, "
            "how it works and with which plans it can be had. Name the household's plans to learn whether it "
            f"qualifies. {DATA}"
        ),
        scopes=("read",),
        arguments=InternetBackupOfferArguments,
        output=InternetBackupOfferOutput,
        answer=show_offers,
        meta=OFFERS.tool_meta,
        choices={"internetPlanId": partial(plan_ids, "internet"), "wirelessPlanId": partial(plan_ids, "wireless")},
    )


def _ids(product_type: ProductType, plans: Rows[Plan]) -> list[str]:
    return [plan.id for plan in plans.all if plan.product_type == product_type]


def _check(product_type: ProductType, plan_id: str | None, plans: Rows[Plan]) -> None:
    """Make sure that a plan, if one is named, is one of its type.

    Raises:
        ToolError: It is not; the sentence says which there are.
    """
    known = _ids(product_type, plans)
    if plan_id is not None and plan_id not in known:
        raise ToolError(f'There is no {product_type} plan "{plan_id[:80]}"; there are {", ".join(known) or "none"}.')


def _answer(internet: str | None, wireless: str | None, offers: Rows[Offer], plans: Rows[Plan]) -> Answer:
    entries = [_entry(offer, internet, wireless, plans) for offer in offers.all]
    entries.sort(key=lambda entry: (True, None, False).index(entry["eligible"]))
    output = InternetBackupOfferOutput(count=len(entries), offers=entries, notice=offers.notice)
    head = f"{len(entries)} {'way' if len(entries) == 1 else 'ways'} to stay online when the home internet fails."
    return listing(with_notice(head, offers.notice), map(_line, entries), output)


def _entry(offer: Offer, internet: str | None, wireless: str | None, plans: Rows[Plan]) -> OfferEntry:
    eligible, reason = _judge(offer, internet, wireless)
    return OfferEntry(
        id=offer.id,
        name=offer.name,
        summary=offer.summary,
        price=money(offer.price_cents),
        priceNote=offer.price_note,
        eligible=eligible,
        reason=reason,
        internetPlans=_references(offer.internet_plans, plans),
        wirelessPlans=_references(offer.wireless_plans, plans),
        backupData=offer.backup_data,
        equipment=offer.equipment,
        howItWorks=list(offer.how_it_works),
        terms=offer.terms,
    )


def _judge(offer: Offer, internet: str | None, wireless: str | None) -> tuple[bool | None, str]:
    """Say whether an offer can be had with these plans, and why."""
    wanted = ((internet, offer.internet_plans, "internet"), (wireless, offer.wireless_plans, "wireless"))
    for plan_id, accepted, product_type in wanted:
        if accepted and plan_id is not None and plan_id not in accepted:
            return False, f"It does not go with the {product_type} plan {plan_id}."
    for plan_id, accepted, product_type in wanted:
        if accepted and plan_id is None:
            return None, f"It depends on the {product_type} plan."
    if offer.internet_plans or offer.wireless_plans:
        return True, "It goes with the plans that were named."
    return True, "It needs no plan."


def _references(plan_ids: Sequence[str], plans: Rows[Plan]) -> list[PlanReference]:
    known = (plans.by_id[plan_id] for plan_id in plan_ids if plan_id in plans.by_id)
    return [PlanReference(id=plan.id, name=plan.name) for plan in known]


def _line(entry: OfferEntry) -> str:
    steps = "; ".join(entry["howItWorks"])
    price = f"{entry['price']['formatted']} {entry['priceNote']}"
    return (
        f"{entry['name']}: {entry['summary']} {price}. {entry['reason']} {entry['backupData']}. "
        f"{entry['equipment']} How it works: {steps}. {entry['terms']}"
    )
