"""Behind the proxies of ``deploy/``, as they are but for names, ports and certificates."""

import asyncio
import io
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from tests.flows.child import ROOT, Child, connected, free_port
from tests.support import Remote

DEPLOY = ROOT / "deploy"

TOOLS = """
import anyio
from pathlib import Path
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("slow")

@server.tool()
async def wait(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    while not Path("go-on").exists():
        await anyio.sleep(0.02)
    return "done"
"""
CALL: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "wait", "arguments": {}, "_meta": {"progressToken": "p"}},
}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@dataclass(frozen=True)
class Proxy:
    """A proxy program: how its example is made to run here, and how it is started."""

    name: str
    write: Callable[[Path, Path, int, int], list[str]]
    """Takes a folder with a certificate, its name, the port to listen on and the server's; gives the command."""
    refuses_header: int
    """The status for a header that is far too long."""


def write_nginx(folder: Path, certificate: Path, port: int, server: int) -> list[str]:
    text = (DEPLOY / "nginx.conf").read_text()
    text = text[: text.rindex("\nserver {")]  # the redirect to https needs port 80
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;")
    text = text.replace("    listen [::]:443 ssl http2;\n", "").replace("mcp.example.com", "localhost")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server}").replace("/var/log/nginx/", f"{folder}/")
    text = re.sub(r"/etc/letsencrypt/live/localhost/\w+\.pem", str(certificate), text)
    (folder / "site.conf").write_text(text)
    paths = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nworker_processes 1;\nevents {{}}\n"
        f"http {{\n{paths}    include {folder}/site.conf;\n}}\n"
    )
    return ["-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def write_caddy(folder: Path, certificate: Path, port: int, server: int) -> list[str]:
    text = (DEPLOY / "Caddyfile").read_text()
    text = text.replace(
        "mcp.example.com {", f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {certificate}"
    )
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server}")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


NGINX = Proxy("nginx", write_nginx, 400)
CADDY = Proxy("caddy", write_caddy, 431)


@dataclass(frozen=True)
class Behind:
    """A server, and the way to it through a proxy."""

    proxied: Remote
    child: Child
    folder: Path


@asynccontextmanager
async def running(proxy: Proxy, folder: Path) -> AsyncIterator[Behind]:
    """Run the server behind a proxy, and come from an address of its own: 127.0.0.2."""
    program = shutil.which(proxy.name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip(f"{proxy.name} is not installed")
    port = free_port()
    authority = trustme.CA()
    certificate = folder / "certificate.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    (folder / "slow.py").write_text(TOOLS)
    url = f"https://localhost:{port}"
    environment = {"SERVER_URL": url, "TRUSTED_PROXIES": "127.0.0.1", "MCP_SERVER": "slow:server"}
    child = Child(folder, environment=environment)
    command = [program, *proxy.write(folder, certificate, port, child.port)]
    connector = aiohttp.TCPConnector(ssl=trusted, local_addr=("127.0.0.2", 0))
    async with (
        connected(child),
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        process = spawn(command, folder)
        try:
            await until_up(http, url, process)
            yield Behind(Remote(url, child.database, http), child, folder)
        except TimeoutError as error:
            raise TimeoutError(logged(folder)) from error
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


def spawn(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "proxy.log").open("wb") as log:
        environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def logged(folder: Path) -> str:
    """Give all that a proxy has written."""
    return "".join(file.read_text() for file in (folder / "proxy.log", *folder.glob("*server.log")))


async def until_up(http: aiohttp.ClientSession, url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            async with http.get(f"{url}/health"):
                return
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.05)
    raise TimeoutError


@pytest.fixture(scope="module", params=[NGINX, CADDY], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest) -> Proxy:
    """Give each of the proxies."""
    chosen: Proxy = request.param
    return chosen


async def test_the_whole_way_goes_through_a_proxy(proxy: Proxy, tmp_path: Path) -> None:
    async with running(proxy, tmp_path) as behind:
        live = behind.proxied
        resource = (await live.send("GET", "/.well-known/oauth-protected-resource/mcp")).json["resource"]
        assert resource == f"{live.url}/mcp"
        unauthorised = await live.send("POST", "/mcp", json=CALL, headers=HEADERS)
        assert unauthorised.status == 401
        assert live.url in unauthorised.headers["WWW-Authenticate"]
        app = await live.register()
        # A long state comes back whole: proxies limit the headers that they pass on.
        long = "s" * 5_000
        page = await live.browser().open_page(app, state=long)
        assert set(page.browser.cookies) == {"__Host-att_browser"}
        returned = (await page.approve()).returned
        assert (returned["state"], returned["iss"]) == (long, live.url)
        tokens = (await live.exchange(app, returned["code"], page.verifier)).json
        renewed = (await live.refresh(app, tokens["refresh_token"])).json
        assert await live.is_active(app, renewed["access_token"])
        assert (await live.post("/revoke", app, token=renewed["refresh_token"])).status == 200
        assert not await live.is_active(app, renewed["access_token"])
        assert long not in logged(behind.folder), "a query was logged"


async def test_streams_are_not_held_back(proxy: Proxy, tmp_path: Path) -> None:
    async with running(proxy, tmp_path) as behind:
        live = behind.proxied
        tokens = await live.log_in(await live.register())
        headers = {**HEADERS, "Authorization": f"Bearer {tokens['access_token']}"}
        events = []
        async with asyncio.timeout(60), live.http.post(f"{live.url}/mcp", json=CALL, headers=headers) as answer:
            assert answer.content_type == "text/event-stream"
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    events.append(json.loads(line[6:]))
                    (behind.folder / "go-on").touch()  # the tool ends only once its progress has come through
        assert [event.get("method") for event in events] == ["notifications/progress", None]
        assert events[1]["result"]["content"][0]["text"] == "done"


async def test_the_clients_own_address_is_seen_and_none_that_it_claims(proxy: Proxy, tmp_path: Path) -> None:
    async with running(proxy, tmp_path) as behind:
        live = behind.proxied
        claimed = {"X-Forwarded-For": "203.0.113.9"}
        body = {"redirect_uris": ["https://assistant.example/callback"]}
        assert (await live.send("POST", "/register", json=body, headers=claimed)).status == 201
        assert live.sql("SELECT address FROM audit_log WHERE event = 'client_registered'") == [("127.0.0.2",)]


async def test_headers_have_limits_and_the_server_survives_them(proxy: Proxy, tmp_path: Path) -> None:
    async with running(proxy, tmp_path) as behind:
        live = behind.proxied
        fits = await live.send("POST", "/mcp", json=CALL, headers={**HEADERS, "Authorization": "Bearer " + "x" * 7_000})
        assert fits.status == 401
        too_long = {**HEADERS, "Authorization": "Bearer " + "x" * 2_000_000}
        with suppress(aiohttp.ClientConnectionError):  # the proxy may hang up while it is still being written
            assert (await live.send("POST", "/mcp", json=CALL, headers=too_long)).status == proxy.refuses_header
        large = await live.send("POST", "/mcp", data=io.BytesIO(b"{" + b" " * 5_000_000), headers=HEADERS)
        assert large.status in {401, 413}
        assert (await live.send("GET", "/health/ready")).status == 200
