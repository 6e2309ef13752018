"""Codes, rotation, grace, reuse, revocation and deletion by hand, against a model that is simple enough to trust."""

import asyncio
import hashlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.identity.demo import USER
from server.oauth import authentication, authorize, clients, consent, grants, introspection, revocation, tokens
from server.oauth.context import Context
from server.oauth.errors import InvalidClient, InvalidGrant, OAuthError, PageError
from server.oauth.model import Visitor
from server.oauth.parameters import Parameters
from server.settings import load_settings
from server.storage.database import Database, open_database
from server.storage.purge import purge
from tests.browser import challenge
from tests.model.expected import ACCESS, CODE, FAMILY, GRACE, REFRESH, Access, Family, Holder, Person, Refresh

URI = "https://assistant.example/callback"
VERIFIER = "v" * 43
BROWSER = "b" * 64
VISITOR = Visitor(USER, signed_in=True)
WHICH = st.integers(0, 7)
"""Chooses among what there is, the newest first."""

RICH = 6
"""Refresh tokens after which an example has had enough of the present."""

T = TypeVar("T")


def pick(held: Sequence[T], which: int) -> T:
    """Choose one, counted from the newest."""
    return held[-1 - which % len(held)]


class Grants(RuleBasedStateMachine):
    """What can be done to grants; after each step every token is worth what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000
        self.person: Person | None = None
        self.holders: list[Holder] = []
        self.families: list[Family] = []
        self.access: list[Access] = []
        self.refresh: list[Refresh] = []
        self.counter = itertools.count()
        self.folder = Path(tempfile.mkdtemp())
        self.settings = load_settings(
            server_url="http://localhost:8000",
            database_url=f"sqlite:///{self.folder}/model.db",
            oauth_auth_code_ttl=CODE,
            oauth_access_token_ttl=ACCESS,
            oauth_refresh_token_ttl=REFRESH,
            oauth_refresh_grace=GRACE,
            oauth_grant_max_age=FAMILY,
        )
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        opened = open_database(self.settings.database_path, self.now)
        self.store: Database = self.run(self.stack.enter_async_context(opened))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def entropy(self, size: int) -> bytes:
        return hashlib.shake_256(str(next(self.counter)).encode()).digest(size)

    @property
    def context(self) -> Context:
        return Context(self.store, self.settings, self.entropy, self.now)

    def operate(self, statement: str, *values: object) -> None:
        """Do to the database what an operator does from another process."""
        with closing(sqlite3.connect(self.settings.database_path, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    async def ask(self, holder: Holder, **fields: str) -> Any:
        """Make a token request, the client's authentication included; gives the answer or the error."""
        try:
            presented = authentication.Credentials(client_id=holder.client.client_id)
            client = await authentication.authenticate(presented, self.context)
            return await grants.token(Parameters.parse(urlencode(fields)), client, self.context)
        except OAuthError as error:
            return error

    def refused(self, holder: Holder, answer: object) -> None:
        assert isinstance(answer, InvalidGrant if holder.known else InvalidClient), answer

    def issue(self, family: Family, answer: dict[str, Any], presented: Refresh | None = None) -> None:
        """Note what an answer holds."""
        self.access.append(Access(family, answer["access_token"], min(self.now + ACCESS, family.until)))
        successor = answer["refresh_token"]
        if presented is not None and presented.used_at is not None:
            assert successor == presented.successor
            return
        self.refresh.append(Refresh(family, successor, min(self.now + REFRESH, family.until)))
        if presented is not None:
            presented.used_at, presented.successor = self.now, successor

    @rule()
    def register(self) -> None:
        metadata = {"redirect_uris": [URI], "token_endpoint_auth_method": "none"}
        registered = self.run(clients.register(metadata, self.context))
        client = self.run(self.store.get_client(str(registered["client_id"])))
        assert client is not None
        self.holders.append(Holder(client))

    @initialize()
    def log_in_first(self) -> None:
        self.register()
        self.log_in(0)

    @rule(which=WHICH)
    def log_in(self, which: int) -> None:
        before = len(self.families)
        self.approve(which)
        if len(self.families) > before:
            self.redeem(0, VERIFIER)

    @rule(which=WHICH)
    def approve(self, which: int) -> None:
        holder = pick(self.holders, which)
        try:
            code = self.run(self._approved(holder))
        except PageError:
            assert not holder.known or (self.person is not None and not self.person.enabled)
            return
        assert holder.known
        if self.person is None:
            self.person = Person()
        assert self.person.enabled
        self.families.append(Family(holder, self.person, code, self.now + CODE))

    async def _approved(self, holder: Holder) -> str:
        asked = {
            "response_type": "code",
            "client_id": holder.client.client_id,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        handle = await authorize.begin(Parameters.parse(urlencode(asked)), BROWSER, self.context)
        request, client = await consent.pending(handle, BROWSER, self.context)
        return await consent.approve(request, client, request.scopes, VISITOR, self.context)

    @rule(which=WHICH, verifier=st.sampled_from((VERIFIER, VERIFIER, VERIFIER, "w" * 43)))
    def redeem(self, which: int, verifier: str) -> None:
        family = pick(self.families, which)
        asked = {"grant_type": "authorization_code", "code": family.code, "code_verifier": verifier}
        answer = self.run(self.ask(family.holder, **asked))
        if family.redeemed and family.holder.known:
            family.ended = True
        elif verifier == VERIFIER and family.usable() and self.now < family.code_until:
            family.redeemed, family.until = True, self.now + FAMILY
            self.issue(family, answer)
            return
        self.refused(family.holder, answer)

    @rule(which=WHICH, other=WHICH)
    def redeem_by_another_client(self, which: int, other: int) -> None:
        family = pick(self.families, which)
        holder = pick(self.holders, other)
        if holder is not family.holder:
            asked = {"grant_type": "authorization_code", "code": family.code, "code_verifier": VERIFIER}
            self.refused(holder, self.run(self.ask(holder, **asked)))

    @rule(which=WHICH, times=st.sampled_from((1, 1, 2, 3)))
    def present_new(self, which: int, times: int) -> None:
        self.present(which, times, None, used=False)

    @rule(which=WHICH, times=st.sampled_from((1, 2)), late=st.sampled_from((None, -1, 0)))
    def present_used(self, which: int, times: int, late: int | None) -> None:
        self.present(which, times, late, used=True)

    @rule(which=WHICH)
    def present_late(self, which: int) -> None:
        self.present(which, 1, 0, used=False)

    def present(self, which: int, times: int, late: int | None, *, used: bool) -> None:
        """Present a refresh token, now or around the end of its time."""
        held = [token for token in self.refresh if (token.used_at is not None) is used and token.family.live(self.now)]
        presented = pick(held or self.refresh, which)
        if late is not None:
            self.now = max(self.now, presented.end + late)
        for answer in self.run(self._presented(presented, times)):
            if presented.live(self.now):
                self.issue(presented.family, answer, presented)
            else:
                self.refused(presented.family.holder, answer)
                reused = presented.used_at is not None and not presented.deleted
                presented.family.ended |= reused and presented.family.live(self.now)

    async def _presented(self, presented: Refresh, times: int) -> list[Any]:
        asked = {"grant_type": "refresh_token", "refresh_token": presented.value}
        return list(await asyncio.gather(*(self.ask(presented.family.holder, **asked) for _ in range(times))))

    @rule(which=WHICH, kind=st.sampled_from(("access", "access", "refresh")), other=st.booleans())
    def revoke(self, which: int, kind: str, *, other: bool) -> None:
        held: list[Any] = self.access if kind == "access" else self.refresh
        token = pick(held, which)
        by = self.holders[0] if other else token.family.holder
        self.run(revocation.revoke(Parameters.parse(urlencode({"token": token.value})), by.client, self.context))
        if by is token.family.holder:
            self._end(token)

    def _end(self, token: Access | Refresh) -> None:
        if isinstance(token, Access):
            token.until = min(token.until, self.now) if token.live(self.now) else token.until
        elif not token.deleted:
            token.family.ended = True

    @rule(which=WHICH, kind=st.sampled_from(("access_tokens", "refresh_tokens", "expired", "grants", "revoked")))
    def operator_ends(self, which: int, kind: str) -> None:
        refresh, access = pick(self.refresh, which), pick(self.access, which)
        digest, held = tokens.digest(access.value), tokens.digest(refresh.value)
        of_refresh = "grant_id = (SELECT grant_id FROM refresh_tokens WHERE token_digest = ?)"
        match kind:
            case "access_tokens":
                self.operate("DELETE FROM access_tokens WHERE token_digest = ?", digest)
                access.until = 0
            case "refresh_tokens":
                self.operate("DELETE FROM refresh_tokens WHERE token_digest = ?", held)
                refresh.deleted = True
            case "expired":
                self.operate("UPDATE access_tokens SET expires_at = ? WHERE token_digest = ?", self.now, digest)
                access.until = min(access.until, self.now)
            case "grants" | "revoked":
                end = "DELETE FROM grants WHERE " if kind == "grants" else "UPDATE grants SET revoked_at = 1 WHERE "
                self.operate(end + of_refresh, held)
                refresh.family.ended |= not refresh.deleted

    @precondition(lambda self: len(self.holders) > 1)
    @rule(which=WHICH)
    def operator_deletes_client(self, which: int) -> None:
        holder = pick(self.holders, which)
        self.operate("DELETE FROM clients WHERE client_id = ?", holder.client.client_id)
        holder.known = False

    @precondition(lambda self: self.person)
    @rule(change=st.sampled_from(("disable", "enable", "enable", "delete")))
    def operator_changes_user(self, change: str) -> None:
        assert self.person is not None
        if change == "delete":
            self.operate("DELETE FROM users")
            self.person.known = False
            self.person = None
            return
        self.operate("UPDATE users SET disabled_at = ?", None if change == "enable" else self.now)
        self.person.enabled = change == "enable"

    @rule(seconds=st.sampled_from((1, GRACE // 2, GRACE)))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(which=WHICH, late=st.sampled_from((-1, 0)))
    def some_time_ends(self, which: int, late: int) -> None:
        """Let time pass until something is about to run out, or just did."""
        held: list[Access | Refresh] = [*self.access, *self.refresh]
        ends = sorted({token.end for token in held if token.live(self.now)})
        if ends:
            self.now = max(self.now, ends[which % len(ends)] + late)

    @precondition(lambda self: len(self.refresh) > RICH)
    @rule(seconds=st.sampled_from((4_000, 90_000)))
    def long_time_passes(self, seconds: int) -> None:
        """Let so much time pass that a purge removes what is over."""
        self.now += seconds

    @rule()
    def purge_now(self) -> None:
        self.run(purge(self.store.driver, self.now))

    @invariant()
    def every_token_is_worth_what_the_model_says(self) -> None:
        held: list[Access | Refresh] = [*self.access, *self.refresh]
        for token, active in zip(held, self.run(self._worth(held)), strict=True):
            assert active is token.live(self.now), token

    async def _worth(self, held: list[Access | Refresh]) -> list[object]:
        ctx = self.context
        asked = (
            introspection.introspect(Parameters.parse(urlencode({"token": t.value})), t.family.holder.client, ctx)
            for t in held
        )
        return [claims["active"] for claims in await asyncio.gather(*asked)]


TestGrants = pytest.mark.timeout(300)(Grants.TestCase)
Grants.TestCase.settings = settings(
    max_examples=120, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
