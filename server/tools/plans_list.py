"""att-plans-list: the plans on offer."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from server import resources
from server.services import Services
from server.toolkit import catalogue
from server.toolkit.money import Money, money
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing

ProductType = Literal["wireless", "internet", "prepaid"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A row of ``data/plans.json``; prices in US cents."""

    plan_id: str
    product_type: ProductType
    name: str
    tier: str
    badge: str | None
    price: int
    original_price: int | None
    price_note: str
    features: tuple[str, ...]


class PlansListArguments(Arguments):
    """What the tool is called with."""

    product_type: Literal["wireless", "internet", "prepaid", "all"] = Field(
        "all", description='"wireless", "internet", "prepaid" or "all"'
    )


class PlanEntry(TypedDict):
    """A plan on offer."""

    id: str
    productType: ProductType
    name: str
    tier: Annotated[str, Field(description="Where the plan stands among those of its product type.")]
    badge: Annotated[str | None, Field(description="A short label to show beside the name, or null.")]
    price: Annotated[Money, Field(description="What it costs now.")]
    originalPrice: Annotated[Money | None, Field(description="What it cost before a reduction, or null.")]
    priceNote: Annotated[str, Field(description="What the price is for, and on which conditions.")]
    features: list[str]


class PlansListOutput(TypedDict):
    """The plans of the product type asked for, cheapest first within each."""

    productType: Literal["wireless", "internet", "prepaid", "all"]
    count: Annotated[int, Field(ge=0, description="How many plans are listed.")]
    plans: list[PlanEntry]
    notice: Annotated[str, Field(description="What kind of data this is.")]


NOTICE = "Demonstration data: these plans and prices are invented."


def tool(_services: Services) -> Tool[PlansListArguments]:
    """Make the tool.

    Raises:
        catalogue.CatalogueError: ``data/plans.json`` cannot be used.
    """
    plans = catalogue.load(resources.directory("data"), "plans", _plan)

    async def list_plans(call: Call[PlansListArguments]) -> Answer:
        return _answer(call.arguments.product_type, plans)

    return Tool(
        name="att-plans-list",
        title="List plans",
        description=(
            "List AT&T wireless, internet and prepaid plans with tier, price, original price, price note and "
            "features. Use it to compare plans or to find what a plan costs. Invented demonstration data."
        ),
        scopes=("read",),
        arguments=PlansListArguments,
        output=PlansListOutput,
        answer=list_plans,
    )


def _plan(row: dict[str, Any]) -> Plan:
    return Plan(
        plan_id=row["id"],
        product_type=row["productType"],
        name=row["name"],
        tier=row["tier"],
        badge=row["badge"],
        price=row["priceCents"],
        original_price=row["originalPriceCents"],
        price_note=row["priceNote"],
        features=tuple(row["features"]),
    )


def _answer(kind: Literal["wireless", "internet", "prepaid", "all"], plans: tuple[Plan, ...]) -> Answer:
    kinds = [kind] if kind != "all" else ["wireless", "internet", "prepaid"]
    chosen = sorted(
        (plan for plan in plans if plan.product_type in kinds),
        key=lambda plan: (kinds.index(plan.product_type), plan.price, plan.plan_id),
    )
    output = PlansListOutput(
        productType=kind, count=len(chosen), plans=[_entry(plan) for plan in chosen], notice=NOTICE
    )
    what = f"{kind} plans" if kind != "all" else "plans"
    return listing(f"{len(chosen)} {what}. {NOTICE}", map(_line, chosen), output)


def _entry(plan: Plan) -> PlanEntry:
    return PlanEntry(
        id=plan.plan_id,
        productType=plan.product_type,
        name=plan.name,
        tier=plan.tier,
        badge=plan.badge,
        price=money(plan.price),
        originalPrice=None if plan.original_price is None else money(plan.original_price),
        priceNote=plan.price_note,
        features=list(plan.features),
    )


def _line(plan: Plan) -> str:
    badge = f", {plan.badge}" if plan.badge else ""
    before = "" if plan.original_price is None else f" (was {money(plan.original_price)['formatted']})"
    price = f"{money(plan.price)['formatted']}{before} {plan.price_note}"
    return f"{plan.name} ({plan.product_type}, {plan.tier}{badge}): {price}. {'; '.join(plan.features)}."
