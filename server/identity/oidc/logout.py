"""Signing out at the provider too (OpenID Connect RP-Initiated Logout 1.0)."""

import json

from server.identity.oidc.discovery import Metadata
from server.identity.oidc.registration import Registration
from server.oauth.redirect import with_parameters
from server.sealing import Sealer, Unsealable

SIGNED_OUT = "signed-out"
"""The state that the provider brings back."""

_PURPOSE = "upstream session"
_MAX_HINT = 4_096  # characters of an ID token that fit into an address


def remember(id_token: str, registration: Registration, sealer: Sealer) -> str:
    """Seal what a session needs to be ended at the provider too."""
    kept = {"issuer": registration.issuer, "id_token": id_token if len(id_token) <= _MAX_HINT else ""}
    return sealer.seal(_PURPOSE, json.dumps(kept).encode())


def belongs(upstream: str | None, registration: Registration, sealer: Sealer) -> bool:
    """Tell whether a session came of a sign-in at the provider that the settings name now."""
    return _id_token(upstream, registration, sealer) is not None


def address(upstream: str | None, metadata: Metadata, registration: Registration, sealer: Sealer) -> str | None:
    """Give the address at which the provider ends its session (section 2); ``None`` if it has none."""
    id_token = _id_token(upstream, registration, sealer)
    if metadata.end_session_endpoint is None or id_token is None:
        return None
    asked = {
        "id_token_hint": id_token,
        "client_id": registration.client_id,
        "post_logout_redirect_uri": registration.post_logout_redirect_uri,
        "state": SIGNED_OUT,
    }
    return with_parameters(metadata.end_session_endpoint, {name: value for name, value in asked.items() if value})


def _id_token(upstream: str | None, registration: Registration, sealer: Sealer) -> str | None:
    try:
        kept = json.loads(sealer.unseal(_PURPOSE, upstream or ""))
    except Unsealable:
        return None
    return str(kept["id_token"]) if kept["issuer"] == registration.issuer else None
