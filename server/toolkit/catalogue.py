"""What the tools on the catalogue have in common: how they name their data, and what they say of it."""

from typing import Annotated

from pydantic import Field

from server.catalogue.geo import parts

DATA = "Demonstration data, unless the operator imported a catalogue; each answer's notice says which."
"""Ends each description."""

Notice = Annotated[
    str | None, Field(description="What a reader has to be told of this data, such as that it is invented.")
]


def with_notice(sentence: str, notice: str | None) -> str:
    """Let a notice follow a sentence, if there is one."""
    return sentence if notice is None else f"{sentence} {notice}"


def split(listed: str | None) -> list[str]:
    """Give the values of a tag that may hold several."""
    return [] if listed is None else parts(listed)
