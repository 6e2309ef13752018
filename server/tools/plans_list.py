"""att-plans-list: the plans on offer."""

from typing import Annotated, Literal, get_args

from pydantic import Field
from typing_extensions import TypedDict

from server.catalogue.rows import Plan, ProductType
from server.services import Services
from server.toolkit.catalogue import DATA, Notice, with_notice
from server.toolkit.money import Money, money
from server.toolkit.shelf import Rows, Shelf
from server.toolkit.tool import Answer, Arguments, Call, Tool, listing
from server.toolkit.widgets import PLANS

Wanted = Literal[ProductType, "all"]
_ORDER: tuple[ProductType, ...] = get_args(ProductType)


class PlansListArguments(Arguments):
    """What the tool is called with."""

    product_type: Wanted = Field("all", description='"wireless", "internet", "prepaid" or "all"')


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

    productType: Wanted
    count: Annotated[int, Field(ge=0, description="How many plans are listed.")]
    plans: list[PlanEntry]
    notice: Notice


def tool(services: Services) -> Tool[PlansListArguments]:
    """Make the tool."""
    plans = Shelf(services.store, "plans", Plan)

    async def list_plans(call: Call[PlansListArguments]) -> Answer:
        return _answer(call.arguments.product_type, await plans.rows())

    return Tool(
        name="att-plans-list",
        title="List plans",
        description=(
            "List AT&T wireless, internet and prepaid plans with tier, price, original price, price note and "
            f"features. Use it to compare plans or to find what a plan costs. {DATA}"
        ),
        scopes=("read",),
        arguments=PlansListArguments,
        output=PlansListOutput,
        answer=list_plans,
        meta=PLANS.tool_meta,
    )


def _answer(kind: Wanted, plans: Rows[Plan]) -> Answer:
    chosen = sorted(
        (plan for plan in plans.all if kind in {"all", plan.product_type}),
        key=lambda plan: (_ORDER.index(plan.product_type), plan.price_cents, plan.id),
    )
    entries = [_entry(plan) for plan in chosen]
    head = f"{len(entries)} {'' if kind == 'all' else f'{kind} '}plans."
    output = PlansListOutput(productType=kind, count=len(entries), plans=entries, notice=plans.notice)
    return listing(with_notice(head, plans.notice), map(_line, entries), output)


def _entry(plan: Plan) -> PlanEntry:
    return PlanEntry(
        id=plan.id,
        productType=plan.product_type,
        name=plan.name,
        tier=plan.tier,
        badge=plan.badge,
        price=money(plan.price_cents),
        originalPrice=None if plan.original_price_cents is None else money(plan.original_price_cents),
        priceNote=plan.price_note,
        features=list(plan.features),
    )


def _line(plan: PlanEntry) -> str:
    badge = f", {plan['badge']}" if plan["badge"] else ""
    before = f" (was {plan['originalPrice']['formatted']})" if plan["originalPrice"] else ""
    price = f"{plan['price']['formatted']}{before} {plan['priceNote']}"
    return f"{plan['name']} ({plan['productType']}, {plan['tier']}{badge}): {price}. {'; '.join(plan['features'])}."
