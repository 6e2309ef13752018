"""OpenID Connect for our own clients: ID tokens, /userinfo and /jwks, over HTTP, as a client sees them."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web

from server.oauth.model import AuthorizationRequest, User, Visitor
from tests.browser import Answer, App
from tests.conftest import Start
from tests.support import START, Live

SCOPES = "read,account,openid,email,profile"
EVERYTHING = "openid email profile read"
SIGNED_IN_AT = START - 100


class Ada:
    """Signs in one user in every browser; what is known of her can be changed."""

    everyone = None

    def __init__(self) -> None:
        self.user = User("att_us_ada", "https://login.example", "ada", "Ada Lovelace", "ada@example.com")
        self.at: int | None = SIGNED_IN_AT

    async def visitor(self, http: web.Request, asked: AuthorizationRequest) -> Visitor:  # noqa: ARG002 - the same for all
        return Visitor(self.user, signed_in=True, authenticated_at=self.at)


@pytest.fixture
def ada() -> Ada:
    return Ada()


@pytest.fixture
async def live(start: Start, ada: Ada) -> AsyncIterator[Live]:
    async with start(identity=ada, oauth_valid_scopes=SCOPES) as running:
        yield running


async def keys_of(live: Live) -> list[dict[str, Any]]:
    """Give the keys that are published."""
    published: list[dict[str, Any]] = (await live.send("GET", "/jwks")).json["keys"]
    return published


async def verified(live: Live, app: App, id_token: str) -> dict[str, Any]:
    """Verify an ID token as a client has to (OpenID Connect Core section 3.1.3.7), by the test's clock."""
    header = jwt.get_unverified_header(id_token)
    key = next(key for key in await keys_of(live) if key["kid"] == header["kid"])
    by_our_clock: Any = {"verify_exp": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(
        id_token, jwt.PyJWK(key), ["RS256"], audience=app.client_id, issuer=live.url, options=by_our_clock
    )
    assert claims["iat"] == live.clock() < claims["exp"]
    return claims


async def userinfo(live: Live, token: str, method: str = "GET", **options: Any) -> Answer:
    return await live.send(method, "/userinfo", headers={"Authorization": f"Bearer {token}"}, **options)


async def test_an_id_token_says_who_signed_in_when_and_for_whom(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING, nonce="n-0S6_WzA2Mj")
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert await verified(live, app, tokens["id_token"]) == {
        "iss": live.url,
        "sub": "att_us_ada",
        "aud": app.client_id,
        "iat": START,
        "exp": START + 3_601,
        "auth_time": SIGNED_IN_AT,
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada Lovelace",
    }


async def test_claims_follow_the_scopes(live: Live) -> None:
    app = await live.register()
    for scope, told in (("openid", set()), ("openid email", {"email", "email_verified"}), ("openid profile", {"name"})):
        tokens = await live.log_in(app, scope=scope)
        claims = await verified(live, app, tokens["id_token"])
        assert claims.keys() & {"email", "email_verified", "name"} == told
        assert (await userinfo(live, tokens["access_token"])).json.keys() == {"sub", *told}


async def test_what_is_not_known_is_left_out(live: Live, ada: Ada) -> None:
    ada.user, ada.at = User("att_us_bob", "https://login.example", "bob"), None
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING)
    assert (await verified(live, app, tokens["id_token"])).keys() == {"iss", "sub", "aud", "iat", "exp", "at_hash"}
    assert (await userinfo(live, tokens["access_token"])).json == {"sub": "att_us_bob"}


async def test_a_scope_that_was_unticked_is_not_told_of(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app, scope=EVERYTHING)
    code = (await page.approve(["openid", "read"])).returned["code"]
    tokens = (await live.exchange(app, code, page.verifier)).json
    assert "email" not in await verified(live, app, tokens["id_token"])
    page = await live.browser().open_page(app, scope=EVERYTHING, prompt="consent")
    code = (await page.approve(["email", "read"])).returned["code"]
    assert "id_token" not in (await live.exchange(app, code, page.verifier)).json


async def test_a_refreshed_id_token_says_the_same_but_without_the_nonce(live: Live, ada: Ada) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING, nonce="once")
    first = await verified(live, app, tokens["id_token"])
    live.clock.advance(500)
    ada.at = live.clock()
    renewed = (await live.refresh(app, tokens["refresh_token"])).json
    second = await verified(live, app, renewed["id_token"])
    assert {name for name in first if first[name] != second.get(name)} == {"iat", "exp", "at_hash", "nonce"}
    assert second["iat"] == START + 500
    assert "nonce" not in second
    assert second["auth_time"] == SIGNED_IN_AT


async def test_a_refresh_narrowed_past_openid_brings_no_id_token(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING)
    assert "id_token" not in (await live.refresh(app, tokens["refresh_token"], scope="read")).json


