"""Why a token request was refused, in one of a few words, for `server.meter`."""

from server.oauth.errors import InvalidGrant, OAuthError, TooManyRequests
from server.oauth.store import StoreUnavailable

_GRANTS = {"unknown": "unknown", "expired": "expired", "code replayed": "replayed", "reused": "reused"}
"""How the detail of an ``invalid_grant`` begins, where it tells more than the code does."""


def reason(error: Exception) -> str:
    """Name the reason: the error code of RFC 6749 section 5.2, or a word that says more."""
    if isinstance(error, StoreUnavailable):
        return "database"
    if isinstance(error, TooManyRequests):
        return "rate_limited"
    if isinstance(error, InvalidGrant):
        detail = error.detail or ""
        return next((word for begin, word in _GRANTS.items() if detail.startswith(begin)), error.code)
    return error.code if isinstance(error, OAuthError) else "failure"
