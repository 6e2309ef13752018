"""The domain's values and errors in the SDK's words."""

from collections.abc import Iterable
from functools import cached_property
from typing import cast, get_args

from mcp.server.auth import provider as sdk
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull
from pydantic import AnyUrl, Field, ValidationError

from server.oauth import redirect, scopes
from server.oauth.bearer import Caller
from server.oauth.errors import OAuthError, TemporarilyUnavailable
from server.oauth.model import Client
from server.oauth.store import StoreUnavailable
from server.settings import Settings


class StoredClient(OAuthClientInformationFull):
    """A stored client as the SDK's handlers look at it; redirect URIs and scopes are judged by the domain's rules."""

    registered: tuple[str, ...] = Field(default=(), exclude=True)
    """The redirect URIs exactly as they were registered; a parsed URL may be written otherwise."""

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """Give the redirect URI to use; on loopback its port may differ (RFC 8252 section 7.3).

        Raises:
            InvalidRedirectUriError: It is not registered, or left out though there are several.
        """
        if redirect_uri is None:
            return super().validate_redirect_uri(None)
        known = as_registered(self.registered, redirect_uri)
        if known is None:
            raise InvalidRedirectUriError(f"Redirect URI '{redirect_uri}' not registered for client")
        return AnyUrl(known)

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        """Split the scopes; whether they can be granted is decided when the request is kept."""
        return None if requested_scope is None else list(scopes.split(requested_scope))


def all_held(granted: Iterable[str], settings: Settings) -> list[str]:
    """Give scopes with all that they imply, since the SDK compares names; in the order of ``OAUTH_VALID_SCOPES``."""
    held = scopes.with_implied(granted, settings)
    known = [scope for scope in settings.oauth_valid_scopes if scope in held]
    return known + sorted(held.difference(known))


def access_token(caller: Caller, issuer: str) -> sdk.AccessToken:
    """Describe the holder of a live access token in the SDK's words, for tools to read; a machine has no subject."""
    user = caller.user
    return sdk.AccessToken(
        token=caller.token,
        client_id=caller.access.client_id,
        scopes=list(caller.access.scopes),
        expires_at=caller.access.expires_at,
        resource=caller.access.audience,
        subject=None if user is None else user.user_id,
        claims={"iss": issuer, "name": user and user.name, "email": user and user.email},
    )


class Holder(AuthenticatedUser):
    """The holder of a live access token, described once a tool asks for it; many never do.

    The SDK's own constructor, which wants the description at once, is not called.
    """

    def __init__(self, caller: Caller, settings: Settings) -> None:
        """Stand for a caller in one request."""
        self.username = caller.access.client_id
        self._caller = caller
        self._settings = settings

    @cached_property
    def access_token(self) -> sdk.AccessToken:  # type: ignore[override]  # can be set, as in the base class
        """The token in the SDK's words, as `access_token` has it."""
        return access_token(self._caller, self._settings.issuer)

    @cached_property
    def scopes(self) -> list[str]:  # type: ignore[override]  # the same
        """The scopes that were granted."""
        return self.access_token.scopes


def stored_client(client: Client) -> StoredClient:
    """Put a client in the SDK's words; a URL that the SDK cannot parse is left out."""
    rest = {name: value for name, value in client.metadata.items() if not name.endswith("_uri") or _parsed(value)}
    return StoredClient.model_validate(
        {
            **rest,
            "client_id": client.client_id,
            "client_id_issued_at": client.created_at,
            "client_name": client.client_name,
            "redirect_uris": [uri for uri in client.redirect_uris if _parsed(uri)],
            "registered": client.redirect_uris,
            "token_endpoint_auth_method": client.token_endpoint_auth_method,
            "grant_types": client.grant_types,
            "response_types": client.response_types,
            "scope": client.scope,
        }
    )


def as_registered(registered: Iterable[str], presented: AnyUrl) -> str | None:
    """Find the redirect URI that was sent, as it was registered: parsing may have written it otherwise."""
    text = str(presented)
    for uri in registered:
        if text in {uri, str(_parsed(uri) or uri)}:
            return uri
        if redirect.matches(uri, text):
            return text
    return None


def _parsed(text: object) -> AnyUrl | None:
    try:
        return AnyUrl(str(text))
    except ValidationError:
        return None


def registration_error(error: OAuthError) -> sdk.RegistrationError:
    """Name a registration's error in the SDK's words (RFC 7591 section 3.2.2)."""
    code = error.code if error.code in get_args(sdk.RegistrationErrorCode) else "invalid_client_metadata"
    return sdk.RegistrationError(cast(sdk.RegistrationErrorCode, code), error.description)


def authorize_error(error: OAuthError) -> sdk.AuthorizeError:
    """Name an authorization request's error in the SDK's words (RFC 6749 section 4.1.2.1)."""
    code = error.code if error.code in get_args(sdk.AuthorizationErrorCode) else "invalid_request"
    return sdk.AuthorizeError(cast(sdk.AuthorizationErrorCode, code), error.description)


def token_error(error: OAuthError) -> sdk.TokenError | StoreUnavailable:
    """Name a token request's error in the SDK's words (RFC 6749 section 5.2).

    The SDK has no word for "try again", and any other might cost the client a good token.
    """
    if isinstance(error, TemporarilyUnavailable):
        return StoreUnavailable(error.description)
    code = error.code if error.code in get_args(sdk.TokenErrorCode) else "invalid_request"
    return sdk.TokenError(cast(sdk.TokenErrorCode, code), error.description)
