"""The documentation as a site: it builds without a warning, so every link and heading that is named is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site."""
    target = tmp_path_factory.mktemp("site")
    options = ("--builder", "html", "--nitpicky", "--fail-on-warning", "--quiet")
    command = [sys.executable, "-m", "sphinx", *options, "--doctree-dir", str(target / "trees"), str(ROOT / "docs")]
    done = subprocess.run([*command, str(target / "html")], cwd=ROOT, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return target / "html"


def test_every_page_is_on_the_site(site: Path) -> None:
    shown = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in PAGES}
    assert all((site / path).is_file() for path in shown)
    assert "Add it to an assistant" in (site / "readme.html").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page_of_one_group(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in (site / "settings").glob("*.html")]
    for name in Settings.model_fields:
        variable = re.compile(rf'<dt><code[^>]*><span class="pre">{name.upper()}</span>')
        assert sum(bool(variable.search(page)) for page in pages) == 1, name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="https?://', page.read_text(encoding="utf-8")), (
            page
        )
