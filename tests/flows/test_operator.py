"""The operator's commands beside a running server, which sees each change at its next request."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser import App
from tests.flows.child import PATIENCE, ROOT, Child, connected
from tests.support import Remote

pytestmark = pytest.mark.timeout(600)


async def command(child: Child, *arguments: str, stdin: str = "") -> Any:
    """Run a command on the child's database, as a process of its own, and give what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{child.database}",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *arguments, "--json"),
        cwd=child.folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), PATIENCE)
    assert process.returncode == 0, err
    return json.loads(out)


async def status(live: Remote, token: str) -> int:
    """Give the status of a call with a token."""
    return (await live.ask("tools/list", token)).status


async def test_a_revocation_and_a_deletion_are_seen_at_the_next_request(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        app, another = await live.register(client_name="Assistant"), await live.register(client_name="Another")
        first, second, third = await live.log_in(app), await live.log_in(app), await live.log_in(another)
        every = [held["access_token"] for held in (first, second, third)]
        assert [await status(live, token) for token in every] == [200, 200, 200]

        assert len((await command(child, "tokens", "revoke", "-", stdin=every[0]))["revoked"]) == 1
        assert [await status(live, token) for token in every] == [401, 200, 200]
        assert (await live.refresh(app, first["refresh_token"])).status == 200

        assert (
            len((await command(child, "grants", "revoke", "--client", "Assistant", "--user", "demo"))["revoked"]) == 2
        )
        assert [await status(live, token) for token in every] == [401, 401, 200]
        assert (await live.refresh(app, second["refresh_token"])).json["error"] == "invalid_grant"

        assert (await command(child, "clients", "delete", another.client_id)) == {"deleted": [another.client_id]}
        assert [await status(live, token) for token in every] == [401, 401, 401]
        assert (await live.refresh(another, third["refresh_token"])).json["error"] == "invalid_client"
        refreshes = [held["refresh_token"] for held in (first, second, third)]
        assert not any(secret in child.log for secret in (*every, *refreshes))


async def test_a_machine_that_was_added_gets_in_at_once_and_is_out_when_deleted(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        added = await command(child, "clients", "add", "Robot", "--scope", "read")
        app = App({**added, "token_endpoint_auth_method": "client_secret_basic"})
        issued = (await live.post("/token", app, grant_type="client_credentials")).json
        assert await status(live, issued["access_token"]) == 200
        (listed,) = await command(child, "tokens", "list", "--client", "Robot")
        assert (listed["user_id"], listed["scopes"], listed["status"]) == (None, "read", "live")
        await command(child, "clients", "delete", "--client", "Robot")
        assert await status(live, issued["access_token"]) == 401
        assert (await live.post("/token", app, grant_type="client_credentials")).json["error"] == "invalid_client"
        assert added["client_secret"] not in child.log
