"""What hosts may count on in every widget: it is accessible, loads nothing, fits, and shows texts as texts."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.chromium import AXE, lacks
from tests.widgets.stage import DESKTOP, PHONE, Connection, Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="package")

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWN: dict[str, dict[str, Any]] = {
    "att-store-locator": {"location": "Seattle, WA"},
    "att-products-carousel": {},
    "att-device-details": {},
    "att-plans-list": {},
    "att-fiber-coverage-checker": {"address": "Seattle, WA 98101"},
    "att-for-you": {},
    "att-internet-backup-offer": {},
    "att-services-gallery": {},
    "att-account-summary": {},
    "att-update-preferences": {"language": "en"},
    "att-make-payment": {},
}
TOOLS = pytest.mark.parametrize("tool", SHOWN)
HOSTILE = "<img src=x onerror=alert(1)></script><b>" + "W" * 400
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}


async def result_of(connection: Connection, tool: str) -> Any:
    """Call a tool; there is always something to pay."""
    if tool == "att-make-payment":
        connection.live.sql("UPDATE accounts SET balance_cents = 777")
    if tool == "att-device-details":
        listed = await connection.call("att-products-carousel", {})
        return await connection.call(tool, {"deviceId": listed["structuredContent"]["products"][0]["deviceId"]})
    return await connection.call(tool, SHOWN[tool])


async def open_all(stage: Stage) -> None:
    """Open the first entry, and compare the first two where that is what one does."""
    for name in ("More about", "Compare ", "Compare "):
        button = stage.widget.locator(
            f"[aria-label^='{name}'][aria-pressed=false], [aria-label^='{name}'][aria-expanded=false]"
        )
        if await button.count():
            await button.first.click()


@TOOLS
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    browser: Browser, connection: Connection, script: str, tool: str
) -> None:
    if not AXE.exists():
        lacks("axe-core")
    result = await result_of(connection, tool)
    async with staged(browser, connection, script, PHONE) as stage:
        await stage.show_result(tool, result)
        await open_all(stage)
        await stage.widget.evaluate(AXE.read_text(encoding="utf-8"))
        for size in (PHONE, DESKTOP):
            await stage.page.set_viewport_size(size)
            for theme in ("light", "dark"):
                await stage.page.evaluate("theme => window.theme(theme)", theme)
                ground = f"getComputedStyle(document.body).backgroundColor === '{BACKGROUND[theme]}'"
                await stage.until(ground)
                found = await stage.widget.evaluate("rules => axe.run({runOnly: rules, iframes: false})", RULES)
                assert found["passes"]
                for finding in found["violations"] + found["incomplete"]:
                    nodes = [(node["target"], node["any"] and node["any"][0]["message"]) for node in finding["nodes"]]
                    pytest.fail(f"{theme}, {size['width']} px: {finding['id']}: {finding['help']}: {nodes}")
            assert await stage.widget.evaluate("document.documentElement.scrollWidth") == size["width"]


@TOOLS
async def test_a_document_is_small_and_names_no_other_place(connection: Connection, tool: str) -> None:
    page = connection.pages[tool]
    assert len(page.encode()) < 60_000
    assert set(re.findall(r"https?://[^\s\"'`<]*", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(
        r"\b(src|href|import|fetch|XMLHttpRequest|WebSocket|url\()\b", page.replace("ui/open-link", "")
    )


def _spoil(value: Any) -> Any:
    """Put hostile text in place of every text that is not a date, a colour or an id."""
    match value:
        case dict():
            kept = {"deviceId", "id", "accountId", "dueDate", "hex", "type", "kind", "status", "serviceType"}
            return {name: one if name in kept else _spoil(one) for name, one in value.items()}
        case list():
            return [_spoil(one) for one in value]
        case str():
            return HOSTILE
        case _:
            return value


@TOOLS
async def test_hostile_texts_stay_texts(browser: Browser, connection: Connection, script: str, tool: str) -> None:
    result = await result_of(connection, tool)
    result["structuredContent"] = _spoil(result["structuredContent"])
    async with staged(browser, connection, script, PHONE) as stage:
        await stage.show_result(tool, result)
        await open_all(stage)
        await stage.see("<img src=x onerror=alert(1)>")
        assert await stage.widget.locator("#view img, #view b, #view script").count() == 0
        assert await stage.widget.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@TOOLS
async def test_a_host_without_calls_gets_a_view_without_dead_buttons(stage: Stage, tool: str) -> None:
    result = await result_of(stage.connection, tool)
    await stage.show_result(tool, result, tools=False)
    assert await stage.heading()
    await open_all(stage)
    assert await stage.widget.locator("button.main:not([aria-pressed])").count() == 0


async def test_an_error_is_told_in_place_of_a_view(stage: Stage) -> None:
    result = await stage.connection.call("att-store-locator", {"location": "Atlantis"})
    assert result["isError"]
    await stage.show_result("att-store-locator", result)
    assert await stage.widget.get_by_role("status").inner_text() == result["content"][0]["text"]


async def test_a_failing_call_is_told_and_can_be_repeated(stage: Stage) -> None:
    await stage.show("att-account-summary")
    token, stage.connection.token = stage.connection.token, "att_at_wrong"
    await stage.press("Offers for you")
    await stage.see("That did not work")
    stage.connection.token = token
    await stage.press("Offers for you")
    await stage.button("Back").wait_for()


async def test_the_frame_is_as_high_as_the_widget_and_ends_when_told(stage: Stage) -> None:
    await stage.show("att-plans-list")
    height = await stage.widget.evaluate("document.documentElement.getBoundingClientRect().height")
    await stage.page.wait_for_function("height => sizes.at(-1) === Math.ceil(height)", arg=height)
    assert await stage.page.evaluate("end()") == {}


async def test_a_bill_is_paid_by_keyboard_alone(stage: Stage) -> None:
    stage.connection.live.sql("UPDATE accounts SET balance_cents = 999")
    await stage.show("att-account-summary")
    await stage.button("Pay $9.99").focus()
    await stage.page.keyboard.press("Enter")
    await stage.widget.get_by_role("heading", name="Confirm the payment").wait_for()
    await stage.until("document.activeElement.tagName === 'H1'")
    await stage.page.keyboard.press("Tab")
    await stage.page.keyboard.press("Enter")
    await stage.see("Confirmation number")
    assert await stage.widget.evaluate("document.activeElement.innerText") == "Paid"
    assert stage.connection.live.sql("SELECT count(*) FROM payments WHERE amount_cents = 999") == [(1,)]


async def test_a_widget_is_used_by_keyboard_alone(stage: Stage) -> None:
    data = await stage.show("att-store-locator", {"location": "Seattle, WA"})
    await stage.page.locator("iframe").focus()
    focused = "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
    seen = []
    for _ in range(20):
        await stage.page.keyboard.press("Tab")
        text, outline = await stage.widget.evaluate(focused)
        seen.append((text, outline))
        if text == "More":
            break
    assert seen[-1] == ("More", "solid"), seen
    await stage.page.keyboard.press("Enter")
    await stage.see(f"Phone: {data['stores'][0]['phone']}")
    assert await stage.widget.evaluate(focused) == ["Less", "solid"]
    await stage.page.keyboard.press("Tab")
    await stage.page.keyboard.press("Enter")
    await stage.widget.get_by_role("heading", level=1).filter(has_not_text="Seattle, WA").wait_for()
    assert len(stage.calls) == 1
