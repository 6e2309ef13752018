"""The documentation as a site: `make docs` builds it with Sphinx and MyST into build/site."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_site")]

project = "ATT MCP Server"
html_title = project
extensions = ["myst_parser", "settings_directive"]
exclude_patterns = ["_site"]
html_theme = "furo"
html_show_sphinx = False
html_show_copyright = False
myst_enable_extensions = ["attrs_block", "deflist"]
myst_heading_anchors = 4
# The lexer for console sessions takes single quotes in messages for the beginning of a text.
suppress_warnings = ["misc.highlighting_failure"]

# Pages that stand outside docs/, where a repository has them, by the page of the site that shows them.
OUTSIDE = {"readme": "README.md", "contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}

_LINK = re.compile(r"(?P<text>\[[^\]]*\])\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")


def show(_app: Sphinx, page: str, source: list[str]) -> None:
    """Put a page from outside in the place of its stand-in, and let every link lead within the site."""
    folder = (ROOT / "docs" / page).parent
    if page in OUTSIDE:
        folder, source[0] = ROOT, (ROOT / OUTSIDE[page]).read_text(encoding="utf-8")
    source[0] = _LINK.sub(lambda link: _within(link, folder, page), source[0])


def _within(link: re.Match[str], folder: Path, page: str) -> str:
    """Rewrite a link as it stands in the repository; where it leads to nothing that a site has, its text stays."""
    target = (folder / link["target"]).resolve()
    if not target.exists():
        raise FileNotFoundError(f"{page}: {link[0]}: there is no {target}")
    anchor = link["anchor"] or ""
    for shown, name in OUTSIDE.items():
        if target == ROOT / name:
            return f"{link['text']}(/{shown}.md{anchor})"
    if target.is_relative_to(ROOT / "docs") and target.suffix == ".md":
        return f"{link['text']}(/{target.relative_to(ROOT / 'docs')}{anchor})"
    return link["text"][1:-1]


def setup(app: Sphinx) -> None:
    """Register the above."""
    app.connect("source-read", show)
