"""Client authentication at the token, revocation and introspection endpoints (RFC 6749 section 2.3)."""

import hmac
from dataclasses import dataclass, field

from server.oauth import assertions, directory, presented, tokens
from server.oauth.clients import NO_SECRET, PRIVATE_KEY_JWT
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.oauth.model import Client, Held

_SHOWN = 64  # characters of a client id from outside that the log shows


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought to authenticate its client, each in a place of its own."""

    basic: tuple[str, str] | None = field(default=None, repr=False)
    """Client id and secret of an ``Authorization: Basic`` header, decoded."""
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)
    """``client_assertion`` (RFC 7521 section 4.2)."""
    assertion_type: str | None = None

    @property
    def used(self) -> frozenset[str]:
        """The methods that were used; none at all is the method ``none``, and more than one is too many."""
        brought = {
            "client_secret_basic": self.basic,
            "client_secret_post": self.client_secret,
            PRIVATE_KEY_JWT: self.assertion or self.assertion_type,
        }
        return frozenset(method for method, proof in brought.items() if proof) or frozenset({NO_SECRET})

    @property
    def named(self) -> str | None:
        """The client that the request names, unproven: in the header, else by ``client_id``, else by its assertion.

        Raises:
            InvalidClient: Only the assertion could name it, and it cannot be read.
        """
        if self.basic:
            return self.basic[0]
        return self.client_id or (assertions.subject(self.assertion) if self.assertion else None)


async def authenticate(credentials: Credentials, secret: str | None, ctx: Context) -> tuple[Client, Held | None]:
    """Authenticate a client by its registered method and no other; a URL client by any that its document lists.

    Args:
        credentials: What authenticates it.
        secret: A code or token that it presents, looked up in the same read; it need not be the client's.
        ctx: The request's context.

    Raises:
        InvalidClient: It is unknown, its proof is wrong, missing or in the other place, or it brought one though
            it has none.
        TemporarilyUnavailable: Its document or its keys cannot be fetched, and the last good ones are too old.
    """
    client_id = credentials.named
    if not client_id:
        raise InvalidClient("the request names no client; send client_id")
    stored, held = await presented.look_up(client_id, secret, ctx)
    client = await directory.known(stored, ctx)
    if client is None:
        raise InvalidClient(
            "this client is not registered here; register it again", detail=f"client {client_id[:_SHOWN]!r}"
        )
    if credentials.basic and credentials.client_id not in {None, client_id}:
        raise InvalidClient("the Authorization header and client_id name different clients")
    used = credentials.used
    if not used <= set(client.auth_methods):
        methods = " or ".join(client.auth_methods)
        raise InvalidClient(f"this client is registered for {methods} and must authenticate so")
    if used != {NO_SECRET}:
        await _prove(client, credentials, used, ctx)
    return client, held


async def _prove(client: Client, credentials: Credentials, used: frozenset[str], ctx: Context) -> None:
    """Check the proof of the one method that was used."""
    if used == {PRIVATE_KEY_JWT}:
        if credentials.assertion is None or credentials.assertion_type != assertions.ASSERTION_TYPE:
            raise InvalidClient(f"send client_assertion, and {assertions.ASSERTION_TYPE} as client_assertion_type")
        await assertions.verify(credentials.assertion, client, ctx)
    else:
        offered = credentials.basic[1] if credentials.basic else credentials.client_secret
        if not _is_secret(client, offered or ""):
            raise InvalidClient("the client secret is wrong", detail=f"client {client.client_id[:_SHOWN]!r}")


def _is_secret(client: Client, offered: str) -> bool:
    return client.secret_digest is not None and hmac.compare_digest(client.secret_digest, tokens.digest(offered))