async def test_a_client_that_does_not_ask_gets_none(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope="read email", nonce="n")
    assert "id_token" not in tokens
    refused = await userinfo(live, tokens["access_token"])
    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_userinfo_says_who_holds_the_token(live: Live, method: str) -> None:
    tokens = await live.log_in(await live.register(), scope=EVERYTHING)
    answer = await userinfo(live, tokens["access_token"], method)
    assert answer.json == {
        "sub": "att_us_ada",
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada Lovelace",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_userinfo_wants_a_live_token(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING)
    without = await live.send("GET", "/userinfo")
    assert without.status == 401
    assert without.headers["WWW-Authenticate"] == f'Bearer realm="{live.url}"'
    await live.post("/revoke", app, token=tokens["access_token"])
    revoked = await userinfo(live, tokens["access_token"])
    assert revoked.status == 401
    assert 'error="invalid_token"' in revoked.headers["WWW-Authenticate"]


async def test_a_disabled_user_is_told_of_no_more(live: Live) -> None:
    app = await live.register()
    tokens = await live.log_in(app, scope=EVERYTHING)
    live.sql("UPDATE users SET disabled_at = 1")
    assert (await userinfo(live, tokens["access_token"])).status == 401
    assert (await live.refresh(app, tokens["refresh_token"])).json["error"] == "invalid_grant"


async def test_a_token_counts_in_the_header_alone(live: Live) -> None:
    tokens = await live.log_in(await live.register(), scope=EVERYTHING)
    token = tokens["access_token"]
    in_url = await live.send("GET", f"/userinfo?access_token={token}")
    assert (in_url.status, in_url.json["error"]) == (400, "invalid_request")
    assert (await live.send("POST", "/userinfo", data={"access_token": token})).status == 401


async def test_a_machine_is_nobody(live: Live) -> None:
    robot = await live.create("read", "openid")
    refused = await live.post("/token", robot, grant_type="client_credentials", scope="openid")
    assert refused.json["error"] == "invalid_scope"
    granted = (await live.post("/token", robot, grant_type="client_credentials")).json
    assert granted["scope"] == "read"
    assert "id_token" not in granted
    assert (await userinfo(live, granted["access_token"])).status == 403


async def test_a_failed_signature_costs_the_client_nothing(live: Live) -> None:
    app = await live.register()
    page = await live.browser().open_page(app, scope=EVERYTHING)
    code = (await page.approve()).returned["code"]
    live.sql("UPDATE signing_keys SET kid = 'another', sealed_private_key = 'AAAA'")
    assert (await live.exchange(app, code, page.verifier)).status == 500
    live.sql("DELETE FROM signing_keys")
    tokens = (await live.exchange(app, code, page.verifier)).json
    assert await verified(live, app, tokens["id_token"])


async def test_keys_are_published_without_their_private_halves(live: Live) -> None:
    answer = await live.send("GET", "/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    (key,) = answer.json["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


async def test_discovery_names_what_is_served(live: Live) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        document = (await live.send("GET", path)).json
        assert document["userinfo_endpoint"] == f"{live.url}/userinfo"
        assert document["jwks_uri"] == f"{live.url}/jwks"
        assert document["subject_types_supported"] == ["public"]
        assert document["id_token_signing_alg_values_supported"] == ["RS256"]
        assert {"sub", "email", "email_verified", "name", "nonce"} <= set(document["claims_supported"])
        assert {"openid", "email", "profile"} <= set(document["scopes_supported"])
        assert document["request_uri_parameter_supported"] is False
    resource = (await live.send("GET", "/.well-known/oauth-protected-resource/mcp")).json
    assert resource["scopes_supported"] == ["read", "account"]


async def test_without_openid_among_the_scopes_there_is_none_of_it(start: Start) -> None:
    async with start(oauth_valid_scopes="read,email", identity=Ada()) as live:
        for path in ("/userinfo", "/jwks"):
            assert (await live.send("GET", path)).status == 404
        document = (await live.send("GET", "/.well-known/openid-configuration")).json
        assert not {name for name in document if "userinfo" in name or "jwks" in name or "claims" in name}
        resource = (await live.send("GET", "/.well-known/oauth-protected-resource/mcp")).json
        assert resource["scopes_supported"] == ["read", "email"]
        tokens = await live.log_in(await live.register(), scope="email", nonce="n")
        assert "id_token" not in tokens
        assert live.sql("SELECT * FROM signing_keys") == []


async def test_the_start_names_the_endpoints(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with start(oauth_valid_scopes=SCOPES):
        pass
    assert "OAuth endpoints registered: /register, /authorize, /token, /revoke, /introspect, /userinfo, /jwks" in (
        caplog.messages
    )


async def test_a_restarted_server_signs_with_the_same_key(start: Start, ada: Ada) -> None:
    published = []
    for _ in range(2):
        async with start(identity=ada, oauth_valid_scopes=SCOPES) as live:
            published.append(await keys_of(live))
    assert published[0] == published[1]
