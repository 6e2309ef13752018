"""Reading a client id metadata document: whom it describes, and what is refused in it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth import documents, remembered
from server.oauth.model import Client
from server.oauth.remote import RemoteError
from server.settings import load_settings
from tests.site import KEYS, OTHER, RSA

NOW = 1_800_000_000
URL = "https://client.example/oauth/client.json"
CALLBACK = "https://client.example/callback"
SETTINGS = load_settings()
JWKS_URI = "https://client.example/oauth/jwks.json"

CHATGPT: dict[str, Any] = {
    "client_id": "https://chatgpt.com/oauth/client.json",
    "client_name": "ChatGPT",
    "client_uri": "https://chatgpt.com",
    "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "token_endpoint_auth_signing_alg": "RS256",
    "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
}
CLAUDE_CODE: dict[str, Any] = {
    "client_id": "https://claude.ai/oauth/claude-code-client-metadata",
    "client_name": "Claude Code",
    "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
}
VS_CODE: dict[str, Any] = {
    "client_id": "https://vscode.dev/oauth/client-metadata.json",
    "client_name": "Visual Studio Code",
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": ["code"],
    "redirect_uris": ["https://vscode.dev/redirect", "http://127.0.0.1:33418/", "http://127.0.0.1/"],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}


def document(**changes: Any) -> dict[str, Any]:
    made = {"client_id": URL, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", **changes}
    return {name: value for name, value in made.items() if value is not ...}


def read(content: dict[str, Any], url: str = URL) -> Client:
    return documents.read(url, content, SETTINGS, NOW, NOW + 300)


@pytest.mark.parametrize(
    ("content", "methods"),
    [(CHATGPT, ("private_key_jwt", "none")), (CLAUDE_CODE, ("none",)), (VS_CODE, ("none",))],
    ids=["ChatGPT", "Claude Code", "VS Code"],
)
def test_the_documents_of_real_clients_are_good(content: dict[str, Any], methods: tuple[str, ...]) -> None:
    client = read(content, content["client_id"])
    assert client.client_id == content["client_id"]
    assert client.client_name == content["client_name"]
    assert list(client.redirect_uris) == content["redirect_uris"]
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert client.auth_methods == methods
    assert client.secret_digest is None
    assert client.document is not None
    assert (client.document.fetched_at, client.document.expires_at) == (NOW, NOW + 300)


def test_its_keys_and_its_algorithm_are_kept() -> None:
    kept = read(CHATGPT, CHATGPT["client_id"]).metadata
    assert kept["jwks_uri"] == CHATGPT["jwks_uri"]
    assert kept["token_endpoint_auth_signing_alg"] == "RS256"


@pytest.mark.parametrize(
    ("changes", "methods"),
    [
        ({"token_endpoint_auth_method": ...}, ("none",)),
        ({"token_endpoint_auth_method": ..., "jwks_uri": JWKS_URI}, ("private_key_jwt",)),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": JWKS_URI}, ("private_key_jwt",)),
        (
            {"token_endpoint_auth_method": ..., "token_endpoint_auth_methods_supported": ["none", "tls_client_auth"]},
            ("none",),
        ),
        (
            {"token_endpoint_auth_methods_supported": ["private_key_jwt"], "jwks_uri": JWKS_URI},
            ("none", "private_key_jwt"),
        ),
        ({"jwks": "not looked at without private_key_jwt"}, ("none",)),
    ],
)
def test_it_says_how_its_client_authenticates(changes: dict[str, Any], methods: tuple[str, ...]) -> None:
    assert read(document(**changes)).auth_methods == methods


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": ...}, "another client"),
        ({"client_id": None}, "another client"),
        ({"client_id": URL + "/"}, "another client"),
        ({"client_id": URL.upper()}, "another client"),
        ({"client_id": URL + "?"}, "another client"),
        ({"client_id": "https://client.example:443/oauth/client.json"}, "another client"),
        ({"client_secret": "x"}, "secret"),
        ({"client_secret_expires_at": 0}, "secret"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "shared secret"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "shared secret"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "shared secret"),
        ({"token_endpoint_auth_methods_supported": ["none", "client_secret_post"]}, "shared secret"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "none or private_key_jwt"),
        ({"token_endpoint_auth_method": ["none"]}, "not a string"),
        ({"token_endpoint_auth_methods_supported": "none"}, "not a list"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks or jwks_uri"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://client.example/x"}, "jwks_uri"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": JWKS_URI, "jwks": {"keys": []}}, "either"),
        ({"redirect_uris": ...}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": [f"{CALLBACK}/{number}" for number in range(11)]}, "more than 10"),
        ({"redirect_uris": CALLBACK}, "not a list"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"response_types": ["token"]}, "response_types"),
        ({"client_name": 7}, "client_name"),
    ],
)
def test_what_makes_it_unusable_is_said(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteError, match=reason):
        read(document(**changes))


def test_a_bad_redirect_uri_beside_good_ones_is_left_out() -> None:
    assert read(document(redirect_uris=["javascript:alert(1)", CALLBACK])).redirect_uris == (CALLBACK,)


def test_other_redirect_uris_and_keys_give_another_fingerprint_and_nothing_else_does() -> None:
    signed = {"token_endpoint_auth_method": "private_key_jwt"}

    def fingerprint(**changes: Any) -> str:
        return remembered.fingerprint(read(document(**changes)))

    two = [CALLBACK, CALLBACK + "2"]
    assert fingerprint() == fingerprint(client_name="Another", scope="read", client_uri="https://x.example")
    assert fingerprint(redirect_uris=two) == fingerprint(redirect_uris=two[::-1])
    different = [
        fingerprint(),
        fingerprint(redirect_uris=two),
        fingerprint(**signed, jwks_uri=JWKS_URI),
        fingerprint(**signed, jwks_uri=JWKS_URI + "2"),
        fingerprint(**signed, jwks={"keys": [RSA.public]}),
        fingerprint(**signed, jwks={"keys": [OTHER.public]}),
        fingerprint(**signed, jwks={"keys": [RSA.public, KEYS["ES256"].public]}),
    ]
    assert len(set(different)) == len(different)


def test_the_host_that_vouches_is_named_for_url_clients_only() -> None:
    client = read(document())
    assert documents.host(client) == "client.example"
    assert documents.host(replace(client, document=None)) is None


@given(
    st.dictionaries(
        st.sampled_from([*document(), *CHATGPT, "jwks", "scope"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text()
            | st.sampled_from([URL, CALLBACK, "none", "private_key_jwt"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        ),
    )
)
def test_whatever_a_document_holds_it_is_read_or_refused(content: dict[str, Any]) -> None:
    try:
        client = read({**document(), **content})
    except RemoteError:
        pass
    else:
        assert json.dumps(client.metadata)
        assert client.redirect_uris
