"""The token request to the provider, and its answer (OpenID Connect Core sections 3.1.3.1 to 3.1.3.4)."""

import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote_plus

from server.identity.oidc.discovery import Metadata
from server.identity.oidc.errors import Misconfigured, Refused, Unreachable, Untrusted
from server.identity.oidc.registration import Registration
from server.oauth.remote import Reply

_SHOWN = 200  # characters of the provider's words that the log shows
_OUR_FAULT = {
    "invalid_client": "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET",
    "unauthorized_client": "what the client may do at the provider, and OAUTH_CLIENT_ID",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the token endpoint gave."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


def write(
    code: str, verifier: str, metadata: Metadata, registration: Registration
) -> tuple[dict[str, str], dict[str, str]]:
    """Give headers and form of the request; the client authenticates in a way that the provider takes.

    Raises:
        Misconfigured: It takes no client secret.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_uri,
        "code_verifier": verifier,
    }
    preferred = ("client_secret_post", "client_secret_basic")
    for method in preferred if registration.provider.posts_secret else reversed(preferred):
        if method in metadata.auth_methods and method == "client_secret_basic":
            return {"Authorization": _basic(registration)}, form
        if method in metadata.auth_methods:
            return {}, {**form, "client_id": registration.client_id, "client_secret": registration.client_secret}
    raise Misconfigured(f"its token endpoint takes {' '.join(metadata.auth_methods)}, and no client secret")


def _basic(registration: Registration) -> str:
    """Write both parts form-urlencoded, as they have to be (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(registration.client_id)}:{quote_plus(registration.client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def read(reply: Reply) -> Answer:
    """Read the answer.

    Raises:
        Unreachable: The provider has failed.
        Misconfigured: It does not accept this server.
        Refused: It does not accept the code.
        Untrusted: The answer holds no ID token.
    """
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        content = {}
    if reply.status != HTTPStatus.OK:
        raise _failure(reply.status, str(content.get("error", "")), content.get("error_description", ""))
    token, access_token = content.get("id_token"), content.get("access_token")
    if not isinstance(token, str):
        raise Untrusted("the token endpoint answered 200 without an id_token")
    return Answer(token, access_token if isinstance(access_token, str) else None)


def _failure(status: int, code: str, description: object) -> Unreachable | Misconfigured | Refused:
    """Tell whose fault it is (RFC 6749 section 5.2); the provider's own words are for the log."""
    said = f"the token endpoint answered {status} {code[:_SHOWN]!r} ({str(description)[:_SHOWN]!r})"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unreachable(said)
    if code == "invalid_grant":
        return Refused(said)
    return Misconfigured(f"{said}: look at {_OUR_FAULT.get(code, 'the registration at the provider')}")
