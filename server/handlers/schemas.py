"""The shapes of what the OAuth endpoints take and answer (JSON Schema 2020-12, as OpenAPI 3.1 has it)."""

from typing import Any

from server.oauth import clients
from server.oauth.scopes import identity
from server.settings import Settings

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_URI = {"type": "string", "format": "uri"}
_TIME = {"type": "integer", "description": "Unix seconds."}

CLIENT_AUTHENTICATION = {
    "client_id": {**_TEXT, "description": "Unless it is in the Authorization header or the assertion."},
    "client_secret": {**_TEXT, "description": "For `client_secret_post`."},
    "client_assertion": {**_TEXT, "description": "For `private_key_jwt` (RFC 7523 section 2.2)."},
    "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
}

_SCOPE = {**_TEXT, "description": "Scopes separated by spaces (RFC 6749 section 3.3)."}
_RESOURCE = {**_TEXT, "description": "The MCP endpoint; it may be repeated (RFC 8707 section 2)."}

AUTHORIZATION = {
    "type": "object",
    "required": ["client_id", "response_type", "code_challenge", "code_challenge_method"],
    "properties": {
        "client_id": _TEXT,
        "response_type": {"const": "code"},
        "code_challenge": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
        "code_challenge_method": {"const": "S256"},
        "redirect_uri": {**_TEXT, "description": "May be left out where just one is registered."},
        "state": _TEXT,
        "scope": _SCOPE,
        "resource": _RESOURCE,
        "response_mode": {"const": "query"},
        "nonce": {**_TEXT, "description": "Repeated in the ID token."},
        "prompt": {**_TEXT, "description": "OpenID Connect Core section 3.1.2.1."},
        "login_hint": _TEXT,
        "max_age": {"type": "string", "pattern": "^[0-9]{1,9}$", "description": "Seconds since the sign-in."},
    },
}

APPROVAL = {
    "type": "object",
    "required": ["request", "decision"],
    "properties": {
        "request": {**_TEXT, "description": "Names the request that waits."},
        "decision": {"enum": ["approve", "deny"]},
        "scope": {**_TEXTS, "description": "The scopes that the user kept."},
    },
}

TOKEN_REQUEST = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": ["authorization_code", "refresh_token", "client_credentials"]},
        "code": _TEXT,
        "code_verifier": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
        "redirect_uri": {**_TEXT, "description": "May be left out; where it is sent it must be that of the code."},
        "refresh_token": _TEXT,
        "scope": _SCOPE,
        "resource": _RESOURCE,
        **CLIENT_AUTHENTICATION,
    },
}


def schemas(settings: Settings) -> dict[str, Any]:
    """Give the named shapes."""
    return {
        "Error": _object(
            ("error", "error_description"),
            error={**_TEXT, "description": "RFC 6749 section 5.2, or the HTTP status in words."},
            error_description=_TEXT,
            request_id={**_TEXT, "description": "The answer's `X-Request-Id`, which the log has too."},
        ),
        "Nothing": {"type": "object", "maxProperties": 0},
        "Token": _token(settings),
        **({"User": _user(settings), "KeySet": _KEY_SET} if identity(settings) else {}),
        "Introspection": _INTROSPECTION,
        "Stats": _stats(settings),
        "ClientMetadata": _object((), **_client_metadata()),
        "ClientInformation": _client_information(),
        "ServerMetadata": _server_metadata(settings),
        "ResourceMetadata": _resource_metadata(settings),
    }


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _token(settings: Settings) -> dict[str, Any]:
    """Describe what the token endpoint answers (RFC 6749 section 5.1)."""
    id_token = {**_TEXT, "description": "OpenID Connect Core section 2."}
    return _object(
        ("access_token", "token_type", "expires_in", "scope"),
        access_token=_TEXT,
        token_type={"const": "Bearer"},
        expires_in={"type": "integer", "minimum": 1, "description": "Seconds."},
        scope=_SCOPE,
        refresh_token=_TEXT,
        **({"id_token": id_token} if identity(settings) else {}),
    )


_INTROSPECTION = _object(
    ("active",),
    active={"type": "boolean"},
    **dict.fromkeys(("client_id", "username", "sub"), _TEXT),
    **dict.fromkeys(("exp", "iat"), _TIME),
    **dict.fromkeys(("aud", "iss"), _URI),
    scope=_SCOPE,
    token_type={"const": "Bearer"},
)


