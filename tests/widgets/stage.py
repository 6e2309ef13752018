"""Widgets in real Chromium: a host built on the official bridge, and a real server that answers them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Frame, Locator, Page, Route, ViewportSize

from tests.chromium import lacks
from tests.support import Live

HERE = Path(__file__).parent
NODE = Path(__file__).parents[2] / "node_modules"
ADDRESS = "http://host.example/"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
STRICT = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
PHONE = ViewportSize(width=320, height=640)
DESKTOP = ViewportSize(width=900, height=700)


async def bundle() -> str:
    """Put the host's script and the official bridge together into one."""
    (esbuild,) = (NODE / "@esbuild").glob("*/bin/esbuild") if (NODE / "@esbuild").is_dir() else (None,)
    if esbuild is None or not (NODE / "@modelcontextprotocol/ext-apps").is_dir():
        lacks("@modelcontextprotocol/ext-apps")
    process = await asyncio.create_subprocess_exec(
        str(esbuild), str(HERE / "host.mjs"), "--bundle", "--log-level=error", stdout=asyncio.subprocess.PIPE
    )
    script, _ = await process.communicate()
    assert process.returncode == 0
    return script.decode()


@dataclass
class Connection:
    """Somebody's connector: the server, with a token for all that the tools need."""

    live: Live
    token: str
    pages: dict[str, str]
    """The widget's document for each tool that has one."""

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a request as a client does and give its result."""
        answer = await self.live.ask(method, self.token, **params)
        assert answer.status == 200, answer.text
        return answer.json["result"]

    async def call(self, name: str, given: dict[str, Any]) -> Any:
        """Call a tool."""
        return await self.ask("tools/call", name=name, arguments=given)


async def connect(live: Live) -> Connection:
    """Log in, and read every widget that the list of tools names."""
    app = await live.register()
    tokens = await live.log_in(app, scope="read account write payment")
    connection = Connection(live, tokens["access_token"], {})
    uris = {
        one["name"]: one["_meta"]["ui"]["resourceUri"]
        for one in (await connection.ask("tools/list"))["tools"]
        if "ui" in one["_meta"]
    }
    read = {uri: (await connection.ask("resources/read", uri=uri))["contents"][0]["text"] for uri in set(uris.values())}
    connection.pages.update({name: read[uri] for name, uri in uris.items()})
    return connection


@dataclass
class Stage:
    """A tab in which a host shows a widget, and all that went wrong in it."""

    page: Page
    connection: Connection
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def widget(self) -> Frame:
        """The widget's own frame."""
        return self.page.frames[1]

    async def show(
        self, name: str, given: dict[str, Any] | None = None, *, theme: str = "light", tools: bool = True
    ) -> Any:
        """Call a tool and have its result shown; gives the result's data."""
        result = await self.connection.call(name, given or {})
        assert not result.get("isError"), result
        await self.show_result(name, result, given, theme=theme, tools=tools)
        return result["structuredContent"]

    async def show_result(
        self, name: str, result: Any, given: dict[str, Any] | None = None, *, theme: str = "light", tools: bool = True
    ) -> None:
        """Show a result as it is, under the strict policy that hosts set."""
        page = self.connection.pages[name].replace("<head>", f"<head>{STRICT}")
        assert STRICT in page
        shown = {"page": page, "given": given or {}, "result": result, "theme": theme, "tools": tools}
        await self.page.evaluate("shown => show(shown)", shown)
        drawn = "document.querySelector('#view')?.children.length || document.querySelector('#status')?.textContent"
        await self.until(drawn)

    async def until(self, condition: str) -> None:
        """Wait until something is so in the widget; Playwright's own way is `eval`, which the policy forbids."""
        for _ in range(500):
            if await self.widget.evaluate(condition):
                return
            await asyncio.sleep(0.03)
        pytest.fail(f"never came true: {condition}")

    def button(self, name: str, *, exact: bool = False) -> Locator:
        """Find a button of the widget."""
        return self.widget.get_by_role("button", name=name, exact=exact)

    async def press(self, name: str, *, exact: bool = False) -> None:
        """Press the first such button."""
        await self.button(name, exact=exact).first.click()

    async def names(self) -> list[str]:
        """The headings of what is listed."""
        return await self.widget.get_by_role("heading", level=2).all_inner_texts()

    async def heading(self) -> str:
        """The page's heading."""
        return await self.widget.get_by_role("heading", level=1).inner_text()

    async def see(self, text: str) -> None:
        """Wait until a text stands there."""
        await self.widget.get_by_text(text).first.wait_for(timeout=10_000)


@asynccontextmanager
async def staged(browser: Browser, connection: Connection, script: str, size: ViewportSize) -> AsyncIterator[Stage]:
    """Open a host in a fresh profile; whatever it or the widget tries to load is noted and refused."""
    async with await browser.new_context(viewport=size) as context:
        stage = Stage(await context.new_page(), connection)

        async def answer(route: Route) -> None:
            if route.request.url == ADDRESS:
                await route.fulfill(path=HERE / "host.html", content_type="text/html")
            else:
                stage.requests.append(route.request.url)
                await route.abort()

        async def call(name: str, given: dict[str, Any]) -> Any:
            stage.calls.append((name, given))
            return await connection.call(name, given)

        page = stage.page
        await context.route("**/*", answer)
        page.on("console", lambda message: stage.complaints.append(message.text) if message.type != "debug" else None)
        page.on("pageerror", lambda error: stage.complaints.append(str(error)))
        page.on("dialog", lambda dialog: stage.complaints.append(dialog.message))
        await page.expose_function("callTool", call)
        page.set_default_timeout(15_000)
        await page.goto(ADDRESS)
        await page.add_script_tag(content=script)
        yield stage
        assert (stage.complaints, stage.requests) == ([], [])
