"""The documents by which a client finds its way (RFC 8414 and RFC 9728)."""

from server.oauth import clients, jwks, openid, scopes, signing
from server.settings import Settings


def authorization_server(settings: Settings, *, machines: bool) -> dict[str, object]:
    """Describe the authorization server (RFC 8414 section 2, RFC 9207 section 3); only what works is named.

    Args:
        settings: The server's settings.
        machines: Whether there is a client that may use client credentials.
    """
    base = settings.server_url
    methods, algorithms = list(clients.AUTH_METHODS), list(jwks.ALGORITHMS)
    document: dict[str, object] = {
        "issuer": settings.issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "registration_endpoint": f"{base}/register",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "scopes_supported": [*settings.oauth_valid_scopes, scopes.OFFLINE_ACCESS],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [*clients.GRANT_TYPES, *([clients.CLIENT_CREDENTIALS] if machines else [])],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": settings.oauth_cimd,
        "service_documentation": f"{base}/",
    }
    if settings.oauth_dcr == "off":
        del document["registration_endpoint"]
    return document | _openid(settings)


def _openid(settings: Settings) -> dict[str, object]:
    """Describe the OpenID provider, where it is one (OpenID Connect Discovery section 3)."""
    if not scopes.identity(settings):
        return {}
    return {
        "userinfo_endpoint": f"{settings.server_url}/userinfo",
        "jwks_uri": f"{settings.server_url}/jwks",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [signing.ALGORITHM],
        "claims_supported": openid.claims_supported(settings),
        "request_uri_parameter_supported": False,  # a client takes its absence for true
    }


def protected_resource(settings: Settings, name: str) -> dict[str, object]:
    """Describe the MCP endpoint as a protected resource (RFC 9728 section 2).

    Scopes that tell clients who their user is are the authorization server's affair, and not named here.

    Args:
        settings: The server's settings.
        name: What a person would call the resource.
    """
    return {
        "resource": settings.resource,
        "authorization_servers": [settings.issuer],
        "scopes_supported": [name for name in settings.oauth_valid_scopes if name not in scopes.identity(settings)],
        "bearer_methods_supported": ["header"],
        "resource_name": name,
        "resource_documentation": f"{settings.server_url}/",
    }
