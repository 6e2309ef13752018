"""Client id metadata documents: a client whose id is a URL says there who it is.

Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document), as MCP asks for it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from server.oauth import clients
from server.oauth.clients import NO_SECRET, PRIVATE_KEY_JWT
from server.oauth.errors import OAuthError
from server.oauth.model import Client, Document
from server.oauth.remote import RemoteError
from server.settings import Settings

MAX_BYTES = 5 * 1024

_METHODS = (NO_SECRET, PRIVATE_KEY_JWT)
_SECRETS = ("client_secret", "client_secret_expires_at")


def is_url(client_id: str) -> bool:
    """Tell whether a client id is a URL, well-formed or not; ids that are given out here never are."""
    return client_id.startswith(("https://", "http://"))


def read(url: str, content: Mapping[str, Any], settings: Settings, now: int, expires_at: int) -> Client:
    """Make a client of the document at its id.

    Args:
        url: The client id, at which the document was found.
        content: The document.
        settings: The server's settings.
        now: Unix seconds.
        expires_at: When the document is to be fetched anew.

    Raises:
        RemoteError: It describes another client, one that shares a secret, or one that could do nothing.
    """
    if content.get("client_id") != url:
        raise RemoteError("What is there describes another client: its client_id is not this address.")
    if any(name in content for name in _SECRETS):
        raise RemoteError("What is there holds a client secret, which anybody can read.")
    try:
        methods = _auth_methods(content)
        asserts = PRIVATE_KEY_JWT in methods
        client = clients.describe(url, content, PRIVATE_KEY_JWT if asserts else NO_SECRET, settings, now)
    except OAuthError as error:
        raise RemoteError(f"What is there cannot be used: {error.description}.") from None
    document = Document(methods, now, expires_at)
    return replace(client, token_endpoint_auth_method=methods[0], document=document)


def _auth_methods(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Read how the client may authenticate; ChatGPT's document names one way, and lists several."""
    named = clients.text(content, "token_endpoint_auth_method")
    listed = clients.texts(content, "token_endpoint_auth_methods_supported")
    offered = dict.fromkeys(((named,) if named else ()) + listed)
    if any(method.startswith("client_secret") for method in offered):
        raise RemoteError("What is there asks for a shared secret, which a public document cannot have.")
    if not offered:
        return (PRIVATE_KEY_JWT if {"jwks", "jwks_uri"} & content.keys() else NO_SECRET,)
    kept = tuple(method for method in offered if method in _METHODS)
    if not kept:
        raise RemoteError(f"What is there must name {' or '.join(_METHODS)} as a way to authenticate.")
    return kept


def host(client: Client) -> str | None:
    """Name the host that vouches for a client, where its id is a URL."""
    return urlsplit(client.client_id).netloc if client.document else None
