"""What a purge does to one table."""

from typing import NamedTuple


class Sweep(NamedTuple):
    """Removes from one table, by a statement that finds at most ``:batch`` rows."""

    table: str
    delete: str
    boundary: str | None = None
    """Gives the end of a step of the walk that begins after ``:after``; the statement works within it."""
