"""The two cookies: which browser this is, and who is signed in in it."""

import re

from aiohttp import web

from server import keys
from server.settings import Settings

_RANDOM = re.compile(r"[0-9a-f]{64}")


def browser_cookie(settings: Settings) -> str:
    """Name the browser's cookie; ``__Host-`` binds it to this very host (RFC 6265bis section 4.1.3.2)."""
    return "__Host-att_browser" if settings.secure else "att_browser"


def session_cookie(settings: Settings) -> str:
    """Name the cookie of the sign-in session."""
    return "__Host-att_session" if settings.secure else "att_session"


def browser_id(request: web.Request) -> str | None:
    """Give the browser's random id, if it sends one."""
    return _read(request, browser_cookie(request.app[keys.SETTINGS]))


def session_id(request: web.Request) -> str | None:
    """Give the session's random id, if the browser sends one; there need not be such a session."""
    return _read(request, session_cookie(request.app[keys.SETTINGS]))


def set_browser(request: web.Request, response: web.StreamResponse, value: str) -> None:
    """Let the browser keep its id."""
    _set(request, response, browser_cookie(request.app[keys.SETTINGS]), value)


def set_session(request: web.Request, response: web.StreamResponse, value: str) -> None:
    """Let the browser keep its session's id, until it is closed at the latest."""
    _set(request, response, session_cookie(request.app[keys.SETTINGS]), value)


def drop_session(request: web.Request, response: web.StreamResponse) -> None:
    """Let the browser forget its session."""
    settings = request.app[keys.SETTINGS]
    response.del_cookie(session_cookie(settings), secure=settings.secure, httponly=True, samesite="Lax", path="/")


def _read(request: web.Request, name: str) -> str | None:
    """Find one cookie (RFC 6265 section 4.2.1); aiohttp would make objects of them all, attributes and all."""
    pairs = (pair.strip().partition("=") for pair in request.headers.get("Cookie", "").split(";"))
    values = [value for key, _, value in pairs if key == name]
    return values[-1] if values and _RANDOM.fullmatch(values[-1]) else None


def _set(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    """Set a cookie whose value, like its name, needs no quoting (RFC 6265 section 4.1.1)."""
    secure = "; Secure" if request.app[keys.SETTINGS].secure else ""
    response.headers.add("Set-Cookie", f"{name}={value}; HttpOnly; Path=/; SameSite=Lax{secure}")
