"""Clients, those that registered and those that a document describes; and what ``private_key_jwt`` remembers."""

import json

from server.oauth.audit import Event
from server.oauth.model import Client, KeySet
from server.storage import rows
from server.storage import statements as sql
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed

_GET_KEY_SET = "SELECT jwks_uri, jwks, fetched_at, expires_at FROM key_sets WHERE jwks_uri = :jwks_uri"

_KEEP_KEY_SET = """
INSERT INTO key_sets (jwks_uri, jwks, fetched_at, expires_at)
VALUES (:jwks_uri, :jwks, :fetched_at, :expires_at)
ON CONFLICT (jwks_uri) DO UPDATE SET
    jwks = excluded.jwks, fetched_at = excluded.fetched_at, expires_at = excluded.expires_at"""

_USE_ASSERTION = """
INSERT INTO client_assertions (client_id, jti, expires_at) VALUES (:client_id, :jti, :expires_at)
ON CONFLICT (client_id, jti) DO NOTHING
RETURNING 1"""


class SqlClientStore:
    """The part of `server.oauth.store.Store` that is about clients, their keys and assertions, in SQL."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def add_client(self, client: Client, event: Event | None = None) -> None:
        """Keep a new client."""
        await self._driver.write(recorded(_add_client(client), event))

    async def get_client(self, client_id: str) -> Client | None:
        """Give the client, or ``None``."""
        return await self._driver.read(get_client(client_id))

    async def update_client(self, client: Client, event: Event | None = None) -> bool:
        """Replace what a client says of itself."""
        return await self._driver.write(recorded(changed(sql.UPDATE_CLIENT, **rows.client_parameters(client)), event))

    async def delete_client(self, client_id: str, event: Event | None = None) -> bool:
        """Remove a client, and with it all that it was granted; ``False`` when it was gone already."""
        return await self._driver.write(recorded(changed(sql.DELETE_CLIENT, client_id=client_id), event))

    async def has_machine_client(self) -> bool:
        """Tell whether there is a client that may use client credentials."""
        return await self._driver.read(changed(sql.HAS_MACHINE_CLIENT))

    async def keep_described_client(
        self, client: Client, now: int, new: Event | None = None, updated: Event | None = None
    ) -> None:
        """Keep a client as its document describes it; end what a deleted one of the same id left open."""
        await self._driver.write(_keep_described_client(client, now, new, updated))

    async def get_key_set(self, jwks_uri: str) -> KeySet | None:
        """Give the keys that were fetched from there last, or ``None``."""
        return await self._driver.read(_get_key_set(jwks_uri))

    async def keep_key_set(self, keys: KeySet) -> None:
        """Keep keys in place of those fetched from there before."""
        await self._driver.write(_keep_key_set(keys))

    async def use_assertion(self, client_id: str, jti: str, expires_at: int) -> bool:
        """Use up a client's assertion; ``False`` when it was used before."""
        return await self._driver.write(_use_assertion(client_id, jti, expires_at))


def _add_client(client: Client) -> Script[None]:
    yield Statement(sql.ADD_CLIENT, rows.client_parameters(client))


def get_client(client_id: str) -> Script[Client | None]:
    """Find a client, as part of a transaction."""
    found = yield Statement(sql.GET_CLIENT, {"client_id": client_id})
    return rows.client(found[0]) if found else None


def _keep_described_client(client: Client, now: int, new: Event | None, updated: Event | None) -> Script[None]:
    kept = yield from get_client(client.client_id)
    if kept is None:
        former = {"client_id": client.client_id, "now": now, "reason": "client_deleted"}
        yield Statement(sql.REVOKE_GRANTS_OF_CLIENT, former)
        yield Statement(sql.EXPIRE_CODES_OF_CLIENT, former)
        yield Statement(sql.FORGET_CONSENTS_OF_CLIENT, former)
        event = new
    else:
        event = updated if _identity(kept) != _identity(client) else None
    yield from recorded(_keep_description(client), event)


def _keep_description(client: Client) -> Script[None]:
    yield Statement(sql.KEEP_DESCRIBED_CLIENT, rows.client_parameters(client))


def _identity(client: Client) -> tuple[object, ...]:
    """Give what tells an operator that a document has changed: its name, its URIs, its proofs."""
    keys = (client.metadata.get("jwks"), client.metadata.get("jwks_uri"))
    return client.client_name, client.redirect_uris, client.auth_methods, keys


def _get_key_set(jwks_uri: str) -> Script[KeySet | None]:
    found = yield Statement(_GET_KEY_SET, {"jwks_uri": jwks_uri})
    if not found:
        return None
    uri, jwks, fetched_at, expires_at = found[0]
    return KeySet(uri, json.loads(jwks), fetched_at, expires_at)


def _keep_key_set(keys: KeySet) -> Script[None]:
    values = {
        "jwks_uri": keys.jwks_uri,
        "jwks": json.dumps(keys.jwks, ensure_ascii=False),
        "fetched_at": keys.fetched_at,
        "expires_at": keys.expires_at,
    }
    yield Statement(_KEEP_KEY_SET, values)


def _use_assertion(client_id: str, jti: str, expires_at: int) -> Script[bool]:
    return bool((yield Statement(_USE_ASSERTION, {"client_id": client_id, "jti": jti, "expires_at": expires_at})))
