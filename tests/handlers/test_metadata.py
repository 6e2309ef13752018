"""What clients discover under ``/.well-known/``."""

import pytest

from tests.conftest import Start
from tests.support import Live

AUTHORIZATION_SERVER = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
]
PROTECTED_RESOURCE = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]
UNKNOWN = [
    "/.well-known/",
    "/.well-known/unknown",
    "/.well-known/oauth-authorization-server/other",
    "/.well-known/oauth-protected-resource/mcp/",
    "/.well-known/openai-apps-challenge",
    "/.well-known/%ff%00",
]


async def test_the_authorization_servers_document_is_the_same_wherever_it_is_looked_for(live: Live) -> None:
    documents = [await live.send("GET", path) for path in AUTHORIZATION_SERVER]
    assert {answer.status for answer in documents} == {200}
    assert documents[0].json["issuer"] == live.url
    assert all(answer.json == documents[0].json for answer in documents)


async def test_the_resources_document_is_at_the_root_and_under_the_path(live: Live) -> None:
    documents = [await live.send("GET", path) for path in PROTECTED_RESOURCE]
    assert {answer.status for answer in documents} == {200}
    assert [answer.json["resource"] for answer in documents] == [f"{live.url}/mcp"] * 2
    assert documents[0].json == documents[1].json
    assert documents[0].json["resource_name"]


@pytest.mark.parametrize("path", [AUTHORIZATION_SERVER[1], PROTECTED_RESOURCE[1]])
async def test_documents_may_be_cached_for_minutes_and_read_from_any_origin(live: Live, path: str) -> None:
    answer = await live.send("GET", path, headers={"Origin": "https://inspector.example"})
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_what_the_document_names_is_there(live: Live) -> None:
    document = (await live.send("GET", AUTHORIZATION_SERVER[0])).json
    for endpoint in ("token", "registration", "revocation", "introspection"):
        assert (await live.send("POST", document[f"{endpoint}_endpoint"])).status == 400
    assert (await live.send("GET", document["authorization_endpoint"])).status == 400
    assert (await live.send("GET", document["service_documentation"])).status == 200


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_any_other_document_is_404_in_json(live: Live, accept: str) -> None:
    for path in UNKNOWN:
        for method in ("GET", "POST", "DELETE"):
            answer = await live.send(method, path, headers={"Accept": accept})
            assert (answer.status, type(answer.json["error"])) == (404, str), path
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_with_oauth_off_there_are_no_documents_and_no_endpoints(start: Start) -> None:
    async with start(oauth_enabled=False) as live:
        for path in (*AUTHORIZATION_SERVER, *PROTECTED_RESOURCE, "/authorize", "/oauth/authorize/page", "/account"):
            assert (await live.send("GET", path)).status == 404, path
        for path in ("/authorize", "/oauth/authorize/approve", "/register", "/token", "/revoke", "/introspect"):
            assert (await live.send("POST", path)).status == 404, path
        assert (await live.send("GET", "/oauth/stats")).json == {"oauth_enabled": False}
        assert (await live.send("GET", "/")).status == 200


async def test_with_registration_off_it_is_neither_named_nor_served(start: Start) -> None:
    async with start(oauth_dcr="off") as live:
        assert "registration_endpoint" not in (await live.send("GET", AUTHORIZATION_SERVER[0])).json
        assert (await live.send("POST", "/register", json={})).status == 404


async def test_the_issuer_is_given_exactly_as_it_was_configured(start: Start) -> None:
    async with start(server_url="https://mcp.example.com", oauth_issuer_url="https://MCP.example.com:443") as live:
        answer = await live.send("GET", AUTHORIZATION_SERVER[0], headers={"Host": "evil.example"})
        assert answer.json["issuer"] == "https://MCP.example.com:443"
        assert answer.json["token_endpoint"] == "https://mcp.example.com/token"
        resource = (await live.send("GET", PROTECTED_RESOURCE[0])).json
        assert resource["authorization_servers"] == ["https://MCP.example.com:443"]


async def test_forwarded_headers_do_not_change_a_url(live: Live) -> None:
    forged = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example",
    }
    for path in (AUTHORIZATION_SERVER[0], PROTECTED_RESOURCE[0], "/"):
        assert "evil.example" not in (await live.send("GET", path, headers=forged)).text


async def test_openais_challenge_is_the_token_alone(start: Start) -> None:
    async with start(openai_apps_challenge="a-token_1.2") as live:
        answer = await live.send("GET", "/.well-known/openai-apps-challenge")
        assert (answer.status, answer.text) == (200, "a-token_1.2")
        assert answer.headers["Content-Type"].startswith("text/plain")


async def test_discovery_goes_on_while_the_database_cannot_be_read(live: Live) -> None:
    live.database.chmod(0o200)
    for path in (AUTHORIZATION_SERVER[0], PROTECTED_RESOURCE[0]):
        assert (await live.send("GET", path)).status == 200
    assert (await live.send("GET", "/oauth/stats")).status == 503
    live.database.chmod(0o600)
    assert (await live.send("GET", "/oauth/stats")).status == 200
