"""Where the files are that travel with the program but are no Python: migrations and catalogue data."""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def directory(name: Literal["migrations", "data"]) -> Path:
    """Give a folder of shipped files.

    In an installed wheel it lies inside the package; in a checkout it lies beside it.
    """
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
