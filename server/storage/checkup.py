"""A look at the database that changes nothing: whether it is whole, and what has been left lying."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from server.storage.migrate import MigrationError, explain


class Checkup(NamedTuple):
    """What was found."""

    damage: str
    """What is wrong with the file; empty if nothing is."""
    overdue: int
    """Seconds for which the oldest access token that is over has been waiting for the purge."""
    signing_key_age: int | None
    """Seconds since the present key for ID tokens was made; ``None`` where there is none."""


def check_up(path: Path, now: int) -> Checkup:
    """Look at a database that is up to date.

    Args:
        path: The SQLite file.
        now: Unix seconds.

    Raises:
        MigrationError: It cannot be read; the message is one line.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            answers = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            ((oldest,),) = connection.execute("SELECT min(expires_at) FROM access_tokens")
            ((made,),) = connection.execute("SELECT max(created_at) FROM signing_keys")
    except sqlite3.Error as error:
        raise MigrationError(f"{path}: {explain(error)}") from error
    damage = "" if answers == ["ok"] else "; ".join(answers)
    return Checkup(damage, max(0, now - (oldest or now)), None if made is None else now - made)
