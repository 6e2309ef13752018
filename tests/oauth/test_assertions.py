"""``private_key_jwt``: every rule that an assertion must keep (RFC 7523 section 3)."""

import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.oauth import authentication, clients
from server.oauth.authentication import Credentials
from server.oauth.context import Context
from server.oauth.errors import InvalidClient
from server.storage.database import open_database
from tests.site import ASSERTION_TYPE, KEYS, OTHER, RSA, Key
from tests.support import START

ISSUER = "http://localhost:8000"
TOKEN = f"{ISSUER}/token"


async def registered(ctx: Context, *keys: Key, **metadata: Any) -> str:
    asked = {
        "redirect_uris": ["https://a.example/"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public for key in keys or (RSA,)]},
    }
    return str((await clients.register({**asked, **metadata}, ctx))["client_id"])


def brought(assertion: str, client_id: str | None = None) -> Credentials:
    return Credentials(client_id=client_id, assertion=assertion, assertion_type=ASSERTION_TYPE)


async def refusal(credentials: Credentials, ctx: Context) -> str:
    with pytest.raises(InvalidClient) as caught:
        await authentication.authenticate(credentials, None, ctx)
    assert '"' not in caught.value.description
    return caught.value.description


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_signature_of_every_served_algorithm_is_good(ctx: Context, algorithm: str) -> None:
    key = KEYS[algorithm]
    client_id = await registered(ctx, key)
    client, _ = await authentication.authenticate(brought(key.sign(client_id, ISSUER), client_id), None, ctx)
    assert client.client_id == client_id


@pytest.mark.parametrize("audience", [ISSUER, TOKEN, [ISSUER], [TOKEN], [ISSUER, TOKEN], [TOKEN, ISSUER, TOKEN]])
async def test_the_issuer_the_token_endpoint_and_a_list_of_them_are_audiences(ctx: Context, audience: Any) -> None:
    client_id = await registered(ctx)
    assert (await authentication.authenticate(brought(RSA.sign(client_id, audience)), None, ctx))[
        0
    ].client_id == client_id


@pytest.mark.parametrize(
    "audience",
    [
        ...,
        None,
        "",
        [],
        [[]],
        {"a": ISSUER},
        7,
        f"{ISSUER}/",
        f"{ISSUER}/revoke",
        f"{ISSUER}/mcp",
        "http://LOCALHOST:8000",
        "https://evil.example",
        [ISSUER, "https://evil.example"],
        [TOKEN, None],
    ],
)
async def test_nothing_else_is(ctx: Context, audience: Any) -> None:
    client_id = await registered(ctx)
    assert "aud" in await refusal(brought(RSA.sign(client_id, audience), client_id), ctx)


GOOD_TIMES: list[dict[str, Any]] = [
    {"exp": START + 1},
    {"exp": START + 0.5},
    {"exp": START + 3_600},
    {"iat": ...},
    {"iat": START - 3_600},
    {"iat": START + 60},
    {"iat": START + 0.5},
    {"nbf": START - 10**9},
    {"nbf": START + 60},
    {"jti": "x"},
    {"jti": "x" * 256},
]
BAD_CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("exp", {"exp": ...}),
    ("exp", {"exp": None}),
    ("exp", {"exp": 0}),
    ("exp", {"exp": START}),
    ("exp", {"exp": START - 1}),
    ("exp", {"exp": START + 3_601}),
    ("exp", {"exp": START + 10**9}),
    ("exp", {"exp": 10**30}),
    ("exp", {"exp": float("nan")}),
    ("exp", {"exp": float("inf")}),
    ("exp", {"exp": str(START + 300)}),
    ("exp", {"exp": True}),
    ("exp", {"exp": [START + 300]}),
    ("iat", {"iat": START - 3_661}),
    ("iat", {"iat": START + 61}),
    ("iat", {"iat": "now"}),
    ("iat", {"iat": False}),
    ("nbf", {"nbf": START + 61}),
    ("nbf", {"nbf": {}}),
    ("iss", {"iss": ...}),
    ("iss", {"iss": "somebody"}),
    ("iss", {"sub": "somebody"}),
    ("jti", {"jti": ...}),
    ("jti", {"jti": None}),
    ("jti", {"jti": ""}),
    ("jti", {"jti": 7}),
    ("jti", {"jti": "x" * 257}),
]


