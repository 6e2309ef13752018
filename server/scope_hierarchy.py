"""``OAUTH_SCOPE_IMPLIES``: which scope holds another, as pairs."""

from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo


def _pair(value: object) -> object:
    """Take ``write>read`` apart: the wider scope first."""
    if not isinstance(value, str):
        return value
    wider, narrower = (part.strip() for part in value.partition(">")[::2])
    if not (wider and narrower):
        raise ValueError("not a pair")
    return wider, narrower


Pairs = tuple[Annotated[tuple[str, str], BeforeValidator(_pair)], ...]
"""Out of texts such as ``write>read``."""


def check(pairs: tuple[tuple[str, str], ...], info: ValidationInfo) -> tuple[tuple[str, str], ...]:
    """Check pairs against ``oauth_valid_scopes``, which stands before them.

    Raises:
        ValueError: A scope cannot be granted, or there is a circle, in which all would be the same scope.
    """
    valid = info.data.get("oauth_valid_scopes", ())
    graph: dict[str, set[str]] = {}
    for wider, narrower in pairs:
        if not {wider, narrower} <= set(valid):
            raise ValueError(f"not all among {','.join(valid)}")
        graph.setdefault(wider, set()).add(narrower)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise ValueError(f"a circle, {'>'.join(reversed(error.args[1]))}") from None
    return pairs
