"""The HTML pages: one environment, one look, the headers that keep them safe."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup

SITE_NAME = "ATT MCP Server"

_TEMPLATES = Path(__file__).parent.parent / "templates"
_INCLUDE = re.compile(r'{% include "(.+?)" %}\n?')

_SCRIPTED = frozenset({"signin.html", "account.html"})
"""The pages that may run a script, the one of ours for passkeys; all else on them works without."""

_JOINERS = "\u200c\u200d"
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_MAX_MARKS = 4
_LONGEST_NAME = 60


def plain(text: str) -> str:
    """Make a text from outside safe to show among our own words.

    Escaping keeps markup out; this keeps out what misleads without any: bidirectional overrides
    (Unicode TR 36, "Bidirectional text spoofing") and every other control, invisible, private or unassigned character
    become U+FFFD, blanks of all kinds become one space, and combining marks pile up four high at
    most. The two joiners stay where they join something, since scripts and emoji need them.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        if character in _JOINERS:
            if shown and shown[-1] not in _JOINERS + " ":
                shown.append(character)
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if category.startswith("Z") or character in _BLANKS or character in "\t\n\r":
            shown.append(" ")
        elif category.startswith("C"):
            shown.append("\N{REPLACEMENT CHARACTER}")
        elif marks <= _MAX_MARKS:
            shown.append(character)
    return " ".join("".join(shown).split())


def short(name: str | None) -> str:
    """Make a name from outside safe to show, and short enough to leave the page to our own words; it may be empty."""
    text = plain(name or "").strip()
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def _finalize(value: Any) -> Any:
    """Pass every text that a template prints through `plain`, so that none can be forgotten."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class _Loader(jinja2.FileSystemLoader):
    """Puts what a template includes into it before it is compiled: otherwise it is looked for anew at every page."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, is_current = super().get_source(environment, template)
        return _INCLUDE.sub(lambda found: self.get_source(environment, found[1])[0], source), path, is_current


_HEADERS = web.AppKey("page_headers", Mapping[str, Mapping[str, str]])
"""The headers of each page, by its template's name."""


def setup_pages(app: web.Application) -> None:
    """Install the template environment and work out the headers that every page gets.

    The templates are all compiled here, so that a broken one stops the start.

    Raises:
        jinja2.TemplateSyntaxError: A template is broken.
    """
    env = aiohttp_jinja2.setup(
        app,
        loader=_Loader(_TEMPLATES),
        filters={"plain": plain, "short": short},
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals = {"name": SITE_NAME}  # all of them are copied for each page
    style, script = f"style-src {_hash('style.css')}", f"script-src {_hash('passkeys.js')}"
    plain_headers, scripted_headers = _headers(style), _headers(style, script)
    pages = env.list_templates(extensions=["html"])
    app[_HEADERS] = {name: scripted_headers if name in _SCRIPTED else plain_headers for name in pages}
    for name in pages:
        env.get_template(name)


def _hash(name: str) -> str:
    """Name a file of ours that is allowed to stand in a page (CSP Level 3 section 2.3.1)."""
    digest = hashlib.sha256((_TEMPLATES / name).read_bytes()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _headers(*allowed: str) -> Mapping[str, str]:
    """Allow what is named and nothing else.

    There is no ``form-action``: Chromium applies it to the redirect after the form's post too, and
    so it would block the way back to every client.
    """
    policy = ("default-src 'none'", *allowed, "img-src data:", "base-uri 'none'")
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join((*policy, "frame-ancestors 'none'")),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def render(request: web.Request, template: str, context: Mapping[str, Any], status: int = 200) -> web.Response:
    """Answer with a page.

    Args:
        request: The request being answered.
        template: A file's name in ``server/templates``.
        context: What the template asks for at its top; texts may be hostile.
        status: The HTTP status.

    Raises:
        jinja2.UndefinedError: The context lacks something.
    """
    body = aiohttp_jinja2.render_string(template, request, context).encode()
    return web.Response(body=body, status=status, headers=request.app[_HEADERS][template])
