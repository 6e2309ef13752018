"""Registration: what real clients send, what they are told, and what is refused (RFC 7591)."""

from typing import Any

import pytest

from server.oauth import clients, tokens
from server.oauth.context import Context
from server.oauth.errors import InvalidClientMetadata, InvalidRedirectUri
from tests.support import START

GOOD = "https://assistant.example/callback"
CURSOR = [
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "http://localhost:8787/callback",
]
BOTH_GRANTS = ["authorization_code", "refresh_token"]

ECHOED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("ChatGPT", {"client_name": "ChatGPT", "grant_types": BOTH_GRANTS}, {"client_name": "ChatGPT"}),
    ("Cursor", {"redirect_uris": CURSOR}, {"redirect_uris": CURSOR}),
    ("VS Code", {"grant_types": [*BOTH_GRANTS, "device_code"]}, {"grant_types": BOTH_GRANTS}),
    ("no list of grants", {}, {"grant_types": BOTH_GRANTS}),
    ("an empty list of grants", {"grant_types": []}, {"grant_types": BOTH_GRANTS}),
    ("no refresh", {"grant_types": ["authorization_code"]}, {"grant_types": ["authorization_code"]}),
    ("other responses", {"response_types": ["code", "token"]}, {"response_types": ["code"]}),
    ("a scope", {"scope": " read  write read"}, {"scope": "read write"}),
    ("an unknown scope", {"scope": "read admin"}, {"scope": "read"}),
    ("offline access", {"scope": "read offline_access"}, {"scope": "read offline_access"}),
    ("a bad URI", {"redirect_uris": ["javascript:alert(1)", GOOD, "x"]}, {"redirect_uris": [GOOD]}),
    ("a URI twice", {"redirect_uris": [GOOD, GOOD]}, {"redirect_uris": [GOOD]}),
    ("ten URIs", {"redirect_uris": [f"{GOOD}/{n}" for n in range(10)]}, {}),
    ("links", {"client_uri": "https://a.example", "logo_uri": "http://a.example/l.png"}, {}),
    ("more", {"contacts": ["a@example.com"], "software_id": "x", "software_version": "1"}, {}),
]
NOT_ECHOED: list[tuple[str, dict[str, Any]]] = [
    ("scope", {"scope": ""}),
    ("scope", {"scope": "   "}),
    ("scope", {"scope": "admin"}),
    ("client_name", {"client_name": ""}),
    ("client_name", {"client_name": None}),
    ("logo_uri", {"logo_uri": None}),
    ("logo_uri", {"logo_uri": "javascript:alert(1)"}),
    ("client_uri", {"client_uri": "https://[x"}),
    ("contacts", {"contacts": None}),
    ("jwks", {"jwks": {"keys": []}}),
    ("unknown", {"unknown": {"deep": [1, 2]}}),
    ("client_id", {"client_id": None, "x": 1}),
]
WRONG_TYPES: list[dict[str, Any]] = [
    {"redirect_uris": GOOD},
    {"redirect_uris": [GOOD, 1]},
    {"redirect_uris": {"a": GOOD}},
    {"redirect_uris": [[GOOD]]},
    {"grant_types": "authorization_code"},
    {"grant_types": [None]},
    {"response_types": {}},
    {"response_types": True},
    {"client_name": 7},
    {"client_name": ["x"]},
    {"scope": ["read"]},
    {"token_endpoint_auth_method": ["none"]},
    {"logo_uri": 1},
    {"contacts": "a@example.com"},
    {"software_id": {}},
]
NOTHING_REMAINS: list[dict[str, Any]] = [
    {"grant_types": ["client_credentials"]},
    {"grant_types": ["refresh_token"]},
    {"response_types": ["token"]},
]
NO_URI: list[dict[str, Any]] = [
    {"redirect_uris": None},
    {"redirect_uris": []},
    {"redirect_uris": ["javascript:alert(1)"]},
    {"redirect_uris": ["http://assistant.example/callback", "myapp:/callback"]},
    {"redirect_uris": [f"{GOOD}/{n}" for n in range(11)]},
    {"redirect_uris": ["https://assistant.example/" + "a" * 2_000]},
]


def asked(**metadata: Any) -> dict[str, object]:
    return {"redirect_uris": [GOOD], "token_endpoint_auth_method": "none", **metadata}


async def test_a_public_client_is_told_exactly_what_holds(ctx: Context) -> None:
    answer = await clients.register(asked(), ctx)
    client_id = answer["client_id"]
    assert answer == {
        "client_id": client_id,
        "client_id_issued_at": START,
        "registration_access_token": answer["registration_access_token"],
        "registration_client_uri": f"http://localhost:8000/register/{client_id}",
        "redirect_uris": [GOOD],
        "token_endpoint_auth_method": "none",
        "grant_types": BOTH_GRANTS,
        "response_types": ["code"],
    }


@pytest.mark.parametrize(("case", "metadata", "echoed"), ECHOED, ids=[case for case, _, _ in ECHOED])
async def test_what_is_accepted_is_echoed(
    ctx: Context, case: str, metadata: dict[str, Any], echoed: dict[str, Any]
) -> None:
    answer = await clients.register(asked(**metadata), ctx)
    expected = {**metadata, **echoed}
    assert {name: answer.get(name) for name in expected} == expected, case


@pytest.mark.parametrize(("name", "metadata"), NOT_ECHOED)
async def test_what_is_not_accepted_is_left_out(ctx: Context, name: str, metadata: dict[str, Any]) -> None:
    answer = await clients.register(asked(**metadata), ctx)
    assert name == "client_id" or name not in answer
    assert None not in answer.values()


@pytest.mark.parametrize(
    ("method", "registered"),
    [
        (None, "client_secret_basic"),
        ("", "client_secret_basic"),
        ("client_secret_basic", "client_secret_basic"),
        ("client_secret_post", "client_secret_post"),
        ("tls_client_auth", "client_secret_basic"),
    ],
)
async def test_a_confidential_client_gets_a_secret_that_is_kept_as_a_digest(
    ctx: Context, method: str | None, registered: str
) -> None:
    answer = await clients.register(asked(token_endpoint_auth_method=method), ctx)
    assert (answer["token_endpoint_auth_method"], answer["client_secret_expires_at"]) == (registered, 0)
    kept = await ctx.store.get_client(str(answer["client_id"]))
    assert kept is not None
    assert kept.secret_digest == tokens.digest(str(answer["client_secret"]))


async def test_each_registration_is_a_new_client(ctx: Context) -> None:
    answers = [await clients.register(asked(), ctx) for _ in range(3)]
    assert len({str(answer["client_id"]) for answer in answers}) == 3


@pytest.mark.parametrize("metadata", WRONG_TYPES)
async def test_a_field_of_the_wrong_type_is_refused_by_name(ctx: Context, metadata: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata, match=f"^{next(iter(metadata))} "):
        await clients.register(asked(**metadata), ctx)
    assert (await ctx.store.count_live(START)).clients == 0


@pytest.mark.parametrize("metadata", NOTHING_REMAINS)
async def test_a_client_that_could_do_nothing_is_refused(ctx: Context, metadata: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata, match="must include"):
        await clients.register(asked(**metadata), ctx)


@pytest.mark.parametrize("metadata", NO_URI)
async def test_a_client_without_an_acceptable_uri_or_with_too_many_is_refused(
    ctx: Context, metadata: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRedirectUri):
        await clients.register(asked(**metadata), ctx)
