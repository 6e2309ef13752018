"""The page on threats names every test that there is of them, and none that there is not."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_on_threats_names_each_of_their_tests_once() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "threats.md").read_text(encoding="utf-8"))
    files = (ROOT / "tests" / "threats").glob("test_*.py")
    written = [
        name
        for file in files
        for name in re.findall(r"^async def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(named) == sorted(written)
