"""One class per error on the wire (RFC 6749 sections 4.1.2.1 and 5.2, 6750, 7591, 8707).

The description is for the client's developer and goes out; what only the log may know goes to
``detail``. Neither holds a secret.
"""

from typing import ClassVar


class OAuthError(Exception):
    """An error that has a code of its own in the protocol."""

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, description: str, *, detail: str = "") -> None:
        """Describe what was wrong and what to do, in printable ASCII without quotes or backslashes."""
        super().__init__(description)
        self.description = description
        self.detail = detail


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or malformed (RFC 6749 section 5.2)."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown or did not authenticate as registered (RFC 6749 section 5.2)."""

    code = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    """The code or refresh token is wrong, over, used up or another client's (RFC 6749 section 5.2)."""

    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client may not use this grant type (RFC 6749 section 5.2)."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The grant type is not served (RFC 6749 section 5.2)."""

    code = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """The response type is not served (RFC 6749 section 4.1.2.1)."""

    code = "unsupported_response_type"


class InvalidScope(OAuthError):
    """A scope is unknown or exceeds what was granted (RFC 6749 section 5.2)."""

    code = "invalid_scope"


class InvalidTarget(OAuthError):
    """The resource is not this server (RFC 8707 section 2)."""

    code = "invalid_target"


class AccessDenied(OAuthError):
    """The user said no (RFC 6749 section 4.1.2.1)."""

    code = "access_denied"


class LoginRequired(OAuthError):
    """``prompt=none``, but nobody is signed in (OpenID Connect Core section 3.1.2.6)."""

    code = "login_required"


class ConsentRequired(OAuthError):
    """``prompt=none``, but the user has to be asked (OpenID Connect Core section 3.1.2.6)."""

    code = "consent_required"


class RequestNotSupported(OAuthError):
    """The ``request`` parameter is not served (OpenID Connect Core section 3.1.2.6)."""

    code = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    """The ``request_uri`` parameter is not served (OpenID Connect Core section 3.1.2.6)."""

    code = "request_uri_not_supported"


class InvalidRedirectUri(OAuthError):
    """No redirect URI of a registration can be accepted (RFC 7591 section 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """A registration asks for what cannot be had (RFC 7591 section 3.2.2)."""

    code = "invalid_client_metadata"


class ServerError(OAuthError):
    """The server failed, or one that it depends on (RFC 6749 section 4.1.2.1)."""

    code = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """The server cannot answer just now; nothing was changed (RFC 6749 section 4.1.2.1)."""

    code = "temporarily_unavailable"
    status = 503


class TooManyRequests(TemporarilyUnavailable):
    """The address is over its rate limit (RFC 6585 section 4); the code is the registered one that says so."""

    status = 429

    def __init__(self, wait: int) -> None:
        """Say after how many whole seconds the next request will be let through."""
        super().__init__(f"this address sends too many requests; wait {wait} s")
        self.wait = wait


class InvalidToken(OAuthError):
    """The access token is malformed, over or for another audience (RFC 6750 section 3.1)."""

    code = "invalid_token"
    status = 401


class InsufficientScope(OAuthError):
    """The access token lacks a scope that the operation needs (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    status = 403


class RedirectError(Exception):
    """An authorization request failed after its client and redirect URI were known to be good.

    It goes back to the client by redirect (RFC 6749 section 4.1.2.1, RFC 9207).
    """

    def __init__(self, error: OAuthError, redirect_uri: str, state: str | None) -> None:
        """Say what failed, where the answer goes, and the state exactly as it was received."""
        super().__init__(error.description)
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state


class PageError(Exception):
    """Something that only the person at the browser can be told."""

    def __init__(self, title: str, message: str, advice: str, *, status: int = 400) -> None:
        """Say what happened, in a heading and a sentence, and what to do about it."""
        super().__init__(message)
        self.title = title
        self.message = message
        self.advice = advice
        self.status = status
