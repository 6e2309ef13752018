"""Codes, rotation, grace, reuse, revocation and deletion by hand, against a model that is simple enough to trust."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.expected import ACCESS, CODE, DAY, GRACE, HOUR, IDLE, Family
from tests.model.machine import ANN, Grants
from tests.model.story import Story
from tests.model.world import World, opened

SETTINGS = settings(
    derandomize=True,
    database=None,
    max_examples=160,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("model")) as world:
        yield world


@pytest.fixture
def story(world: World) -> Story:
    story = Story(world)
    story.register()
    return story


@pytest.fixture
def family(story: Story) -> Family:
    return log_in(story)


def log_in(story: Story) -> Family:
    family = story.approve(story.holders[0], ANN, ("read", "write"))
    assert family is not None
    story.redeem(family)
    return family


@pytest.mark.timeout(300)
def test_whatever_is_done_everything_is_worth_what_the_model_says(world: World) -> None:
    class Told(Grants):
        def __init__(self) -> None:
            super().__init__(world)

    run_state_machine_as_test(Told, settings=SETTINGS)


def test_a_replayed_code_ends_its_family(story: Story, family: Family) -> None:
    story.redeem(family)
    story.check()
    assert family.ended


@pytest.mark.parametrize(("wait", "seen"), [(0, True), (CODE + HOUR - 1, True), (CODE + HOUR, False)])
def test_a_replay_is_seen_until_the_code_was_purged(story: Story, family: Family, wait: int, *, seen: bool) -> None:
    story.reach(story.now + wait)
    story.purge()
    story.redeem(family)
    story.check()
    assert family.ended is seen


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_used_refresh_token_is_good_to_the_last_second_of_its_grace_and_ends_its_family_after_it(
    story: Story, family: Family, late: int
) -> None:
    story.present(story.refresh[0], times=3)
    story.reach(story.now + GRACE // 2)
    story.present(story.refresh[0], times=2)
    story.reach(story.refresh[0].end + late)
    story.check()
    story.present(story.refresh[0])
    story.check()
    assert family.ended is (late >= 0)


def test_a_refresh_narrows_for_once_and_never_widens(story: Story, family: Family) -> None:
    for scope in ("read", "read write account", ""):
        story.present(story.refresh[-1], scope=scope)
        story.check()
    assert [sorted(token.scopes) for token in story.access[1:]] == [["read"], ["read", "write"]]
    assert family.live(story.now)


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_user_who_is_not_there_has_nothing(story: Story, family: Family, change: str) -> None:
    waiting = story.approve(family.holder, ANN, ("read",))
    assert waiting is not None
    story.operator_changes_user(ANN, change)
    story.check()
    story.present(story.refresh[0])
    story.redeem(waiting)
    story.check()
    story.operator_changes_user(ANN, "enable")
    story.check()
    assert family.live(story.now) is (change == "disable")


def test_a_user_who_is_made_anew_has_nothing_of_before(story: Story, family: Family) -> None:
    waiting = story.approve(family.holder, ANN, ("read",))
    assert waiting is not None
    story.operator_changes_user(ANN, "delete")
    anew = log_in(story)
    story.check()
    story.redeem(waiting)
    story.check()
    assert [each.live(story.now) for each in (family, waiting, anew)] == [False, False, True]


@pytest.mark.parametrize("by_refresh", [True, False])
def test_revoking_a_refresh_token_ends_all_and_an_access_token_itself(
    story: Story, family: Family, *, by_refresh: bool
) -> None:
    story.present(story.refresh[0])
    story.revoke(story.refresh[0] if by_refresh else story.access[0], story.register())
    story.check()
    story.revoke(story.refresh[0] if by_refresh else story.access[0], family.holder)
    story.check()
    assert [token.live(story.now) for token in story.access] == [False, not by_refresh]


@pytest.mark.parametrize("wait", [DAY + ACCESS - 1, DAY + ACCESS, DAY + ACCESS + 1, IDLE - 1, IDLE, IDLE + 1])
def test_a_purge_leaves_a_chain_that_goes_on(story: Story, family: Family, wait: int) -> None:
    story.present(story.refresh[0])
    story.reach(story.now + wait)
    story.purge()
    story.check()
    assert story.refresh[1].live(story.now)
    story.present(story.refresh[0])
    story.check()
    assert family.ended
