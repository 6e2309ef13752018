"""The audit log: what happened to whom, from where, and never a secret.

An event that comes with a write is kept in that write's transaction. One that comes without is offered to a recorder.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

OPERATOR = "operator"
"""In place of an address: whoever sits at the server's own command line."""

_MAX_DETAIL = 200
_GIVEN_OUT = re.compile(r"att_cl_[0-9a-f]{32}|https://[A-Za-z0-9._~:/-]{1,200}")


class Kind(StrEnum):
    """What can happen."""

    CLIENT_REGISTERED = "client_registered"
    CLIENT_ADDED = "client_added"
    CLIENT_UPDATED = "client_updated"
    CLIENT_DELETED = "client_deleted"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REMEMBERED = "consent_remembered"
    CONSENT_DENIED = "consent_denied"
    APPLICATION_FORGOTTEN = "application_forgotten"
    TOKENS_ISSUED = "tokens_issued"
    TOKENS_REFRESHED = "tokens_refreshed"
    CODE_REUSED = "code_reused"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - an event's name
    ACCESS_TOKEN_REVOKED = "access_token_revoked"  # noqa: S105 - an event's name
    GRANT_REVOKED = "grant_revoked"
    SIGNING_KEY_ROTATED = "signing_key_rotated"
    CLIENT_AUTHENTICATION_FAILED = "client_authentication_failed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 - an event's name
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    USER_ADDED = "user_added"
    USER_INVITED = "user_invited"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"
    RATE_LIMITED = "rate_limited"
    PAYMENT_MADE = "payment_made"
    PREFERENCES_CHANGED = "preferences_changed"
    CATALOGUE_IMPORTED = "catalogue_imported"
    CATALOGUE_RESET = "catalogue_reset"
    BACKED_UP = "backed_up"
    RESTORED = "restored"
    PURGED = "purged"
    EVENTS_DROPPED = "events_dropped"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; whatever does not apply is ``None``."""

    time: int
    event: str
    """A `Kind`; what is read back may be of another version."""
    client_id: str | None = None
    user_id: str | None = None
    address: str | None = None
    """The client's address, or `OPERATOR`."""
    grant_id: str | None = None
    detail: str | None = None
    """A few words; never anything out of a request that could be a secret."""

    def __post_init__(self) -> None:
        """Keep texts from outside short."""
        if self.detail is not None and len(self.detail) > _MAX_DETAIL:
            object.__setattr__(self, "detail", self.detail[: _MAX_DETAIL - 1] + "…")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was kept: numbered in the order of the writes."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; ``None`` wants any."""

    event: str | None = None
    client_id: str | None = None
    user_id: str | None = None
    grant_id: str | None = None
    since: int | None = None
    """Unix seconds."""


def presented(client_id: str | None) -> str | None:
    """Give a client id that nobody has vouched for, if it has the form of one: clients send secrets in its place."""
    return client_id if client_id and _GIVEN_OUT.fullmatch(client_id) else None