def _stats(settings: Settings) -> dict[str, Any]:
    counts = ("clients", "authorization_codes", "access_tokens", "refresh_tokens")
    return _object(
        ("oauth_enabled", *counts, "issuer_url", "valid_scopes", "default_scopes", "provider"),
        oauth_enabled={"const": True},
        **{name: {"type": "integer", "minimum": 0} for name in counts},
        issuer_url={"const": settings.issuer},
        valid_scopes=_TEXTS,
        default_scopes=_TEXTS,
        provider=_TEXT,
    )


_REGISTERED = ("redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types")
_MANAGED = ("registration_access_token", "registration_client_uri")
_LISTS = (
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    *(
        f"{endpoint}_endpoint_auth_{what}_supported"
        for endpoint in ("token", "revocation", "introspection")
        for what in ("methods", "signing_alg_values")
    ),
)


def _client_information() -> dict[str, Any]:
    """Describe what a client is told of itself (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    return _object(
        ("client_id", "client_id_issued_at", *_REGISTERED, *_MANAGED),
        client_id=_TEXT,
        client_id_issued_at=_TIME,
        client_secret={**_TEXT, "description": "Told only when it is made."},
        client_secret_expires_at={"const": 0},
        registration_access_token=_TEXT,
        registration_client_uri=_URI,
        **_client_metadata(),
    )


def _client_metadata() -> dict[str, Any]:
    """Describe what a client says of itself (RFC 7591 section 2)."""
    links = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
    texts = ("client_name", "scope", "software_id", "software_version", "application_type")
    return {
        "redirect_uris": {**_TEXTS, "maxItems": clients.MAX_REDIRECT_URIS},
        "token_endpoint_auth_method": {"type": "string", "examples": list(clients.AUTH_METHODS)},
        "token_endpoint_auth_signing_alg": _TEXT,
        "grant_types": _TEXTS,
        "response_types": _TEXTS,
        **dict.fromkeys((*texts, *links), _TEXT),
        "contacts": _TEXTS,
        "jwks": {"type": "object"},
        "jwks_uri": _TEXT,
    }


def _server_metadata(settings: Settings) -> dict[str, Any]:
    base = settings.server_url
    properties: dict[str, Any] = {
        "issuer": {"const": settings.issuer},
        "authorization_endpoint": {"const": f"{base}/authorize"},
        "token_endpoint": {"const": f"{base}/token"},
        "registration_endpoint": {"const": f"{base}/register"},
        "revocation_endpoint": {"const": f"{base}/revoke"},
        "introspection_endpoint": {"const": f"{base}/introspect"},
        "authorization_response_iss_parameter_supported": {"const": True},
        "client_id_metadata_document_supported": {"type": "boolean"},
        "service_documentation": _URI,
        **dict.fromkeys(_LISTS, _TEXTS),
    }
    if settings.oauth_dcr == "off":
        del properties["registration_endpoint"]
    if identity(settings):
        lists = ("subject_types_supported", "id_token_signing_alg_values_supported", "claims_supported")
        properties |= {"userinfo_endpoint": {"const": f"{base}/userinfo"}, "jwks_uri": {"const": f"{base}/jwks"}}
        properties |= {"request_uri_parameter_supported": {"const": False}, **dict.fromkeys(lists, _TEXTS)}
    return _object(tuple(properties), **properties)


def _resource_metadata(settings: Settings) -> dict[str, Any]:
    """Describe the protected resource's metadata (RFC 9728 section 2)."""
    return _object(
        ("resource", "authorization_servers", "scopes_supported", "bearer_methods_supported"),
        resource={"const": settings.resource},
        authorization_servers={"type": "array", "items": {"const": settings.issuer}},
        scopes_supported=_TEXTS,
        bearer_methods_supported={"type": "array", "items": {"const": "header"}},
        resource_name=_TEXT,
        resource_documentation=_URI,
    )


_KEY_SET = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object", "required": ["kty", "kid", "use", "alg"]}}},
}


def _user(settings: Settings) -> dict[str, Any]:
    """Describe what UserInfo tells (OpenID Connect Core section 5.3.2)."""
    granted = identity(settings)
    email = {"email": _TEXT, "email_verified": {"const": True}} if "email" in granted else {}
    return _object(("sub",), sub=_TEXT, **email, **({"name": _TEXT} if "profile" in granted else {}))
