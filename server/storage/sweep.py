"""What a purge does to one table."""

from typing import NamedTuple


class Sweep(NamedTuple):
    """Rows of a table that go, at most ``:batch`` at a time."""

    table: str
    key: str
    """The columns by which a row is known."""
    over: str
    """The condition on a row, which is called ``t``."""
    walk: str | None = None
    """A column that has an index, to walk along in steps, where none leads to the rows that are over."""

    @property
    def delete(self) -> str:
        """The statement that removes a batch; on a walk, out of the step from ``:after`` until ``:until``."""
        step = f"t.{self.walk} > :after AND t.{self.walk} <= :until AND " if self.walk else ""
        found = f"SELECT {self.key} FROM {self.table} t WHERE {step}({self.over}) LIMIT :batch"  # noqa: S608 - our names
        return f"DELETE FROM {self.table} WHERE ({self.key}) IN ({found}) RETURNING 1"  # noqa: S608 - as above

    @property
    def boundary(self) -> str | None:
        """The statement that gives the end of the step of ``:step`` rows that begins after ``:after``."""
        if self.walk is None:
            return None
        step = f"SELECT {self.walk} FROM {self.table} WHERE {self.walk} > :after ORDER BY {self.walk} LIMIT :step"  # noqa: S608 - as above
        return f"SELECT max({self.walk}) FROM ({step}) AS step"  # noqa: S608 - as above
