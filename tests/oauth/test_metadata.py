"""The discovery documents, word for word (RFC 8414, RFC 9728)."""

from server.oauth import metadata
from server.settings import load_settings

SETTINGS = load_settings(
    server_url="https://mcp.example.com", oauth_issuer_url="https://MCP.example.com", oauth_valid_scopes="write,read"
)
METHODS = ["none", "client_secret_post", "client_secret_basic", "private_key_jwt"]
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


def test_the_authorization_server_names_exactly_what_works() -> None:
    assert metadata.authorization_server(SETTINGS, machines=False) == {
        "issuer": "https://MCP.example.com",
        "authorization_endpoint": "https://mcp.example.com/authorize",
        "token_endpoint": "https://mcp.example.com/token",
        "registration_endpoint": "https://mcp.example.com/register",
        "revocation_endpoint": "https://mcp.example.com/revoke",
        "introspection_endpoint": "https://mcp.example.com/introspect",
        "scopes_supported": ["write", "read", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "service_documentation": "https://mcp.example.com/",
    }


def test_without_registration_its_endpoint_is_absent() -> None:
    settings = load_settings(oauth_dcr="off")
    with_registration = metadata.authorization_server(load_settings(), machines=False)
    assert metadata.authorization_server(settings, machines=False) == {
        name: value for name, value in with_registration.items() if name != "registration_endpoint"
    }


def test_url_client_ids_are_announced_unless_they_are_switched_off() -> None:
    assert not metadata.authorization_server(load_settings(oauth_cimd=False), machines=False)[
        "client_id_metadata_document_supported"
    ]


def test_client_credentials_are_named_where_a_client_may_use_them() -> None:
    grants = metadata.authorization_server(SETTINGS, machines=True)["grant_types_supported"]
    assert grants == ["authorization_code", "refresh_token", "client_credentials"]


def test_the_protected_resource_is_the_mcp_endpoint() -> None:
    assert metadata.protected_resource(SETTINGS, "Example") == {
        "resource": "https://mcp.example.com/mcp",
        "authorization_servers": ["https://MCP.example.com"],
        "scopes_supported": ["write", "read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Example",
        "resource_documentation": "https://mcp.example.com/",
    }
