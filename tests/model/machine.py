"""Which step comes next, and to what: chosen among what is live, with times around the ends of things."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.oauth.model import User
from tests.model.expected import ACCESS, DAY, HOUR, IDLE, Family, Refresh, Token
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
ACCESS_ENDS = st.sampled_from(("DELETE FROM access_tokens", "UPDATE access_tokens SET expires_at = 1"))
FAMILY_ENDS = st.sampled_from(("DELETE FROM refresh_tokens", "DELETE FROM grants", "UPDATE grants SET revoked_at = 1"))
CLIENTS, WAITING = 3, 3

T = TypeVar("T")


def pick(held: Sequence[T], which: int) -> T:
    """Choose one, counted from the last."""
    return held[-1 - which % len(held)]


def given(choose: Callable[["Grants"], Sequence[object]]) -> Callable[[Any], Any]:
    """Let a step happen only while there is something for it to work on."""
    return precondition(lambda self: bool(choose(self)))


class Grants(RuleBasedStateMachine):
    """Steps in any order; after each of them everything is worth what the model says."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.story = Story(world)

    def waiting(self) -> list[Family]:
        """Give the families whose code was not redeemed."""
        return [family for family in self.story.families if not family.redeemed]

    def redeemed(self) -> list[Family]:
        """Give the families whose code was redeemed, those whose grant is good last."""
        now = self.story.now
        return sorted((family for family in self.story.families if family.redeemed), key=lambda f: f.live(now))

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

    @initialize()
    def begin(self) -> None:
        self.story.register()
        self.story.register()
        self.log_in(0, ANN, ("read", "write"))

    @precondition(lambda self: len(self.story.holders) < CLIENTS)
    @rule()
    def register(self) -> None:
        self.story.register()

    @precondition(lambda self: len(self.waiting()) < WAITING)
    @rule(which=WHICH, user=USER, kept=KEPT)
    def approve(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        self.story.approve(pick(self.story.holders, which), user, kept)

    @rule(which=WHICH, user=USER, kept=KEPT)
    def log_in(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        family = self.story.approve(pick(self.story.holders, which), user, kept)
        if family is not None:
            self.story.redeem(family)

    @given(waiting)
    @rule(which=WHICH, verifier=VERIFIERS)
    def redeem(self, which: int, verifier: str) -> None:
        self.story.redeem(pick(self.waiting(), which), verifier)

    @given(waiting)
    @rule(late=LATE)
    def redeem_around_its_end(self, late: int) -> None:
        family = pick(self.waiting(), 0)
        self.story.reach(family.code_until + late)
        self.story.redeem(family)

    @given(redeemed)
    @rule(which=WHICH, verifier=VERIFIERS)
    def replay(self, which: int, verifier: str) -> None:
        self.story.redeem(pick(self.redeemed(), which), verifier)

    @rule(which=WHICH, other=WHICH)
    def redeem_as_another_client(self, which: int, other: int) -> None:
        family, holder = pick(self.story.families, which), pick(self.story.holders, other)
        if holder is not family.holder:
            self.story.redeem_as(holder, family)

    @given(newest)
    @rule(which=WHICH, times=TIMES, scope=NARROWED)
    def rotate(self, which: int, times: int, scope: str) -> None:
        self.story.present(pick(self.newest(), which), times, scope)

    @given(repeatable)
    @rule(which=WHICH, times=TIMES, scope=NARROWED)
    def repeat(self, which: int, times: int, scope: str) -> None:
        self.story.present(pick(self.repeatable(), which), times, scope)

    @given(repeatable)
    @rule(which=WHICH, late=LATE)
    def repeat_around_the_end_of_the_grace(self, which: int, late: int) -> None:
        token = pick(self.repeatable(), which)
        self.story.reach(token.end + late)
        self.story.present(token)

    @given(used)
    @rule(which=WHICH)
    def reuse(self, which: int) -> None:
        self.story.present(pick(self.used(), which))

    @rule(which=st.integers(0, 7))
    def present_any(self, which: int) -> None:
        self.story.present(pick(self.story.refresh, which))

    @rule(which=WHICH, refresh=st.booleans(), other=WHICH)
    def revoke(self, which: int, other: int, *, refresh: bool) -> None:
        token: Token = self.one(self.story.refresh if refresh else self.story.access, which)
        self.story.revoke(token, pick(self.story.holders, other))

    @rule(which=WHICH, change=ACCESS_ENDS)
    def operator_ends_access(self, which: int, change: str) -> None:
        self.story.operator_ends_access(self.one(self.story.access, which), change)

    @rule(which=WHICH, change=FAMILY_ENDS)
    def operator_ends_family(self, which: int, change: str) -> None:
        self.story.operator_ends_family(self.one(self.story.refresh, which), change)

    @precondition(lambda self: len(self.story.holders) == CLIENTS)
    @rule(which=WHICH)
    def operator_deletes_client(self, which: int) -> None:
        self.story.operator_deletes_client(pick(self.story.holders, which))

    @rule(user=USER, change=st.sampled_from(("disable", "enable", "enable", "delete")))
    def operator_changes_user(self, user: User, change: str) -> None:
        self.story.operator_changes_user(user, change)

    @rule(which=WHICH, user=USER, kept=KEPT)
    def user_starts_afresh(self, which: int, user: User, kept: tuple[str, ...]) -> None:
        self.story.operator_changes_user(user, "delete")
        self.story.approve(pick(self.story.holders, which), user, kept)

    @rule(kind=st.sampled_from(("code", "grace", "access")), late=LATE)
    def some_time_ends(self, kind: str, late: int) -> None:
        self._until(kind, late)

    @rule(kind=st.sampled_from(("refresh", "family", "idle")), late=LATE)
    def long_time_passes(self, kind: str, late: int) -> None:
        self._until(kind, late)

    @rule(kind=st.sampled_from(("now", "hour", "day", "day", "idle", "idle", "refresh")), late=LATE)
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
