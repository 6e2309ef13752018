import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp_types import CallToolResult, Tool

from server.oauth.bearer import Caller
from server.oauth.model import AccessToken, User
from server.oauth.provider.words import access_token
from server.services import Services
from server.settings import load_settings
from server.toolkit.server import make_server
from server.tools import profile
from tests.tools.conftest import Call

ADA = User("att_us_ada", "https://login.example", "ada", "Ada Lovelace", "ada@example.com")
EVERYTHING = {"id": "att_us_ada", "name": "Ada Lovelace", "email": "ada@example.com"}


@contextmanager
def calling_as(user: User | None, *scopes: str) -> Iterator[None]:
    """Be the caller who holds a token, as the transport arranges it."""
    row = AccessToken(
        "digest", "hint", "grant", "client", None if user is None else user.user_id, scopes, "audience", 0, 1
    )
    before = auth_context_var.set(AuthenticatedUser(access_token(Caller("token", row, user), "https://issuer.example")))
    try:
        yield
    finally:
        auth_context_var.reset(before)


async def test_it_says_whose_token_it_is(call: Call, text: Callable[[CallToolResult], str]) -> None:
    with calling_as(ADA, "read"):
        answer = await call("att-profile")
    assert answer.structured_content == EVERYTHING
    assert text(answer) == "Signed in as Ada Lovelace, ada@example.com."


async def test_what_is_not_known_is_left_out(call: Call, text: Callable[[CallToolResult], str]) -> None:
    with calling_as(User("att_us_bob", "https://login.example", "bob"), "read"):
        answer = await call("att-profile")
    assert answer.structured_content == {"id": "att_us_bob"}
    assert text(answer) == "Signed in as att_us_bob."


@pytest.mark.parametrize(
    ("scopes", "told"),
    [(("read",), {"id"}), (("read", "email"), {"id", "email"}), (("openid", "profile"), {"id", "name"})],
)
async def test_where_the_page_asked_about_name_and_address_only_what_was_allowed_is_told(
    scopes: tuple[str, ...], told: set[str]
) -> None:
    settings = load_settings(_env_file=None, oauth_valid_scopes="read,openid,email,profile")
    tool = profile.tool(Services(store=None, clock=lambda: 0, entropy=os.urandom, settings=settings))
    async with Client(make_server("one", "1", "", [tool])) as client:
        with calling_as(ADA, *scopes):
            answer = await client.call_tool("att-profile", {})
    assert answer.structured_content == {name: value for name, value in EVERYTHING.items() if name in told}


@pytest.mark.parametrize("caller", [None, "a machine"])
async def test_without_a_user_it_says_what_to_do(
    call: Call, text: Callable[[CallToolResult], str], caller: str | None
) -> None:
    if caller is None:
        answer = await call("att-profile")
    else:
        with calling_as(None, "read"):
            answer = await call("att-profile")
    assert answer.is_error
    assert "sign-in page" in text(answer)


def test_chatgpt_knows_it_for_the_profile_tool(listing: list[Tool]) -> None:
    (tool,) = [tool for tool in listing if (tool.meta or {}).get("openai/profile")]
    assert tool.name == "att-profile"
    assert tool.input_schema["properties"] == {}
    assert tool.output_schema is not None
    assert tool.output_schema["required"] == ["id"]
    assert not Draft202012Validator(tool.output_schema).is_valid({"id": "x", "more": "y"})
