"""What a person can do in each widget: filter, open, choose, go on to the next tool, and come back."""

import re

import pytest

from tests.widgets.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="package")

SEATTLE = {"location": "Seattle, WA"}


async def test_stores_are_filtered_opened_and_searched_around(stage: Stage) -> None:
    data = await stage.show("att-store-locator", SEATTLE)
    assert await stage.names() == [store["name"] for store in data["stores"]]
    await stage.press("Authorized retailer")
    kept = [store["name"] for store in data["stores"] if store["type"] == "authorized_retailer"]
    assert 0 < len(kept) < len(data["stores"])
    assert await stage.names() == kept
    assert await stage.widget.locator(".pin").count() == len(kept)
    await stage.press(f"More about {kept[0]}")
    (chosen,) = [store for store in data["stores"] if store["name"] == kept[0]]
    await stage.see(f"Phone: {chosen['phone']}")
    await stage.see("Wednesday")
    assert await stage.page.evaluate("told.at(-1)") == f"The person is looking at the store {kept[0]} ({chosen['id']})."
    await stage.press("Stores around this one")
    await stage.widget.get_by_role("heading", level=1).filter(has_not_text="Seattle, WA").wait_for()
    ((name, given),) = stage.calls
    assert (name, given["storeType"]) == ("att-store-locator", "all")
    assert set(await stage.names()) == set(kept)  # the filter is kept


async def test_a_pin_on_the_map_opens_its_store(stage: Stage) -> None:
    data = await stage.show("att-store-locator", SEATTLE)
    await stage.widget.locator(".pin").last.click()
    await stage.see(f"Phone: {data['stores'][-1]['phone']}")


async def test_devices_are_filtered_and_one_is_opened_and_left_again(stage: Stage) -> None:
    data = await stage.show("att-products-carousel", {"productType": "watch"})
    assert await stage.heading() == "Watches"
    brand = data["products"][-1]["brand"]
    await stage.press(brand, exact=True)
    await stage.press("$600", exact=True)
    fits = [one for one in data["products"] if one["brand"] == brand and one["fromPrice"]["cents"] <= 60_000]
    assert 0 < len(fits) < len(data["products"])
    assert await stage.names() == [one["name"] for one in fits]
    await stage.press(f"Details of {fits[0]['name']}")
    await stage.see("Colours: ")
    assert stage.calls == [("att-device-details", {"deviceId": fits[0]["deviceId"]})]
    assert fits[0]["name"] in await stage.heading()
    await stage.press("Back")
    assert await stage.names() == [one["name"] for one in fits]
    focused = await stage.widget.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == f"Details of {fits[0]['name']}"


async def test_a_device_is_put_together(stage: Stage) -> None:
    listed = (await stage.connection.call("att-products-carousel", {"productType": "phone"}))["structuredContent"]
    details = [
        (await stage.connection.call("att-device-details", {"deviceId": one["deviceId"]}))["structuredContent"]
        for one in listed["products"]
    ]
    device = next(one for one in details if len(one["models"]) > 1 and len(one["models"][1]["storage"]) > 1)
    await stage.show("att-device-details", {"deviceId": device["deviceId"]})
    model = device["models"][1]
    await stage.press(model["name"], exact=True)
    await stage.press(model["storage"][1]["label"], exact=True)
    await stage.press(device["colours"][1]["name"])
    chosen = f"{model['name']}, {model['storage'][1]['label']}, {device['colours'][1]['name']} ({device['deviceId']})"
    assert await stage.page.evaluate("told.at(-1)") == f"The person has chosen {chosen}."
    now = model["storage"][1]["discountedPrice"] or model["storage"][1]["retailPrice"]
    assert await stage.widget.locator(".price").inner_text() == now["formatted"]
    await stage.press("Plans for it")
    await stage.see("wireless plans.")
    await stage.press("Back")
    assert await stage.widget.locator(".price").inner_text() == now["formatted"]


async def test_plans_are_compared_side_by_side(stage: Stage) -> None:
    data = await stage.show("att-plans-list")
    await stage.press("Internet", exact=True)
    internet = [plan for plan in data["plans"] if plan["productType"] == "internet"]
    assert await stage.names() == [plan["name"] for plan in internet]
    for plan in internet[:2]:
        await stage.press(f"Compare {plan['name']}", exact=True)
    columns = stage.widget.get_by_role("columnheader")
    assert await columns.all_inner_texts() == [plan["name"] for plan in internet[:2]]
    await stage.press("Devices to go with it")
    await stage.see("phones, the best rated first")
    await stage.press("Back")
    assert await columns.all_inner_texts() == [plan["name"] for plan in internet[:2]]


