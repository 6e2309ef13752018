"""What is recommended to whom: offers, and what must be so of an account for each."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from server.catalogue.rows import Name, Names, Part, ProductType, Row, Text


class Condition(Part):
    """What must be so of an account, all of it; whatever is left out may be anyhow."""

    plans: Annotated[Names | None, Field(description="Ids of plans, one of which a line must be on.")] = None
    device_months: Annotated[int, Field(strict=True, ge=0, le=600, description="How old a line's device must be.")] = 0
    lines: Annotated[int, Field(strict=True, ge=1, le=100, description="How many lines must be so.")] = 1
    autopay: Annotated[bool | None, Field(strict=True, description="Whether autopay must be on, or off.")] = None
    lacks_plan: Annotated[Name | None, Field(description="The id of a plan that no line may be on.")] = None
    lacks: Annotated[ProductType | None, Field(description="A kind of account that the customer must not have.")] = None


class Recommendation(Row):
    """An offer to customers for whom it is something."""

    name: Name
    summary: Text
    price_cents: Annotated[
        int, Field(strict=True, ge=-100_000_000, le=100_000_000, description="US cents; negative is a discount.")
    ]
    price_note: Annotated[Text, Field(description="What the price is for.")]
    kinds: Annotated[tuple[ProductType, ...], Field(min_length=1, max_length=3, description="For such accounts.")]
    when: Condition
    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2_000,
            pattern=r"^([^{}]|\{(account|plan|device|months|lines)\})+$",
            description="Why, with {account}, {plan}, {device}, {months} or {lines} where the customer's own go.",
        ),
    ]

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def words(self) -> Iterator[str]:
        """Give summary and price note."""
        yield from (self.summary, self.price_note)
