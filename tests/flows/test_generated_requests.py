"""Requests generated from the OpenAPI document, by a tool that knows nothing else: every answer is as it says."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.browser import App
from tests.flows.child import Child, connected

LIMIT = 60
"""Seconds for all of it."""
CASES = 2
"""Random requests for each operation; far more are made systematically."""
SETTINGS = {"OAUTH_VALID_SCOPES": "read,write,openid,email,profile"}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


def configuration(app: App, managed: App, token: str) -> str:
    """Let the requests come from a client that is known, so that they get past its authentication."""
    values = {
        "auth.openapi.client_secret_basic": {
            "username": app.client_id,
            "password": app.registration["client_secret"],
        },
        "auth.openapi.access_token": {"bearer": token},
        "auth.openapi.registration_access_token": {"bearer": managed.registration["registration_access_token"]},
        "parameters": {
            '"path.client_id"': managed.client_id,
            '"query.client_id"': app.client_id,
            '"query.redirect_uri"': app.redirect_uri,
        },
    }
    return "\n".join(
        f"[{section}]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in content.items())
        for section, content in values.items()
    )


@pytest.mark.timeout(2 * LIMIT)
async def test_no_request_made_of_the_document_is_answered_in_a_way_that_it_does_not_name(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    async with connected(Child(tmp_path / "server", environment=SETTINGS)) as live:
        app = await live.register(token_endpoint_auth_method="client_secret_basic")
        folder.mkdir()
        token = (await live.log_in(app, scope="openid email profile"))["access_token"]
        (folder / "schemathesis.toml").write_text(configuration(app, await live.register(), token))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{live.url}/openapi.json", "--no-color", "--seed=1"),
            *("--phases=coverage,fuzzing", f"--max-examples={CASES}"),
            *("--generation-database=none", "--max-redirects=0", "--continue-on-failure", "--warnings=off"),
            f"--checks={','.join(CHECKS)}",
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, output.decode()
