"""The guide's own tools, run as they stand."""

import re
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

GUIDE = Path(__file__).parents[2] / "docs/guides/who-calls.md"


def example(number: int) -> dict[str, Any]:
    """Run an example of the guide and give what it defines."""
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[number], names)  # noqa: S102
    return names


def sign_in(**claims: str | None) -> None:
    token = AccessToken(token="t", client_id="client", scopes=["read"], subject="att_us_ada", claims=claims)
    auth_context_var.set(AuthenticatedUser(token))


async def test_a_caller_is_greeted_by_what_is_known() -> None:
    greeting = example(0)["greeting"]
    assert greeting() == "Hello, whoever you are"
    sign_in(name=None)
    assert greeting() == "Hello, att_us_ada"
    sign_in(name="Ada")
    assert greeting() == "Hello, Ada"


async def test_the_profile_tool_says_who_is_signed_in() -> None:
    async with Client(example(1)["server"]) as client:
        (tool,) = (await client.list_tools()).tools
        assert tool.meta == {"openai/profile": True}
        assert (await client.call_tool("profile", {})).is_error
        sign_in(name="Ada", email=None)
        answer = await client.call_tool("profile", {})
    assert answer.structured_content == {"id": "att_us_ada", "name": "Ada"}
