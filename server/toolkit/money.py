"""Money on the wire: exact cents for programs, formatted dollars for people."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class Money(TypedDict):
    """An amount of US dollars."""

    cents: Annotated[int, Field(description="The amount in US cents.")]
    formatted: Annotated[str, Field(description="The same amount as text, such as $75.00.")]


def money(cents: int) -> Money:
    """Give an amount of integer US cents in both forms; a credit is negative, as in ``-$5.00``."""
    dollars, rest = divmod(abs(cents), 100)
    return Money(cents=cents, formatted=f"{'-' if cents < 0 else ''}${dollars:,}.{rest:02}")