async def test_coverage_is_drawn_and_another_address_checked(stage: Stage) -> None:
    await stage.show("att-fiber-coverage-checker", {"address": "Seattle, WA 98101"})
    assert await stage.widget.get_by_role("img").get_attribute("aria-label") == (
        "Map: Seattle, WA 98101 lies within Fiber: Seattle fiber (demo); "
        "Internet Air: Pacific wireless home internet (demo)"
    )
    assert await stage.widget.locator("path.area").count() == 2
    address = stage.widget.get_by_label("Another address")
    await address.fill("nowhere at all")
    await address.press("Enter")
    await stage.see("nothing can be said about what is available")
    assert await stage.heading() == "Home internet at Seattle, WA 98101"
    await address.fill("Boston, MA")
    await stage.press("Check")
    await stage.see("Boston fiber (demo)")
    assert await stage.heading() == "Home internet at Boston, MA"
    await stage.press("Stay online in an outage")
    await stage.button("Back").wait_for()
    assert [name for name, _ in stage.calls] == ["att-fiber-coverage-checker"] * 2 + ["att-internet-backup-offer"]
    await stage.press("Back")
    assert await stage.heading() == "Home internet at Boston, MA"


@pytest.mark.parametrize("tool", ["att-for-you", "att-internet-backup-offer", "att-services-gallery"])
async def test_an_offer_is_opened_and_leads_to_plans(stage: Stage, tool: str) -> None:
    data = await stage.show(tool)
    offers = data.get("services") or data["offers"]
    names = [one.get("name") or one["title"] for one in offers]
    assert await stage.names() == names
    await stage.press(f"More about {names[0]}")
    await stage.button(f"Less about {names[0]}").wait_for()
    for text in (offers[0].get("features") or offers[0].get("howItWorks") or [])[:1]:
        await stage.see(text)
    await stage.press("Plans to go with it")
    await stage.see("plans.")
    await stage.press("Back")
    await stage.button(f"Less about {names[0]}").wait_for()


async def test_services_are_filtered(stage: Stage) -> None:
    data = await stage.show("att-services-gallery")
    await stage.press("Protection", exact=True)
    assert await stage.names() == [one["name"] for one in data["services"] if one["category"] == "protection"]


async def test_a_bill_is_paid_once_and_its_receipt_is_in_the_ledger(stage: Stage) -> None:
    stage.connection.live.sql("UPDATE accounts SET balance_cents = 4321")
    data = await stage.show("att-account-summary")
    (other,) = [one for one in data["accounts"][0]["paymentMethods"] if not one["isDefault"]]
    await stage.press(f"{other['brand']} ending in {other['lastFour']}")
    await stage.press("Pay $43.21")
    await stage.widget.get_by_role("heading", name="Confirm the payment").wait_for()
    assert stage.connection.live.sql("SELECT count(*) FROM payments WHERE amount_cents = 4321") == [(0,)]
    await stage.widget.get_by_role("button", name="Pay $43.21").dblclick()
    await stage.widget.get_by_role("heading", name="Paid").wait_for()
    (number,) = re.findall(r"Confirmation number (\S+)", await stage.widget.locator("main").inner_text())
    ledger = stage.connection.live.sql("SELECT confirmation_number, last_four FROM payments WHERE amount_cents = 4321")
    assert ledger == [(number, other["lastFour"])]
    await stage.press("Accounts")
    await stage.see("$0.00")
    assert await stage.button("Pay $").count() == 0


async def test_a_preference_is_changed_and_shown(stage: Stage) -> None:
    stage.connection.live.sql("UPDATE accounts SET autopay = 0")
    data = await stage.show("att-account-summary")
    await stage.press("Turn autopay on")
    await stage.button("Turn autopay off").wait_for()
    assert stage.connection.live.sql("SELECT autopay FROM accounts") == [(1,)]
    await stage.press("Offers for you")
    await stage.button("Back").wait_for()
    await stage.press("Back")
    await stage.button("Turn autopay off").wait_for()
    await stage.show("att-update-preferences", {"accountId": data["accounts"][0]["id"], "language": "es"})
    await stage.see("Changed: language.")
    cells = await stage.widget.get_by_role("row", name="Language").get_by_role("cell").all_inner_texts()
    assert cells == ["en", "es"]


async def test_a_quote_from_the_conversation_is_confirmed(stage: Stage) -> None:
    stage.connection.live.sql("UPDATE accounts SET balance_cents = 555")
    await stage.show("att-make-payment")
    await stage.press("Pay $5.55")
    await stage.see("Confirmation number")
    assert stage.connection.live.sql("SELECT count(*) FROM payments WHERE amount_cents = 555") == [(1,)]
