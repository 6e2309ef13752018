"""How large the database is, and how much room there is for it to grow."""

import shutil
from pathlib import Path
from typing import NamedTuple


class Extent(NamedTuple):
    """Sizes in bytes; what is not there has none."""

    database: int
    log: int
    """Of the write-ahead log."""
    room: int
    """What is left on the disk."""


def extent(path: Path) -> Extent:
    """Look at the files of a database, without opening it."""
    return Extent(_size(path), _size(path.with_name(f"{path.name}-wal")), _room(path.parent))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _room(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
