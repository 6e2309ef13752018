"""One database, two servers, and the operator's command: which key signs, and which signatures are good."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import jwt

from tests.browser import App
from tests.flows.child import PATIENCE, ROOT, Child, connected
from tests.support import Remote

SETTINGS = {"OAUTH_VALID_SCOPES": "read,openid"}


async def operate(child: Child, *arguments: str) -> Any:
    """Run a command beside the servers, and give what it prints."""
    environment = {"PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{child.database}", "LOG_LEVEL": "WARNING"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *arguments, "--json"),
        cwd=child.folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    return json.loads(output)


async def keys_of(live: Remote) -> dict[str, Any]:
    """Give the keys that a server publishes, by their ids."""
    return {key["kid"]: key for key in (await live.send("GET", "/jwks")).json["keys"]}


async def signed(live: Remote, app: App) -> tuple[str, str]:
    """Sign in, and give the ID token and the id of the key that signed it."""
    token = str((await live.log_in(app, scope="openid"))["id_token"])
    return token, str(jwt.get_unverified_header(token)["kid"])


async def test_a_rotation_counts_in_every_process_and_takes_no_signature_back(tmp_path: Path) -> None:
    first = Child(tmp_path, environment=SETTINGS)
    second = Child(tmp_path, environment={**SETTINGS, "SERVER_URL": first.url})
    async with connected(first) as one, connected(second) as two:
        app = await one.register()
        token, old = await signed(one, app)
        assert (await signed(two, app))[1] == old
        new = (await operate(first, "keys", "rotate"))["signs"]
        for live in (one, two):
            assert (await signed(live, app))[1] == new
            published = await keys_of(live)
            assert list(published) == [new, old]
            assert jwt.decode(token, jwt.PyJWK(published[old]), ["RS256"], audience=app.client_id)["sub"] == "demo"
        latest = (await operate(first, "keys", "rotate", "--leaked"))["signs"]
        for live in (one, two):
            assert list(await keys_of(live)) == [latest]