@pytest.mark.parametrize("claims", GOOD_TIMES, ids=str)
async def test_a_time_within_reason_is_good(ctx: Context, claims: dict[str, Any]) -> None:
    client_id = await registered(ctx)
    assert await authentication.authenticate(brought(RSA.sign(client_id, ISSUER, **claims)), None, ctx) is not None


@pytest.mark.parametrize(("named", "claims"), BAD_CLAIMS, ids=str)
async def test_a_claim_that_is_missing_or_wrong_is_named(ctx: Context, named: str, claims: dict[str, Any]) -> None:
    client_id = await registered(ctx)
    assert f"its {named} " in await refusal(brought(RSA.sign(client_id, ISSUER, **claims), client_id), ctx)
    assert await authentication.authenticate(brought(RSA.sign(client_id, ISSUER), client_id), None, ctx) is not None


async def test_an_assertion_is_good_once(ctx: Context) -> None:
    client_id = await registered(ctx)
    assertion = RSA.sign(client_id, ISSUER, jti="a")
    await authentication.authenticate(brought(assertion), None, ctx)
    assert "used before" in await refusal(brought(assertion), ctx)
    assert "used before" in await refusal(brought(RSA.sign(client_id, TOKEN, jti="a", exp=START + 900)), ctx)


async def test_another_client_may_use_the_same_jti(ctx: Context) -> None:
    for client_id in [await registered(ctx), await registered(ctx)]:
        assert await authentication.authenticate(brought(RSA.sign(client_id, ISSUER, jti="a")), None, ctx) is not None


async def test_a_replay_is_refused_by_a_process_that_starts_later(ctx: Context, tmp_path: Path) -> None:
    client_id = await registered(ctx)
    assertion = RSA.sign(client_id, ISSUER, exp=START + 3_600)
    await authentication.authenticate(brought(assertion), None, ctx)
    async with open_database(tmp_path / "server.db", START) as again:
        later = Context(again, ctx.settings, os.urandom, START + 3_599)
        assert "used before" in await refusal(brought(assertion), later)


async def test_what_was_refused_is_not_used_up(ctx: Context) -> None:
    client_id = await registered(ctx)
    forged = OTHER.sign(client_id, ISSUER, jti="a", header={"kid": "rsa"})
    assert "signed" in await refusal(brought(forged), ctx)
    assert await authentication.authenticate(brought(RSA.sign(client_id, ISSUER, jti="a")), None, ctx) is not None


async def test_another_clients_assertion_is_refused(ctx: Context) -> None:
    ours, theirs = await registered(ctx, RSA), await registered(ctx, OTHER)
    assert "signed" in await refusal(brought(OTHER.sign(ours, ISSUER)), ctx)
    assert "iss" in await refusal(brought(OTHER.sign(theirs, ISSUER), ours), ctx)


async def test_the_key_of_another_kid_does_not_count_and_no_kid_tries_them_all(ctx: Context) -> None:
    client_id = await registered(ctx, RSA, OTHER)
    assert "signed" in await refusal(brought(RSA.sign(client_id, ISSUER, header={"kid": "other"})), ctx)
    assert "signed" in await refusal(brought(RSA.sign(client_id, ISSUER, header={"kid": "unknown"})), ctx)
    for key in (RSA, OTHER):
        signed = key.sign(client_id, ISSUER, header={"kid": ...})
        assert await authentication.authenticate(brought(signed), None, ctx) is not None


async def test_a_client_that_named_its_algorithm_is_held_to_it(ctx: Context) -> None:
    client_id = await registered(ctx, token_endpoint_auth_signing_alg="PS256")
    assert "registered" in await refusal(brought(RSA.sign(client_id, ISSUER)), ctx)
    assert await authentication.authenticate(brought(KEYS["PS256"].sign(client_id, ISSUER)), None, ctx) is not None


