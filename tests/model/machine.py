"""Which step comes next, and to what: chosen among what is live, with times around the ends of things."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.oauth.model import User
from tests.model.expected import ACCESS, DAY, HOUR, IDLE, Family, Holder, Refresh, Token
from tests.model.story import Story
from tests.model.world import VERIFIER, World

ANN, BOB = (User(user_id=name, issuer="demo", subject=name, name=name) for name in ("ann", "bob"))
USER = st.sampled_from((ANN, ANN, ANN, BOB))
WHICH = st.sampled_from((0, 0, 1, 2, 3))
"""Chooses among what there is, the newest first."""

LATE = st.sampled_from((-1, 0, 0, 1))
"""Seconds after the end of something."""

KEPT = st.sampled_from((("read", "write"), ("read",), ("write", "payment")))
"""Scopes that the user keeps; ``payment`` was not asked for, so that it counts for nothing."""

NARROWED = st.sampled_from(("", "", "read", "write", "read write account"))
"""What a refresh asks for; nothing at all is what was granted."""

TIMES = st.sampled_from((1, 1, 2, 3))
VERIFIERS = st.sampled_from((VERIFIER, VERIFIER, VERIFIER, "w" * 43))
ENDS = st.sampled_from(
    (
        "DELETE FROM access_tokens",
        "UPDATE access_tokens SET expires_at = 1",
        "DELETE FROM refresh_tokens",
        "DELETE FROM grants",
        "UPDATE grants SET revoked_at = 1",
    )
)
CLIENTS, WAITING = 3, 3

T = TypeVar("T")


def pick(held: Sequence[T], which: int) -> T:
    """Choose one, counted from the last."""
    return held[-1 - which % len(held)]


def step(**chosen: Any) -> Callable[[Any], Any]:
    """Make a step of a method: before it, somebody logs in if there is no refresh token to go on with."""

    def decorate(act: Callable[..., None]) -> Any:
        @wraps(act)
        def with_something_live(self: "Grants", **values: Any) -> None:
            if not self.newest():
                self.log_in_at_any_rate()
            act(self, **values)

        made: Any = rule(**chosen)
        return made(with_something_live)

    return decorate


class Grants(RuleBasedStateMachine):
    """Steps in any order; after each of them everything is worth what the model says."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.story = Story(world)
        self.log_in_at_any_rate()
        self.story.register()

    def log_in_at_any_rate(self) -> None:
        """Begin a family, whatever stands in its way."""
        self.story.operator_changes_user(ANN, "enable")
        holder = pick(self.known() or [self.story.register()], 0)
        family = self.story.approve(holder, ANN, ("read", "write"))
        assert family is not None
        self.story.redeem(family)

    def known(self) -> list[Holder]:
        """Give the clients that are registered."""
        return [holder for holder in self.story.holders if holder.known]

    def waiting(self) -> list[Family]:
        """Give the families whose code was not redeemed, those whose code is good last."""
        now = self.story.now
        return sorted((each for each in self.story.families if not each.redeemed), key=lambda f: f.waiting(now))

    def redeemed(self) -> list[Family]:
        """Give the families whose code was redeemed, those whose grant is good last."""
        now = self.story.now
        return sorted((family for family in self.story.families if family.redeemed), key=lambda f: f.live(now))

    def disabled(self) -> list[User]:
        """Give the users who are disabled."""
        return [person.user for person in self.story.persons.values() if not person.enabled]

    def newest(self) -> list[Refresh]:
        """Give the refresh tokens that were not rotated and could be."""
        return [token for token in self.story.refresh if token.used_at is None and token.held(self.story.now)]

    def used(self) -> list[Refresh]:
        """Give the rotated refresh tokens of families that go on."""
        return [
            token for token in self.story.refresh if token.used_at is not None and token.family.open(self.story.now)
        ]

    def repeatable(self) -> list[Refresh]:
        """Give the rotated refresh tokens whose grace is not over."""
        return [token for token in self.used() if token.held(self.story.now)]

    def one(self, held: Sequence[Any], which: int) -> Any:
        """Choose a token, a live one if there is any."""
        return pick(sorted(held, key=lambda token: token.live(self.story.now)), which)

    @precondition(lambda self: len(self.known()) < CLIENTS)
    @rule()
    def register(self) -> None:
        self.story.register()

    @precondition(lambda self: sum(family.waiting(self.story.now) for family in self.waiting()) < WAITING)
    @step(which=WHICH, user=USER, kept=KEPT)
    def approve(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        self.story.approve(pick(self.known(), which), user, kept)

    @precondition(lambda self: self.known())
    @rule(which=WHICH, user=USER, kept=KEPT)
    def log_in(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        family = self.story.approve(pick(self.known(), which), user, kept)
        if family is not None:
            self.story.redeem(family)

    @precondition(lambda self: self.waiting())
    @rule(which=WHICH, verifier=VERIFIERS)
    def redeem(self, which: int, verifier: str) -> None:
        self.story.redeem(pick(self.waiting(), which), verifier)

    @precondition(lambda self: self.waiting())
    @rule(late=LATE)
    def redeem_around_its_end(self, late: int) -> None:
        family = pick(self.waiting(), 0)
        self.story.reach(family.code_until + late)
        self.story.redeem(family)

    @precondition(lambda self: self.waiting())
    @step(which=WHICH, change=st.sampled_from(("disable", "delete")))
    def redeem_without_its_user(self, which: int, change: str) -> None:
        family = pick(self.waiting(), which)
        self.story.operator_changes_user(family.person.user, change)
        self.story.redeem(family)

    @step(which=WHICH, verifier=VERIFIERS)
    def replay(self, which: int, verifier: str) -> None:
        self.story.redeem(pick(self.redeemed(), which), verifier)

    @step(which=WHICH, times=TIMES, scope=NARROWED)
    def rotate(self, which: int, times: int, scope: str) -> None:
        self.story.present(pick(self.newest(), which), times, scope)

    @precondition(lambda self: self.repeatable())
    @rule(which=WHICH, times=TIMES, scope=NARROWED)
    def repeat(self, which: int, times: int, scope: str) -> None:
        self.story.present(pick(self.repeatable(), which), times, scope)

    @step(which=WHICH, late=LATE)
    def rotate_and_repeat_around_the_end_of_the_grace(self, which: int, late: int) -> None:
        token = pick(self.newest(), which)
        self.story.present(token)
        self.story.reach(token.end + late)
        self.story.check()
        self.story.present(token)

    @precondition(lambda self: self.used())
    @rule(which=WHICH)
    def reuse(self, which: int) -> None:
        self.story.present(pick(self.used(), which))

    @step(which=WHICH, other=WHICH)
    def present_what_is_over_or_not_ones_own(self, which: int, other: int) -> None:
        self.story.present(pick(self.story.refresh, which + other))
        family, holder = pick(self.story.families, which), pick(self.story.holders, other)
        if holder is not family.holder:
            self.story.redeem_as(holder, family)

    @step(which=WHICH, refresh=st.booleans(), other=WHICH)
    def revoke(self, which: int, other: int, *, refresh: bool) -> None:
        token: Token = self.one(self.story.refresh if refresh else self.story.access, which)
        self.story.revoke(token, pick(self.story.holders, other))

    @step(which=WHICH, change=ENDS)
    def operator_ends(self, which: int, change: str) -> None:
        if "access" in change:
            self.story.operator_ends_access(self.one(self.story.access, which), change)
        else:
            self.story.operator_ends_family(self.one(self.story.refresh, which), change)

    @precondition(lambda self: len(self.known()) == CLIENTS)
    @step(which=WHICH)
    def operator_deletes_client(self, which: int) -> None:
        self.story.operator_deletes_client(pick(self.known(), which))

    @step(user=USER, change=st.sampled_from(("disable", "disable", "delete")))
    def operator_changes_user(self, user: User, change: str) -> None:
        self.story.operator_changes_user(user, change)

    @precondition(lambda self: self.disabled())
    @rule()
    def operator_enables_users(self) -> None:
        for user in self.disabled():
            self.story.operator_changes_user(user, "enable")

    @step(which=WHICH, user=USER, kept=KEPT)
    def user_starts_afresh(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        self.story.operator_changes_user(user, "delete")
        self.story.approve(pick(self.known(), which), user, kept)

    @step(kind=st.sampled_from(("code", "grace", "access", "grace", "access", "refresh", "family")), late=LATE)
    def some_time_ends(self, kind: str, late: int) -> None:
        self._until(kind, late)

    @step(kind=st.sampled_from(("now", "hour", "day", "day", "idle", "idle", "refresh")), late=LATE)
    def purge(self, kind: str, late: int) -> None:
        self._until(kind, late)
        self.story.purge()

    def _until(self, kind: str, late: int) -> None:
        """Let time pass until something is about to run out, or just did."""
        now = self.story.now
        ends = {
            "now": [now],
            "code": [family.code_until for family in self.waiting()],
            "grace": [token.end for token in self.repeatable()],
            "access": [token.end for token in self.story.access if token.held(now)],
            "refresh": [token.end for token in self.newest()],
            "family": [family.until for family in self.story.families if family.open(now)],
            "hour": [family.code_until + HOUR for family in self.story.families],
            "day": [now + DAY + ACCESS],
            "idle": [now + IDLE],
        }[kind]
        self.story.reach(min((end + late for end in ends if end + late >= now), default=now))

    @invariant()
    def everything_is_worth_what_the_model_says(self) -> None:
        self.story.check()
