"""The HTML pages: one environment, one look, the headers that keep them safe."""

import base64
import hashlib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup

SITE_NAME = "ATT MCP Server"

_TEMPLATES = Path(__file__).parent.parent / "templates"
_HEADERS = web.AppKey("page_headers", Mapping[str, str])
_SCRIPTED_HEADERS = web.AppKey("scripted_page_headers", Mapping[str, str])

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


def setup_pages(app: web.Application) -> None:
    """Install the template environment and work out the headers that every page gets.

    The templates are all compiled here, so that a broken one stops the start.

    Raises:
        jinja2.TemplateSyntaxError: A template is broken.
    """
    style, script = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "passkeys.js"))
    env = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        filters={"plain": plain, "short": short},
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {"style": Markup(style), "passkeys_script": Markup(script)}  # noqa: S704 - our own files, hashed below
    env.globals |= {**own, "name": SITE_NAME}
    for template in env.list_templates(extensions=["html"]):
        env.get_template(template)
    app[_HEADERS] = _headers(f"style-src {_hash(style)}")
    app[_SCRIPTED_HEADERS] = _headers(f"style-src {_hash(style)}", f"script-src {_hash(script)}")


def _hash(content: str) -> str:
    """Name what is allowed to stand in a page (CSP Level 3 section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}'"


def _headers(*allowed: str) -> Mapping[str, str]:
    """Allow what is named and nothing else.

    There is no ``form-action``: Chromium applies it to the redirect after the form's post too, and
    so it would block the way back to every client.
    """
    policy = ("default-src 'none'", *allowed, "img-src data:", "base-uri 'none'")
    return {
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
    response = aiohttp_jinja2.render_template(template, request, context, status=status)
    response.headers.update(request.app[_SCRIPTED_HEADERS if template in _SCRIPTED else _HEADERS])
    return response
