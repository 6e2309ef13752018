"""The conversation with the provider: its metadata and keys, the code exchanged, the user's claims."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

from server.identity.oidc import discovery, id_token, person, token_request
from server.identity.oidc.discovery import Metadata
from server.identity.oidc.errors import Misconfigured, Unreachable, Untrusted
from server.identity.oidc.hop import Hop
from server.identity.oidc.person import Person
from server.identity.oidc.registration import Registration
from server.oauth.remote import STALE, Fetcher, Remote, RemoteError, Reply

REFETCH = 30
"""Seconds between fetches of the keys for the sake of one that is not among them."""

_MAX_KEYS = 256 * 1024 + 1  # another limit than the metadata's, by which `Remote` tells the two apart
_MAX_ANSWER = 64 * 1024

T = TypeVar("T")

log = logging.getLogger(__name__)


class Http(Fetcher, Protocol):
    """Asks the provider; raises `RemoteError` when it does not answer in full and in time."""

    async def ask(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None, limit: int) -> Reply:
        """Send a GET, or a POST if there is a form, and give the answer of at most ``limit`` bytes."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """Something that was fetched, and until when it is good."""

    value: T
    fetched_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the ID token that says so."""

    person: Person
    id_token: str = field(repr=False)


class Upstream:
    """The provider, as this server talks to it; what it says of itself is kept in memory."""

    def __init__(self, registration: Registration, http: Http) -> None:
        """Talk to the provider at which this server is registered so."""
        self.registration = registration
        self._http = http
        self._remote = Remote(http)
        self._metadata: _Kept[Metadata] | None = None
        self._keys: _Kept[dict[str, Any]] | None = None

    async def metadata(self, now: int) -> Metadata:
        """Give what the provider says of itself; while it cannot be asked, what it said up to a day ago.

        Raises:
            Unreachable: It cannot be asked.
            Misconfigured: It is not the provider that the settings name.
        """
        return (await self._kept(self._metadata, self._fetch_metadata, now)).value

    async def sign_in(self, code: str, hop: Hop, now: int, *, email_needed: bool) -> SignedIn:
        """Exchange a code, and learn who signed in.

        Args:
            code: The authorization code that the browser brought.
            hop: What was asked.
            now: Unix seconds.
            email_needed: Whether the sign-in fails when the provider cannot be asked for a missing e-mail address.

        Raises:
            UpstreamError: One of its kinds, each for what went wrong.
        """
        metadata = await self.metadata(now)
        headers, form = token_request.write(code, hop.verifier, metadata, self.registration)
        answer = token_request.read(await self._ask(metadata.token_endpoint, headers, form))
        claims = await self._verified(answer.id_token, metadata, now)
        issuer, subject = id_token.check_claims(claims, metadata, self.registration, hop, now)
        name, email = person.name(claims), person.email(claims, self.registration)
        if person.is_silent(claims, self.registration) and metadata.userinfo_endpoint and answer.access_token:
            more = await self._userinfo(metadata.userinfo_endpoint, answer.access_token, subject, needed=email_needed)
            name, email = name or person.name(more), person.email(more, self.registration)
        return SignedIn(Person(issuer, subject, name, email), answer.id_token)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._remote.close()

    async def _verified(self, token: str, metadata: Metadata, now: int) -> id_token.Claims:
        """Give the claims of an ID token that one of the provider's keys has signed; newer ones are fetched for it."""
        keys = await self._kept(self._keys, self._fetch_keys, now)
        if not id_token.is_signed(token, keys.value, metadata, self.registration):
            if now < keys.fetched_at + REFETCH:
                raise Untrusted("the ID token is not good: no key of the provider has signed it")
            log.info("Fetching the provider's keys anew: none of those that are known has signed an ID token")
            newer = await self._kept(None, self._fetch_keys, now)
            if not id_token.is_signed(token, newer.value, metadata, self.registration):
                raise Untrusted("the ID token is not good: no key of the provider has signed it")
        return id_token.take_apart(token).claims

    async def _userinfo(self, url: str, access_token: str, subject: str, *, needed: bool) -> dict[str, Any]:
        """Ask for what the ID token leaves out (OpenID Connect Core section 5.3); its ``sub`` must be the same."""
        try:
            reply = await self._ask(url, {"Authorization": f"Bearer {access_token}"})
            claims = _claims(reply)
        except (Unreachable, ValueError, RecursionError) as error:
            if needed:
                raise Unreachable(f"no e-mail address can be had: {error}") from None
            log.warning("Signing in without an e-mail address: %s", error)
            return {}
        if claims.get("sub") != subject:
            raise Untrusted("the UserInfo endpoint answered for another sub than the ID token's")
        return claims

    async def _ask(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Reply:
        try:
            return await self._http.ask(url, headers, form, _MAX_ANSWER)
        except RemoteError as error:
            raise Unreachable(f"{url}: {error.reason} {error.detail}".rstrip()) from None

    async def _kept(self, kept: _Kept[T] | None, fetch: Callable[[int], Awaitable[_Kept[T]]], now: int) -> _Kept[T]:
        """Give what is kept while it is good, or fetch it; what is stale serves on while it cannot be fetched."""
        if kept is not None and now < kept.expires_at:
            return kept
        try:
            return await fetch(now)
        except RemoteError as error:
            if kept is None or now >= kept.expires_at + STALE:
                raise Unreachable(f"{error.reason} {error.detail}".rstrip()) from None
            log.warning("The provider cannot be asked; what it said last goes on: %s %s", error.reason, error.detail)
            return kept

    async def _fetch_metadata(self, now: int) -> _Kept[Metadata]:
        async def keep(document: dict[str, Any], expires_at: int) -> _Kept[Metadata]:
            self._metadata = _Kept(discovery.read(document, self.registration), now, expires_at)
            return self._metadata

        return await self._renew(self.registration.discovery_url, discovery.MAX_BYTES, keep, now)

    async def _fetch_keys(self, now: int) -> _Kept[dict[str, Any]]:
        async def keep(document: dict[str, Any], expires_at: int) -> _Kept[dict[str, Any]]:
            if not isinstance(document.get("keys"), list):
                raise Misconfigured("what is at its jwks_uri is not a JSON Web Key Set")
            self._keys = _Kept(document, now, expires_at)
            return self._keys

        return await self._renew((await self.metadata(now)).jwks_uri, _MAX_KEYS, keep, now)

    async def _renew(self, url: str, limit: int, keep: Callable[[dict[str, Any], int], Awaitable[T]], now: int) -> T:
        """Fetch and keep a document; an error says whose address could not be read."""
        try:
            return await self._remote.renew(url, limit, keep, now)
        except RemoteError as error:
            raise RemoteError(f"{url}: {error.reason}", detail=error.detail) from None


def _claims(reply: Reply) -> dict[str, Any]:
    """Read a UserInfo answer; raises `ValueError` when it is none."""
    decoded = json.loads(reply.body) if reply.status == HTTPStatus.OK else None
    if isinstance(decoded, dict):
        return decoded
    raise ValueError(f"the UserInfo endpoint answered {reply.status}, and no JSON object")