async def test_a_secret_made_of_the_public_key_signs_nothing(ctx: Context) -> None:
    """The classical confusion: HMAC, keyed with what everybody knows (RFC 8725 section 2.1)."""
    client_id = await registered(ctx)
    public = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": START + 300, "jti": "a"}
    for secret in (public, json.dumps(RSA.public).encode(), RSA.public["n"].encode()):
        signer = jwt.get_algorithm_by_name("HS256")
        for name in ("HS256", "RS256", "ES256"):
            signed = f"{encoded({'alg': name, 'kid': 'rsa'})}.{encoded(claims)}"
            signature = base64.urlsafe_b64encode(signer.sign(signed.encode(), secret)).rstrip(b"=").decode()
            assert await refusal(brought(f"{signed}.{signature}", client_id), ctx)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS256", "RS384", "RS512", "ES384", "ES256K", "rs256", None, 7, ["RS256"]]
)
async def test_an_algorithm_that_is_not_served_is_refused(ctx: Context, algorithm: Any) -> None:
    client_id = await registered(ctx)
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": START + 300, "jti": "a"}
    for signature in ("", RSA.sign(client_id, ISSUER).rpartition(".")[2]):
        assertion = f"{encoded({'alg': algorithm, 'kid': 'rsa'})}.{encoded(claims)}.{signature}"
        assert "alg" in await refusal(brought(assertion, client_id), ctx)


@pytest.mark.parametrize("claimed", ["PS256", "ES256", "EdDSA"])
async def test_the_algorithm_cannot_be_changed_after_signing(ctx: Context, claimed: str) -> None:
    client_id = await registered(ctx, *KEYS.values())
    head, claims, signature = RSA.sign(client_id, ISSUER).split(".")
    del head
    forged = f"{encoded({'alg': claimed})}.{claims}.{signature}"
    assert "signed" in await refusal(brought(forged, client_id), ctx)


async def test_keys_that_the_assertion_brings_along_are_not_looked_at(ctx: Context) -> None:
    client_id = await registered(ctx)
    mine = Key(rsa.generate_private_key(65537, 2048), "RS256", "rsa")
    for header in ({"jwk": mine.public}, {"jku": "https://evil.example/x"}, {"x5u": "https://evil.example/x"}):
        assert "signed" in await refusal(brought(mine.sign(client_id, ISSUER, header=header)), ctx)


@pytest.mark.parametrize(
    "assertion",
    ["x", "a.b", "a.b.c", "..", "a.b.c.d.e", "\u00fc.\u00fc.\u00fc", "\ud800", "x" * 10_000, "e30.e30.", "W10.W10.W10"],
)
async def test_what_is_no_token_is_refused(ctx: Context, assertion: str) -> None:
    client_id = await registered(ctx)
    assert "client assertion is not good" in await refusal(brought(assertion, client_id), ctx)
    assert await refusal(brought(assertion), ctx)


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"crit": "b64"}, {"kid": 7}, {"kid": ["rsa"]}])
async def test_a_header_that_asks_for_more_is_refused(ctx: Context, header: dict[str, Any]) -> None:
    client_id = await registered(ctx)
    parts = RSA.sign(client_id, ISSUER).split(".")
    assertion = ".".join((encoded({"alg": "RS256", "kid": "rsa", **header}), *parts[1:]))
    assert "client assertion is not good" in await refusal(brought(assertion, client_id), ctx)


async def test_claims_that_were_changed_after_signing_are_refused(ctx: Context) -> None:
    client_id = await registered(ctx)
    head, _, signature = RSA.sign(client_id, ISSUER).split(".")
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": START + 300, "jti": "forged"}
    assert "signed" in await refusal(brought(f"{head}.{encoded(claims)}.{signature}"), ctx)


async def test_the_method_that_was_registered_is_the_only_one(ctx: Context) -> None:
    signing = await registered(ctx)
    public = await registered(ctx, token_endpoint_auth_method="none")
    assertion = RSA.sign(signing, ISSUER)
    wrong = [
        Credentials(client_id=signing),
        Credentials(client_id=signing, client_secret="x"),
        Credentials(basic=(signing, "x")),
        replace(brought(assertion, signing), client_secret="x"),
        replace(brought(assertion, signing), basic=(signing, "x")),
        brought(RSA.sign(public, ISSUER), public),
        replace(brought(assertion, signing), assertion=None),
    ]
    for credentials in wrong:
        assert await refusal(credentials, ctx)
    for kind in (None, "", "jwt-bearer", ASSERTION_TYPE + "x"):
        message = await refusal(replace(brought(assertion, signing), assertion_type=kind), ctx)
        assert "client_assertion_type" in message
    assert (await authentication.authenticate(brought(assertion, signing), None, ctx))[0].client_id == signing


async def test_credentials_do_not_show_in_text(ctx: Context) -> None:
    assertion = RSA.sign(await registered(ctx), ISSUER)
    shown = repr(Credentials(("a", "hunter2"), "a", "hunter2", assertion, ASSERTION_TYPE))
    assert "hunter2" not in shown
    assert assertion not in shown
