"""Who a client is, and which keys are its own: from the store, or from where the client says so."""

from typing import Any

from server.oauth import documents
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.errors import InvalidClient, TemporarilyUnavailable
from server.oauth.model import Client, KeySet
from server.oauth.remote import STALE, RemoteError, check_url

MAX_KEY_BYTES = 64 * 1024

REFETCH = 30
"""Seconds between fetches of a key set for the sake of a key that is not in it."""


async def described(client_id: str, ctx: Context) -> Client | None:
    """Give a client that wants to send its user here; ``None`` if it is not known.

    A client whose id is a URL must have a good document there: a stored one that has not expired, or
    one that is fetched now.

    Raises:
        RemoteError: The id is a URL, but what is there cannot be had or used.
    """
    if not documents.is_url(client_id):
        return await ctx.store.get_client(client_id)
    if not ctx.settings.oauth_cimd:
        return None
    check_url(client_id, ctx.settings.oauth_cimd_dev_origins)
    stored = await ctx.store.get_client(client_id)
    return stored if stored is not None and _is_fresh(stored, ctx) else await _fetch_client(client_id, ctx)


async def known(stored: Client | None, ctx: Context) -> Client | None:
    """Give a client that has been here before as it is now; ``None`` if it is not known any more.

    Where its document has expired and cannot be fetched, the last good one serves for another 24 hours.

    Args:
        stored: What is kept of it.
        ctx: The request's context.

    Raises:
        TemporarilyUnavailable: They are over.
    """
    if stored is None or stored.document is None:
        return stored
    if not ctx.settings.oauth_cimd:
        return None
    if _is_fresh(stored, ctx):
        return stored
    try:
        return await _fetch_client(stored.client_id, ctx)
    except RemoteError as error:
        if ctx.now < stored.document.expires_at + STALE:
            return stored
        raise TemporarilyUnavailable("the document at this client id cannot be had", detail=error.reason) from None


async def keys(client: Client, ctx: Context) -> dict[str, Any]:
    """Give the keys of a client that authenticates by ``private_key_jwt``.

    Raises:
        TemporarilyUnavailable: They cannot be fetched, and the last good ones are too old.
    """
    inline, uri = client.metadata.get("jwks"), client.metadata.get("jwks_uri")
    if isinstance(inline, dict):
        return inline
    if not isinstance(uri, str):
        raise InvalidClient("this client has no keys")
    stored = await ctx.store.get_key_set(uri)
    if stored is not None and ctx.now < stored.expires_at:
        return stored.jwks
    try:
        return (await _fetch_keys(uri, ctx)).jwks
    except RemoteError as error:
        if stored is not None and ctx.now < stored.expires_at + STALE:
            return stored.jwks
        raise _no_keys(error) from None


async def newer_keys(client: Client, ctx: Context) -> dict[str, Any] | None:
    """Fetch a client's keys anew, since one is missing; ``None`` if they are inline or were fetched just now.

    Raises:
        TemporarilyUnavailable: They cannot be fetched, so that nobody knows whether the key is good.
    """
    uri = client.metadata.get("jwks_uri")
    stored = await ctx.store.get_key_set(uri) if isinstance(uri, str) else None
    if stored is None or ctx.now < stored.fetched_at + REFETCH:
        return None
    try:
        return (await _fetch_keys(stored.jwks_uri, ctx)).jwks
    except RemoteError as error:
        raise _no_keys(error) from None


def _is_fresh(client: Client, ctx: Context) -> bool:
    return client.document is not None and ctx.now < client.document.expires_at


def _no_keys(error: RemoteError) -> TemporarilyUnavailable:
    return TemporarilyUnavailable("the keys at this client's jwks_uri cannot be had", detail=error.reason)


async def _fetch_client(url: str, ctx: Context) -> Client:
    async def keep(content: dict[str, Any], expires_at: int) -> Client:
        client = documents.read(url, content, ctx.settings, ctx.now, expires_at)
        new, updated = (
            ctx.event(kind, client_id=url, detail=client.client_name)
            for kind in (Kind.CLIENT_REGISTERED, Kind.CLIENT_UPDATED)
        )
        await ctx.store.keep_described_client(client, ctx.now, new, updated)
        return client

    return await ctx.remote.renew(url, documents.MAX_BYTES, keep, ctx.now)


async def _fetch_keys(uri: str, ctx: Context) -> KeySet:
    async def keep(content: dict[str, Any], expires_at: int) -> KeySet:
        if not isinstance(content.get("keys"), list):
            raise RemoteError("What is there is not a JSON Web Key Set.")
        fetched = KeySet(uri, content, ctx.now, expires_at)
        await ctx.store.keep_key_set(fetched)
        return fetched

    return await ctx.remote.renew(uri, MAX_KEY_BYTES, keep, ctx.now)
