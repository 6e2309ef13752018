"""Managing registrations: who may register (RFC 7591 section 3), and reading, replacing and removing (RFC 7592)."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace

from server.oauth import clients, tokens
from server.oauth.audit import Kind
from server.oauth.bearer import read_token
from server.oauth.context import Context
from server.oauth.errors import InvalidClientMetadata, InvalidToken
from server.oauth.model import Client
from server.settings import Settings

_NOT_SENT_BACK = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
_UNKNOWN = "the registration access token is not that of this client, or the client has gone; register it again"


def check_may_register(authorization: Sequence[str], settings: Settings) -> None:
    """Hold registration to the initial access token where the policy asks for one (RFC 7591 section 3).

    Args:
        authorization: The values of every ``Authorization`` header, in order.
        settings: The server's settings.

    Raises:
        InvalidToken: It is missing or wrong.
        InvalidRequest: The header was sent more than once.
    """
    if settings.oauth_dcr != "token":
        return
    expected = settings.oauth_dcr_token.get_secret_value().encode()
    if not hmac.compare_digest(expected, (read_token(authorization) or "").encode(errors="surrogateescape")):
        raise InvalidToken("registration here needs the initial access token, which the operator of this server has")


async def authenticate(client_id: str, authorization: Sequence[str], ctx: Context) -> tuple[Client, str]:
    """Give the client that manages its own registration, and its token (RFC 7592 section 2).

    Args:
        client_id: The client that the address names.
        authorization: The values of every ``Authorization`` header, in order.
        ctx: The request's context.

    Raises:
        InvalidToken: There is no such client, or the token is missing or another's; nobody learns which.
        InvalidRequest: The header was sent more than once.
    """
    token = read_token(authorization) or ""
    client = await ctx.store.get_client(client_id) if tokens.is_well_formed(tokens.REGISTRATION, token) else None
    kept = client.registration_digest if client is not None else None
    if client is None or not hmac.compare_digest(kept or "", tokens.digest(token)):
        raise InvalidToken(_UNKNOWN, detail=f"client {client_id[:64]!r}")
    return client, token


def read(client: Client, token: str, settings: Settings) -> dict[str, object]:
    """Say what is registered (RFC 7592 section 2.1); the secret is not, as only its digest is kept."""
    return clients.answer(client, None, token, settings)


async def update(client: Client, metadata: Mapping[str, object], token: str, ctx: Context) -> dict[str, object]:
    """Replace all that is registered, and say what holds now (RFC 7592 section 2.2).

    A client that changes to a method with a secret gets one; one that has a secret keeps it.

    Args:
        client: The authenticated client.
        metadata: The decoded JSON object that it sent; what is not in it is as if it had never been registered.
        token: Its registration access token.
        ctx: The request's context.

    Raises:
        InvalidRedirectUri: As at registration.
        InvalidClientMetadata: As at registration, or it names another client or secret, or fields that are not its own.
        InvalidToken: It was deleted meanwhile.
    """
    known = _check_identity(client, metadata)
    method = clients.auth_method(metadata)
    described = clients.describe(client.client_id, metadata, method, ctx.settings, client.created_at)
    secret_digest = client.secret_digest
    if method not in clients.SECRET_METHODS:
        known = secret_digest = None
    elif secret_digest is None:
        known = tokens.make(tokens.CLIENT_SECRET, ctx.entropy)
        secret_digest = tokens.digest(known)
    updated = replace(
        described,
        secret_digest=secret_digest,
        registration_digest=client.registration_digest,
        last_used_at=ctx.now,
    )
    event = ctx.event(Kind.CLIENT_UPDATED, client_id=client.client_id, detail=updated.client_name)
    if not await ctx.store.update_client(updated, event):
        raise InvalidToken(_UNKNOWN, detail=f"client {client.client_id!r} has gone meanwhile")
    return clients.answer(updated, known, token, ctx.settings)


def _check_identity(client: Client, metadata: Mapping[str, object]) -> str | None:
    """Hold an update to what it must and must not say; gives the secret if it is in it (RFC 7592 section 2.2)."""
    for name in _NOT_SENT_BACK:
        if name in metadata:
            raise InvalidClientMetadata(f"{name} is the server's and must not be sent back")
    if metadata.get("client_id") != client.client_id:
        raise InvalidClientMetadata("client_id must be that of the registration")
    secret = clients.text(metadata, "client_secret")
    if secret is not None and not hmac.compare_digest(client.secret_digest or "", tokens.digest(secret)):
        raise InvalidClientMetadata("client_secret must be the one that was issued; a client cannot choose its own")
    return secret


async def delete(client: Client, ctx: Context) -> None:
    """Remove a client; its grants and tokens are over with it, since each use looks for it (RFC 7592 section 2.3)."""
    event = ctx.event(Kind.CLIENT_DELETED, client_id=client.client_id, detail=client.client_name)
    await ctx.store.delete_client(client.client_id, event)
