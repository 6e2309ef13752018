"""The account page's section on passkeys."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from server import keys
from server.handlers import cookies
from server.handlers.signin_more import ceremony
from server.identity import passkeys
from server.identity.model import SignedIn
from server.identity.passkeys import Passkey

METHOD = "passkey"
"""What a session says of a sign-in with a passkey."""


async def section(request: web.Request, found: SignedIn) -> dict[str, Any]:
    """Give what ``account_passkeys.html`` shows: nothing where there can be no passkeys."""
    asking = ceremony(request, cookies.session_id(request) or "")
    if asking is None:
        return {"passkeys": None}
    from server.identity import ceremonies  # noqa: PLC0415 - see there

    present = await request.app[keys.STORE].list_passkeys(found.user.user_id)
    may_add = is_recent(request, found) and len(present) < passkeys.MOST
    options = ceremonies.add_options(found.user, present, asking) if may_add else None
    entries = [_shown(one) for one in present]
    full, sure = len(present) >= passkeys.MOST, bool(present) and by_passkey(request, found)
    return {"passkeys": {"entries": entries, "options": options, "full": full, "sure": sure}}


def is_recent(request: web.Request, found: SignedIn) -> bool:
    """Tell whether somebody signed in so lately that they may change how they sign in."""
    return request.app[keys.CLOCK]() - found.session.created_at < passkeys.RECENT


def by_passkey(request: web.Request, found: SignedIn) -> bool:
    """Tell whether somebody has shown just now that they can sign in without a password."""
    return is_recent(request, found) and found.session.method == METHOD


def _shown(one: Passkey) -> dict[str, Any]:
    return {
        "credential_id": one.credential_id,
        "name": one.name,
        "synced": one.synced,
        "added": _on(one.created_at),
        "last": None if one.last_used_at is None else _on(one.last_used_at),
    }


def _on(time: int) -> str:
    """Write a day for a person."""
    return datetime.fromtimestamp(time, UTC).strftime("%d %B %Y").lstrip("0")
