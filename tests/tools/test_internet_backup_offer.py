import pytest
from mcp_types import Tool

from tests.tools.conftest import Call, Text


async def judged(call: Call, **plans: str) -> list[tuple[str, bool | None, str]]:
    data = (await call("att-internet-backup-offer", **plans)).structured_content or {}
    return [(offer["id"], offer["eligible"], offer["reason"]) for offer in data["offers"]]


async def test_without_plans_it_says_what_each_offer_depends_on(call: Call) -> None:
    assert await judged(call) == [
        ("backup-prepaid-hotspot", True, "It needs no plan."),
        ("backup-included", None, "It depends on the internet plan."),
        ("backup-addon", None, "It depends on the internet plan."),
    ]


async def test_the_plans_that_are_named_decide(call: Call) -> None:
    both = {"internetPlanId": "demo-internet-1000", "wirelessPlanId": "demo-wireless-premium"}
    assert await judged(call, **both) == [
        ("backup-included", True, "It goes with the plans that were named."),
        ("backup-prepaid-hotspot", True, "It needs no plan."),
        ("backup-addon", False, "It does not go with the internet plan demo-internet-1000."),
    ]
    assert (await judged(call, internetPlanId="demo-internet-300"))[1:] == [
        ("backup-addon", None, "It depends on the wireless plan."),
        ("backup-included", False, "It does not go with the internet plan demo-internet-300."),
    ]
    refused = await judged(call, wirelessPlanId="demo-wireless-value")
    assert [eligible for _, eligible, _ in refused] == [True, False, False]


async def test_offers_name_the_plans_that_they_go_with(call: Call, text: Text) -> None:
    result = await call("att-internet-backup-offer")
    offers = {offer["id"]: offer for offer in (result.structured_content or {})["offers"]}
    assert offers["backup-included"]["internetPlans"][0] == {"id": "demo-internet-1000", "name": "Demo Fiber 1 Gig"}
    assert offers["backup-prepaid-hotspot"]["wirelessPlans"] == []
    assert "3 ways to stay online when the home internet fails. Demonstration data: " in text(result)
    assert "It switches to the cellular network; Wi-Fi stays as it is" in text(result)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"internetPlanId": "x"}, 'There is no internet plan "x"; there are demo-internet-air, demo-internet-300, '),
        ({"internetPlanId": "demo-wireless-value"}, 'There is no internet plan "demo-wireless-value"; there are demo-'),
        ({"wirelessPlanId": "demo-internet-300"}, 'There is no wireless plan "demo-internet-300"; there are demo-'),
    ],
)
async def test_a_plan_that_is_none_is_answered_with_those_that_there_are(
    call: Call, text: Text, given: dict[str, object], message: str
) -> None:
    result = await call("att-internet-backup-offer", **given)
    assert result.is_error
    assert message in text(result)


def test_the_schema_lists_the_plans_of_each_type(listing: list[Tool]) -> None:
    schema = {tool.name: tool.input_schema for tool in listing}["att-internet-backup-offer"]["properties"]
    assert all(plan.startswith("demo-internet-") for plan in schema["internetPlanId"]["enum"])
    assert all(plan.startswith("demo-wireless-") for plan in schema["wirelessPlanId"]["enum"])
