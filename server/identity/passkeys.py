"""Passkeys of local accounts: what is kept of one, and where there can be any; `ceremonies` makes and uses them."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from server.identity.users import LOCAL
from server.oauth.audit import Event
from server.oauth.context import Context
from server.oauth.model import User
from server.sealing import Sealer
from server.settings import Settings

RECENT = 900
"""Seconds since somebody signed in for which they may change how they sign in."""

MOST = 20
"""Passkeys that one account may have."""

LONGEST_NAME = 60


class PasskeyError(Exception):
    """A passkey was not accepted. The reason is for the log alone."""

    def __init__(self, reason: str, user_id: str | None = None) -> None:
        """Say why, and whose account it was about, if that is known."""
        super().__init__(reason)
        self.reason = reason
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential's public side."""

    credential_id: str
    """The authenticator's own id of it, in base64url."""
    user_id: str
    name: str
    """What its owner calls it."""
    public_key: str
    """A COSE key in base64url."""
    sign_count: int
    """How often it was used, where its authenticator counts; 0 where it does not."""
    synced: bool
    """Whether it may be on several devices."""
    created_at: int
    last_used_at: int | None = None


class Answered(NamedTuple):
    """A challenge that was answered."""

    digest: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What asking for a passkey takes, and looking at the answer."""

    rp_id: str
    """The host to which passkeys belong, as `host` gives it."""
    cookie: str
    """The random id to which challenges are bound: the browser's to sign in, the session's to add."""
    sealer: Sealer
    ctx: Context


class PasskeyStore(Protocol):
    """Where passkeys are kept; absence, races, failures and events are as `server.oauth.store.Store` has them."""

    async def get_user(self, user_id: str) -> User | None:
        """Give a user, disabled ones too, or ``None``."""

    async def list_passkeys(self, user_id: str) -> tuple[Passkey, ...]:
        """Give a user's passkeys, the oldest first."""

    async def get_passkey(self, credential_id: str) -> Passkey | None:
        """Give the passkey, or ``None``."""

    async def add_passkey(self, passkey: Passkey, answered: Answered, event: Event | None = None) -> bool:
        """Keep a new passkey of a live user; ``False`` when it is there, or the challenge was answered before."""

    async def use_passkey(self, passkey: Passkey, former_count: int, answered: Answered) -> bool:
        """Note that a passkey was used; ``False`` when it went or was used meanwhile, or the challenge was."""

    async def remove_passkey(self, user_id: str, credential_id: str, event: Event | None = None) -> bool:
        """Remove a user's passkey; ``False`` when it is not there, or is all that they can sign in by."""

    async def remove_password(self, user_id: str, event: Event | None = None) -> bool:
        """Remove the password of a user who has a passkey; ``False`` when there is none, or no passkey."""


def host(settings: Settings) -> str | None:
    """Give the host to which passkeys belong; ``None`` where there can be none: elsewhere than locally, or at a number.

    Browsers take no address for a relying party (Web Authentication Level 3 section 5.1.3).
    """
    name = urlsplit(settings.server_url).hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return name if settings.oauth_provider == LOCAL else None
    return None
