"""GET /openapi.json: it says what is there and what is answered, no less and no more."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from server import keys
from server.handlers.authorize import FORM, PAGE
from server.handlers.openapi import document
from server.oauth.provider import BEGIN
from server.routes import routes
from server.settings import load_settings
from tests.authenticator import Authenticator, encoded, options
from tests.browser import Answer, App
from tests.conftest import Start
from tests.people import Person, add_person
from tests.people import field as hidden_field
from tests.support import Live

RARE = {408, 500, 503}
"""Answers that take a slow client, a fault of ours or a broken database."""


@dataclass
class Described:
    """A document, and every answer that was held to it."""

    document: dict[str, Any]
    seen: set[tuple[str, str, int]] = field(default_factory=set)

    @property
    def answers(self) -> set[tuple[str, str, int]]:
        """Method, path and status of every answer that it names."""
        return {
            (method, path, int(status))
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            for status in operation["responses"]
        }

    def _template(self, path: str) -> str | None:
        plain = path.partition("?")[0]
        return next((t for t in self.document["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", t), plain)), None)

    def check(self, method: str, path: str, answer: Answer) -> None:
        """Hold an answer to the document: status, headers, media type, and every member of its body."""
        template = self._template(path)
        operation = self.document["paths"].get(template, {}).get(method.lower())
        if operation is None or template is None:
            return
        self.seen.add((method.lower(), template, answer.status))
        assert str(answer.status) in operation["responses"], (method, path, answer)
        response = operation["responses"][str(answer.status)]
        for name, header in response.get("headers", {}).items():
            assert name in answer.headers or not header.get("required"), (method, path, name)
        if "content" not in response:
            assert answer.text == ""
            return
        media_type = answer.headers["Content-Type"].partition(";")[0]
        schema = response["content"][media_type]["schema"]
        if media_type == "application/json":
            complete = {"components": self.document["components"], **schema, "unevaluatedProperties": False}
            Draft202012Validator(complete).validate(answer.json) if "$ref" in schema else answer.json


def watch(live: Live) -> Described:
    """Hold every answer from now on to the document that the server gives."""
    described = Described(document(live.application[keys.SETTINGS]))
    send = live.send

    async def checked(method: str, path: str, **options: Any) -> Answer:
        answer = await send(method, path, **options)
        described.check(method, path, answer)
        return answer

    live.send = checked  # type: ignore[method-assign]
    return described


REGISTRATION = dict.fromkeys(("oauth_client_id", "oauth_client_secret"), "x") | {
    "oauth_upstream_issuer": "https://id.example.com"
}


@pytest.mark.parametrize("provider", ["demo", "local", "okta"])
@pytest.mark.parametrize("scopes", ["read,email", "read,openid"])
@pytest.mark.parametrize("registration", ["open", "token", "off"])
def test_it_names_every_route_of_the_oauth_endpoints_and_no_other(
    nothing_set: None,  # noqa: ARG001 - for its effect
    registration: str,
    scopes: str,
    provider: str,
) -> None:
    token = "x" * (registration == "token")
    asked = {"oauth_dcr": registration, "oauth_provider": provider, "oauth_valid_scopes": scopes}
    settings = load_settings(oauth_dcr_token=token, **asked, **REGISTRATION)
    closed = {(route.method, route.path) for route in routes(load_settings(oauth_enabled=False))}
    served = {(route.method, route.path) for route in routes(settings)} - closed | {("GET", "/oauth/stats")}
    described = {(method.upper(), path) for path, methods in document(settings)["paths"].items() for method in methods}
    assert described == {(method, path) for method, path in served if method not in {"OPTIONS", "*"}}
    assert any("register" in path for _, path in described) is (registration != "off")
    assert any("userinfo" in path for _, path in described) is ("openid" in scopes)


async def test_it_is_served_for_every_origin_and_not_without_oauth(start: Start) -> None:
    async with start() as live:
        answer = await live.send("GET", "/openapi.json")
        assert answer.json == json.loads(json.dumps(document(load_settings(server_url=live.url, rate_limits=False))))
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
    async with start(oauth_enabled=False) as live:
        assert (await live.send("GET", "/openapi.json")).status == 404


async def test_it_follows_the_settings(nothing_set: None) -> None:  # noqa: ARG001 - for its effect
    plain = document(load_settings())
    secure = document(load_settings(server_url="https://mcp.example.com", rate_limits=True))
    assert "__Host-att_browser" in json.dumps(secure)
    assert "__Host-" not in json.dumps(plain)
    assert secure["servers"] == [{"url": "https://mcp.example.com"}]
    assert "429" in secure["paths"]["/token"]["post"]["responses"]
    unlimited = document(load_settings(rate_limits=False))
    assert "429" not in json.dumps(unlimited)
    by_token = document(load_settings(oauth_dcr="token", oauth_dcr_token="x"))["paths"]["/register"]["post"]
    assert by_token["security"] == [{"initial_access_token": []}]
    assert "401" in by_token["responses"]
    assert "401" not in plain["paths"]["/register"]["post"]["responses"]


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/oauth-protected-resource/mcp"])
async def test_a_method_that_it_does_not_name_is_405(live: Live, path: str) -> None:
    answer = await live.send("POST", path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD,OPTIONS")


@pytest.fixture(params=[{}, {"oauth_valid_scopes": "read,account,openid,profile"}], ids=["plain", "openid"])
async def opened(request: pytest.FixtureRequest, start: Start) -> AsyncIterator[Live]:
    async with start(**request.param) as running:
        yield running


async def test_every_answer_is_as_described_and_every_described_answer_is_given(opened: Live) -> None:
    live = opened
    described = watch(live)
    for path in described.document["paths"]:
        if "{" not in path:
            await live.send("GET", path)
    for method in ("none", "client_secret_basic", "client_secret_post"):
        await go_the_whole_way(live, await live.register(**FULL, token_endpoint_auth_method=method))
    if "/userinfo" in described.document["paths"]:
        await ask_who(live)
    await manage(live, await live.register())
    await break_every_rule(live, described)
    unseen = {answer for answer in described.answers - described.seen if answer[2] not in RARE}
    assert unseen == set()


async def test_forms_for_passkeys_are_answered_as_described(start: Start) -> None:
    async with start(oauth_provider="local") as live:
        described = watch(live)
        paths = described.document["paths"]
        own = {path: paths[path] for path in paths if "passkey" in path or path == "/account/password/remove"}
        assert len(own) == 4
        described.document = {**described.document, "paths": own}
        add_person(live)
        person, device = Person(live.browser()), Authenticator(live.url)
        await person.sign_in()
        shown = await person.account()
        for _ in range(2):
            await person.post("/account/passkeys", shown, credential=device.make(options(shown)))
        shown = await person.browser.send("GET", "/signin")
        for _ in range(2):
            fields = {"csrf": hidden_field(shown, "csrf"), "credential": device.sign(options(shown))}
            await person.browser.send("POST", "/signin/passkey", data=fields)
        await person.post("/account/password/remove")
        await person.post("/account/passkeys/remove", credential_id=encoded(device.credential_id))
        await person.post("/account/password/remove")
        await person.post("/account/passkeys", name="no credential")
        await person.browser.send("POST", "/account/passkeys", data={"csrf": "wrong"})
        await person.browser.send("POST", "/account/passkeys/remove", data={"csrf": "wrong"})
        await break_every_rule(live, described)
        shown = await person.account()
        await person.post("/account/passkeys", shown, credential=Authenticator(live.url).make(options(shown)))
        await person.post("/account/passkeys/remove", credential_id=encoded(device.credential_id))
        assert {answer for answer in described.answers - described.seen if answer[2] not in RARE} == set()


FULL: dict[str, Any] = {
    "client_name": "Example",
    "scope": "read account",
    "client_uri": "https://assistant.example",
    "logo_uri": "https://assistant.example/logo.png",
    "contacts": ["someone@assistant.example"],
    "software_id": "example",
}


async def go_the_whole_way(live: Live, app: App) -> None:
    tokens = await live.log_in(app)
    renewed = (await live.refresh(app, tokens["refresh_token"])).json
    for token in (renewed["access_token"], renewed["refresh_token"], "unknown"):
        await live.introspect(app, token)
        await live.post("/revoke", app, token=token)
    await live.refresh(app, tokens["refresh_token"])
    await (await live.browser().open_page(app)).deny()
    await live.browser().authorize(app, scope="unknown")


async def ask_who(live: Live) -> None:
    app = await live.register()
    for scope in ("openid profile", "read"):
        token = (await live.log_in(app, scope=scope))["access_token"]
        for method in ("GET", "POST"):
            await live.send(method, "/userinfo", headers={"Authorization": f"Bearer {token}"})
            await live.send(method, "/userinfo")


async def manage(live: Live, app: App) -> None:
    path = f"/register/{app.client_id}"
    bearer = {"Authorization": f"Bearer {app.registration['registration_access_token']}"}
    asked = {"client_id": app.client_id, "redirect_uris": app.registration["redirect_uris"]}
    for headers in ({}, {"Authorization": "Bearer wrong"}, bearer):
        for method in ("GET", "PUT", "DELETE"):
            await live.send(method, path, headers=headers, json=asked if method == "PUT" else None)


async def break_every_rule(live: Live, described: Described) -> None:
    """Send each operation what HTTP forbids, what is too much, and a body of the wrong kind."""
    app = await live.register()
    bearer = {"Authorization": f"Bearer {app.registration['registration_access_token']}"}
    for path, methods in described.document["paths"].items():
        for method, operation in methods.items():
            target = path.format(client_id=app.client_id)
            taken = list(operation.get("requestBody", {"content": {}})["content"])
            own = {"Content-Type": taken[0]} if taken else {}
            if "{" in path:
                own |= bearer
            await live.send(method.upper(), target, headers={**own, "X-Long": "x" * 10_000})
            await live.send(method.upper(), target, headers={**own, "Expect": "miracles"})
            for accept in ("*/*", "text/html") if taken else ():
                headers = {**own, "Accept": accept}
                await live.send(method.upper(), target, data=b"a=" + b"x" * 65_536, headers=headers)
                await live.send(method.upper(), target, data=b"x", headers={**headers, "Content-Encoding": "gzip"})
                await live.send(method.upper(), target, data=b"x", headers={**headers, "Content-Type": "text/plain"})
    for path in ("/authorize", FORM):
        await live.send("POST", path, data={"client_id": "unknown", "request": "unknown"})
    for path in ("/token", "/revoke", "/introspect"):
        await live.send("POST", path, data={"client_id": "unknown"})
        await live.send("POST", path, data={}, headers={"Authorization": "Basic eDp5"})
    for path in (PAGE, BEGIN):
        await live.send("GET", f"{path}?request=unknown")
    query = f"client_id={app.client_id}&redirect_uri={app.redirect_uri}"
    await live.send("POST", "/authorize", data=query, headers={"Content-Type": "application/x-www-form-urlencoded"})
    await (await live.browser().open_page(app)).approve()
