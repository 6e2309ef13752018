"""The pages in real Chromium: accessible, usable by keyboard and without JavaScript, whole at 320 px."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, ViewportSize

from tests.chromium import AXE, chromium, lacks
from tests.pages.contexts import CONTEXTS

pytestmark = pytest.mark.asyncio(loop_scope="module")

USUAL = [name for name in CONTEXTS if "hostile" not in name and not name.startswith("failure")]
"""Those in which no word is longer than words are."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BROKEN_WORDS = """() => [...document.querySelectorAll("button")].flatMap(button => {
  const text = button.firstChild, range = document.createRange();
  return [...text.data.matchAll(/\\S+/g)].filter(word => {
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map(word => word[0]);
})"""
PHONE = ViewportSize(width=320, height=640)
DESKTOP = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(make_site: Callable[[], web.Application]) -> AsyncIterator[TestServer]:
    server = TestServer(make_site())
    async with server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Give a tab of a fresh profile, as a person has it."""
    async with await browser.new_context(viewport=PHONE) as context:
        yield await context.new_page()


@pytest_asyncio.fixture(loop_scope="module")
async def scriptless(browser: Browser) -> AsyncIterator[Page]:
    """Give a tab in which JavaScript is switched off."""
    async with await browser.new_context(viewport=DESKTOP, java_script_enabled=False) as context:
        yield await context.new_page()


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


def posted(page: Page) -> list[tuple[str, str]]:
    """What the form sent, as the other origin got it in its query."""
    assert urlsplit(page.url).hostname == "localhost"
    return parse_qsl(urlsplit(page.url).query)


@pytest.mark.parametrize("name", CONTEXTS)
async def test_axe_finds_nothing(browser: Browser, site: TestServer, name: str) -> None:
    if not AXE.exists():
        lacks("axe-core")
    async with await browser.new_context(bypass_csp=True) as context:
        page = await context.new_page()
        await page.goto(str(site.make_url(f"/{name}")))
        await page.add_script_tag(path=AXE)
        for look in ("light", "dark"):
            for size in (PHONE, DESKTOP):
                await page.emulate_media(color_scheme="dark" if look == "dark" else "light")
                await page.set_viewport_size(size)
                found = await page.evaluate("rules => axe.run({runOnly: rules})", RULES)
                assert found["passes"]
                # An incomplete check is one that axe could not decide, such as a contrast it could not measure.
                for finding in found["violations"] + found["incomplete"]:
                    pytest.fail(f"{look}, {size['width']} px: {finding['help']}: {finding['nodes']}")


@pytest.mark.parametrize("name", CONTEXTS)
async def test_a_page_loads_alone_styled_and_without_complaint(page: Page, site: TestServer, name: str) -> None:
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    address = str(site.make_url(f"/{name}"))
    await page.goto(address, wait_until="networkidle")
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert await page.evaluate("getComputedStyle(document.querySelector('main')).borderTopStyle") == "solid"


@pytest.mark.parametrize(("look", "dark"), [("light", False), ("dark", True)])
async def test_a_page_is_as_dark_as_the_rest_of_the_screen(
    page: Page, site: TestServer, look: Literal["light", "dark"], *, dark: bool
) -> None:
    await page.emulate_media(color_scheme=look)
    await page.goto(str(site.make_url("/consent")))
    for element, colour in (("body", "backgroundColor"), ("main", "backgroundColor"), ("main", "color")):
        shown = await page.evaluate(f"getComputedStyle(document.querySelector('{element}')).{colour}")
        is_dark = sum(map(int, re.findall(r"\d+", shown)[:3])) < 3 * 128
        assert is_dark is (dark is (colour == "backgroundColor")), (element, colour, shown)


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("text_size", ["100%", "200%"])
async def test_nothing_scrolls_sideways_at_320_px(page: Page, site: TestServer, name: str, text_size: str) -> None:
    await page.goto(str(site.make_url(f"/{name}")))
    await page.evaluate("size => { document.documentElement.style.fontSize = size }", text_size)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(
    "name", [name for name in CONTEXTS if "hostile" not in name and not name.startswith("failure")]
)
async def test_no_button_breaks_within_a_word_at_320_px(page: Page, site: TestServer, name: str) -> None:
    await page.goto(str(site.make_url(f"/{name}")))
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert await page.evaluate(BROKEN_WORDS) == []


async def test_consent_is_given_by_keyboard_alone_and_without_javascript(scriptless: Page, site: TestServer) -> None:
    await scriptless.goto(str(site.make_url("/consent")))
    await press(scriptless, "Tab", "Tab", "Space")  # the second of two boxes
    await press(scriptless, "Tab", "Tab", "Enter")  # past "Deny"
    await scriptless.wait_for_url("**/account?*")
    assert posted(scriptless) == [("request", "a-handle"), ("scope", "read"), ("decision", "approve")]


async def test_denying_is_one_key_nearer_than_allowing(scriptless: Page, site: TestServer) -> None:
    await scriptless.goto(str(site.make_url("/consent")))
    await press(scriptless, "Tab", "Tab", "Tab", "Enter")
    await scriptless.wait_for_url("**/account?*")
    assert ("decision", "deny") in posted(scriptless)


async def test_the_enter_key_in_a_box_never_allows(scriptless: Page, site: TestServer) -> None:
    await scriptless.goto(str(site.make_url("/consent")))
    await press(scriptless, "Tab", "Enter")
    await scriptless.wait_for_url("**/account?*")
    assert ("decision", "deny") in posted(scriptless)


async def test_the_way_back_to_another_origin_is_not_blocked(page: Page, site: TestServer) -> None:
    await page.goto(str(site.make_url("/hostile")))
    await page.get_by_role("button", name="Allow").click()
    await page.wait_for_url("http://localhost:*/account?*")
    assert ("decision", "approve") in posted(page)


async def test_every_stop_of_the_tab_key_shows_its_focus(page: Page, site: TestServer) -> None:
    await page.goto(str(site.make_url("/consent")))
    stops = []
    for _ in range(4):
        await press(page, "Tab")
        stops.append(
            await page.evaluate(
                "(e => [e.name, e.value, getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth])"
                "(document.activeElement)"
            )
        )
    focus = ["solid", "3px"]
    assert stops == [
        ["scope", "read", *focus],
        ["scope", "account", *focus],
        ["decision", "deny", *focus],
        ["decision", "approve", *focus],
    ]


async def test_the_connector_url_is_selected_by_keyboard(page: Page, site: TestServer) -> None:
    await page.goto(str(site.make_url("/index")))
    await press(page, "Tab", "Control+a")
    selected = "(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.activeElement)"
    assert await page.evaluate(selected) == "http://localhost:8000/mcp"


@pytest.mark.parametrize("text_size", ["100%", "200%"])
async def test_the_connector_url_is_seen_whole_at_320_px(page: Page, site: TestServer, text_size: str) -> None:
    await page.goto(str(site.make_url("/open")))
    await page.evaluate("size => { document.documentElement.style.fontSize = size }", text_size)
    hidden = "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"
    assert await page.locator("#url").evaluate(hidden) == [0, 0]


@pytest.mark.parametrize("name", CONTEXTS)
async def test_whatever_can_be_clicked_is_24_px_or_more(page: Page, site: TestServer, name: str) -> None:
    await page.goto(str(site.make_url(f"/{name}")))
    for target in await page.locator("a, button, textarea, input:not([type=hidden], [hidden])").all():
        box = await target.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24


async def test_the_two_decisions_are_equally_large(page: Page, site: TestServer) -> None:
    await page.goto(str(site.make_url("/consent")))
    boxes = [await page.get_by_role("button", name=name).bounding_box() for name in ("Deny", "Allow")]
    assert boxes[0]
    assert boxes[1]
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
