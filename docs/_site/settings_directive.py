"""The directive ``{settings}``: its variables, as the README's table and the program describe them."""

import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from server.settings import Settings

README = Path(__file__).parents[2] / "README.md"
_ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>.*?) ?\| (?P<meaning>.*) \|$", re.MULTILINE)
_ANCHOR = re.compile(r"\]\((?=#)")


def rows() -> dict[str, tuple[str, str]]:
    """Give default and meaning of each variable, in Markdown."""
    text = README.read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    return {row["name"]: (row["default"], row["meaning"]) for row in _ROW.finditer(text)}


class SettingsDirective(SphinxDirective):
    """Shows the variables named in its body, one a line."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write a heading, the default, the meaning and what is taken for each."""
        known, text = rows(), []
        for name in self.content:
            default, meaning = known[name]
            takes = Settings.model_fields[name.lower()].description or ""
            text += [f"`{name}`", f": {_ANCHOR.sub('](/readme.md', meaning)}", ""]
            text += [f"  Default: {default or 'not set'}. It takes {takes}.", ""]
        holder = nodes.container()
        self.state.nested_parse(StringList(text, source=str(README)), self.content_offset, holder)
        return holder.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("settings", SettingsDirective)
    return {"parallel_read_safe": True}
