"""What a tool gives its client to bring back: nobody reads it, and only the same caller may bring it."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import INVALID_PARAMS

from tests.transport.rig import Answer, Site, serve

BOTH = ["tests.transport.asking:build", "tests.transport.asking:lowlevel"]


async def remember(site: Site, token: str | None, state: str | None = None, word: str = "walrus") -> Answer:
    """Call the tool that keeps a word with its client, with the state that it gave."""
    params: dict[str, Any] = {"name": "remember", "arguments": {"word": word}}
    return await site.modern("tools/call", params | ({"requestState": state} if state else {}), token=token)


async def given(site: Site, token: str | None) -> str:
    """Make the first of two calls, and give the state to bring back."""
    result = (await remember(site, token)).json["result"]
    assert result["resultType"] == "input_required"
    return str(result["requestState"])


def is_accepted(answer: Answer) -> bool:
    if answer.status == 200:
        assert answer.json["result"]["content"][0]["text"] == "It was walrus"
        return True
    assert (answer.status, answer.json["error"]["code"]) == (400, INVALID_PARAMS)
    assert answer.json["error"]["data"] == {"reason": "invalid_request_state"}
    return False


@pytest.mark.parametrize("plugged", BOTH)
async def test_state_is_sealed_on_its_way_and_open_to_the_tool(tmp_path: Path, plugged: str) -> None:
    async with serve(tmp_path, plugged) as site:
        token = await site.token()
        state = await given(site, token)
        assert "walrus" not in state
        assert is_accepted(await remember(site, token, state))
        assert not is_accepted(await remember(site, token, f"{state[:-2]}AA"))
        assert not is_accepted(await remember(site, token, "walrus"))


@pytest.mark.parametrize("plugged", BOTH)
async def test_another_user_and_another_client_are_refused(tmp_path: Path, plugged: str) -> None:
    async with serve(tmp_path, plugged) as site:
        ada = await site.token(client="app")
        bob = await site.token(client="app", user="bob")
        elsewhere = await site.token(client="other")
        state = await given(site, ada)
        assert not is_accepted(await remember(site, bob, state))
        assert not is_accepted(await remember(site, elsewhere, state))
        assert is_accepted(await remember(site, await site.token(client="app"), state)), "a refreshed token"


async def test_state_is_good_for_the_call_that_it_came_from_only(tmp_path: Path) -> None:
    async with serve(tmp_path, BOTH[0]) as site:
        token = await site.token()
        assert not is_accepted(await remember(site, token, await given(site, token), word="carpenter"))


@pytest.mark.parametrize("plugged", BOTH)
async def test_state_outlives_a_restart(tmp_path: Path, plugged: str) -> None:
    async with serve(tmp_path, plugged) as site:
        token = await site.token()
        state = await given(site, token)
    async with serve(tmp_path, plugged) as site:
        assert is_accepted(await remember(site, token, state))


async def test_state_under_another_key_is_refused(tmp_path: Path) -> None:
    async with serve(tmp_path, BOTH[0]) as site:
        token = await site.token()
        state = await given(site, token)
    async with serve(tmp_path, BOTH[0], secret_key="another secret, of more than enough characters") as site:
        assert not is_accepted(await remember(site, token, state))


async def test_a_policy_of_the_servers_own_is_kept(tmp_path: Path) -> None:
    async with serve(tmp_path, "tests.transport.asking:own") as site:
        token = await site.token()
        state = await given(site, token)
    async with serve(tmp_path, BOTH[1]) as site:
        assert not is_accepted(await remember(site, token, state)), "it was not sealed under our key"


async def test_without_sign_in_state_is_bound_to_its_call_alone(tmp_path: Path) -> None:
    async with serve(tmp_path, BOTH[0], oauth_enabled=False) as site:
        state = await given(site, None)
        assert is_accepted(await remember(site, None, state))
        assert not is_accepted(await remember(site, None, state, word="carpenter"))
