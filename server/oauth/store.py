"""The port to storage that the authorization server needs. One method is one transaction."""

from typing import Protocol

from server.oauth.audit import Event
from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Consent,
    Counts,
    Grant,
    Held,
    HeldRefreshToken,
    KeySet,
    LiveAccessToken,
    RefreshToken,
    User,
)
from server.oauth.signing import KeyStore


class StoreUnavailable(Exception):  # noqa: N818 - it names a state, and becomes a 503
    """The database cannot be read or written just now; nothing was changed."""


class Store(KeyStore, Protocol):
    """Clients, requests, codes, grants, tokens and signing keys, kept durably.

    Reads answer ``None`` for what is not there. Writes that may lose a race or meet a row that has
    meanwhile gone answer ``False`` and have then changed nothing. Every method raises
    `StoreUnavailable` when the database cannot serve it within 5 seconds. An event is kept in the audit
    log together with what it tells of, or not at all.
    """

    async def add_client(self, client: Client, event: Event | None = None) -> None:
        """Keep a new client."""

    async def get_client(self, client_id: str) -> Client | None:
        """Give the client, or ``None``."""

    async def keep_described_client(
        self, client: Client, now: int, new: Event | None = None, updated: Event | None = None
    ) -> None:
        """Keep a client as its document describes it, new or anew.

        ``new`` is the event if no such client was kept, and ``updated`` if one was, but with another name, other
        redirect URIs, keys or ways to authenticate.

        One that comes back after its row was deleted starts afresh: whatever grants and codes were
        still open under the same ``client_id`` are ended.
        """

    async def get_key_set(self, jwks_uri: str) -> KeySet | None:
        """Give the keys that were fetched from there last, or ``None``."""

    async def keep_key_set(self, keys: KeySet) -> None:
        """Keep keys in place of those fetched from there before."""

    async def use_assertion(self, client_id: str, jti: str, expires_at: int) -> bool:
        """Use up a client's assertion for good; ``False`` when it was used before."""

    async def update_client(self, client: Client, event: Event | None = None) -> bool:
        """Replace what a client says of itself, its method and its secret, and keep that it was used.

        ``False`` when it is gone or its registration token is another by now.
        """

    async def delete_client(self, client_id: str, event: Event | None = None) -> bool:
        """Remove a client, and with it all that it was granted; ``False`` when it was gone already."""

    async def has_machine_client(self) -> bool:
        """Tell whether there is a client that may use client credentials."""

    async def add_authorization_request(self, request: AuthorizationRequest) -> None:
        """Keep a validated request until its user decides."""

    async def get_authorization_request(self, handle_digest: str) -> AuthorizationRequest | None:
        """Give the request, decided and expired ones too, or ``None``."""

    async def get_request_and_client(
        self, handle_digest: str, user_id: str | None = None
    ) -> tuple[AuthorizationRequest | None, Client | None, bool]:
        """Give the request, decided and expired ones too, and its client, each or ``None``.

        In the same read it is found out whether a user, if there is such a one, is disabled.
        """

    async def open_authorization_request(self, handle_digest: str, browser_digest: str, now: int) -> bool:
        """Bind a pending, unexpired request that no browser has opened; ``False`` when there is no such request."""

    async def approve_authorization_request(
        self,
        handle_digest: str,
        user: User,
        code: AuthorizationCode,
        now: int,
        consent: Consent | None = None,
        event: Event | None = None,
    ) -> bool:
        """Decide a pending, unexpired request: keep its user, if new, its code, and what is to be remembered.

        A user who comes back after their row was deleted starts afresh: whatever grants were still
        open under the same ``user_id`` are revoked, and whatever was remembered is forgotten. ``False``
        when the request was decided already, has expired or is gone, when its client is gone, or when
        the user is disabled.
        """

    async def deny_authorization_request(
        self, handle_digest: str, now: int, consent: Consent | None = None, event: Event | None = None
    ) -> bool:
        """Decide a pending, unexpired request without a code; ``False`` as for approving."""

    async def get_user(self, user_id: str) -> User | None:
        """Give the user, disabled ones too, or ``None``."""

    async def get_consented_scopes(
        self, user_id: str, client_id: str, redirect_uri: str, fingerprint: str, now: int
    ) -> tuple[str, ...]:
        """Give the scopes that a live user allowed a client and that are still remembered; empty if there are none."""

    async def forget_application(
        self, user_id: str, client_id: str, reason: str, now: int, event: Event | None = None
    ) -> int:
        """End what a user allowed a client: consents, unused codes and grants; gives how many grants there were."""

    async def get_authorization_code(self, code_digest: str) -> AuthorizationCode | None:
        """Give the code, used and expired ones too, or ``None``."""

    async def redeem_authorization_code(
        self,
        code_digest: str,
        grant: Grant,
        access: AccessToken,
        refresh: RefreshToken | None,
        now: int,
        event: Event | None = None,
    ) -> bool:
        """Use up a code that is unused, unexpired and of a live client and user, and keep what it yields."""

    async def add_machine_grant(self, grant: Grant, access: AccessToken, now: int, event: Event | None = None) -> bool:
        """Keep a grant without a user and its one access token, if its client is live."""

    async def get_access_token(self, token_digest: str, now: int) -> LiveAccessToken | None:
        """Give the token if it, its grant, its client and its user, if it has one, are all live, else ``None``."""

    async def get_refresh_token(self, token_digest: str, now: int) -> HeldRefreshToken | None:
        """Give the token with its grant, used and expired ones too, or ``None``."""

    async def get_client_and_held(
        self, client_id: str, prefix: str, secret_digest: str, now: int
    ) -> tuple[Client | None, Held | None]:
        """Give a client and, in the same read, what is kept of a code or token that it presents.

        The prefix is that of `server.oauth.tokens` for its kind, and each kind is given as by its own method.
        """

    async def rotate_refresh_token(
        self, token_digest: str, successor: RefreshToken, access: AccessToken, now: int, event: Event | None = None
    ) -> bool:
        """Use a refresh token for the first time, if its grant is live: keep its successor and the access token."""

    async def add_access_token(self, access: AccessToken, now: int, event: Event | None = None) -> bool:
        """Keep a further access token of a live grant."""

    async def revoke_access_token(self, token_digest: str, now: int, event: Event | None = None) -> bool:
        """End one access token; ``False`` when it was over already."""

    async def revoke_grant(self, grant_id: str, reason: str, now: int, event: Event | None = None) -> bool:
        """End a grant and with it every token of its family; ``False`` when it was over already."""

    async def count_live(self, now: int) -> Counts:
        """Count the live rows."""
