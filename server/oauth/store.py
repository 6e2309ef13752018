"""The port to storage that the authorization server needs. One method is one transaction."""

from typing import Protocol

from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Counts,
    Grant,
    HeldRefreshToken,
    LiveAccessToken,
    RefreshToken,
    User,
)


class StoreUnavailable(Exception):  # noqa: N818 - it names a state, and becomes a 503
    """The database cannot be read or written just now; nothing was changed."""


class Store(Protocol):
    """Clients, requests, codes, grants and tokens, kept durably.

    Reads answer ``None`` for what is not there. Writes that may lose a race or meet a row that has
    meanwhile gone answer ``False`` and have then changed nothing. Every method raises
    `StoreUnavailable` when the database cannot serve it within 5 seconds.
    """

    async def add_client(self, client: Client) -> None:
        """Keep a new client."""

    async def get_client(self, client_id: str) -> Client | None:
        """Give the client, or ``None``."""

    async def add_authorization_request(self, request: AuthorizationRequest) -> None:
        """Keep a validated request until its user decides."""

    async def get_authorization_request(self, handle_digest: str) -> AuthorizationRequest | None:
        """Give the request, decided and expired ones too, or ``None``."""

    async def open_authorization_request(self, handle_digest: str, browser_digest: str, now: int) -> bool:
        """Bind a pending, unexpired request that no browser has opened; ``False`` when there is no such request."""

    async def approve_authorization_request(
        self, handle_digest: str, user: User, code: AuthorizationCode, now: int
    ) -> bool:
        """Decide a pending, unexpired request: keep its user, if new, and its code.

        A user who comes back after their row was deleted starts afresh: whatever grants were still
        open under the same ``user_id`` are revoked. ``False`` when the request was decided already,
        has expired or is gone, when its client is gone, or when the user is disabled.
        """

    async def deny_authorization_request(self, handle_digest: str, now: int) -> bool:
        """Decide a pending, unexpired request without a code; ``False`` as for approving."""

    async def get_authorization_code(self, code_digest: str) -> AuthorizationCode | None:
        """Give the code, used and expired ones too, or ``None``."""

    async def redeem_authorization_code(
        self, code_digest: str, grant: Grant, access: AccessToken, refresh: RefreshToken | None, now: int
    ) -> bool:
        """Use up a code that is unused, unexpired and of a live client and user, and keep what it yields."""

    async def get_access_token(self, token_digest: str, now: int) -> LiveAccessToken | None:
        """Give the token if it, its grant, its client and its user are all live, else ``None``."""

    async def get_refresh_token(self, token_digest: str, now: int) -> HeldRefreshToken | None:
        """Give the token with its grant, used and expired ones too, or ``None``."""

    async def rotate_refresh_token(
        self, token_digest: str, successor: RefreshToken, access: AccessToken, now: int
    ) -> bool:
        """Use a refresh token for the first time, if its grant is live: keep its successor and the access token."""

    async def add_access_token(self, access: AccessToken, now: int) -> bool:
        """Keep a further access token of a live grant."""

    async def revoke_access_token(self, token_digest: str, now: int) -> bool:
        """End one access token; ``False`` when it was over already."""

    async def revoke_grant(self, grant_id: str, reason: str, now: int) -> bool:
        """End a grant and with it every token of its family; ``False`` when it was over already."""

    async def count_live(self, now: int) -> Counts:
        """Count the live rows."""
