"""A load on the server and an account of it: what was acknowledged must hold, whatever happened to the server since.

An operation whose answer never came may or may not have happened. Which of the two is found out afterwards, by
doing it again: every operation here can be repeated without harm, and the repetition must fit one of the two.
"""

import asyncio
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.browser import Answer, App
from tests.support import Remote

KEPT = 8
"""Families that live on into the next round."""

SAMPLE = 12
"""Ended families and older clients that are looked at again in each round; at the end it is all of them."""

METHODS = ("none", "client_secret_post", "client_secret_basic")


def invalid_grant(answer: Answer) -> bool:
    """Tell whether a token request was refused as RFC 6749 section 5.2 has it."""
    return answer.status == 400 and answer.json["error"] == "invalid_grant"


@dataclass
class Family:
    """All that came of one authorization code, as far as it was acknowledged."""

    app: App
    code: str
    verifier: str
    refresh: str = ""
    former: str = ""
    """The refresh token before the newest one, if it was rotated in this round."""
    access: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Access tokens that were revoked one by one."""
    dead: bool = False
    doing: str = "exchange"
    """The operation whose answer is still to come."""

    def take(self, answer: Answer) -> None:
        """Note the tokens of an answer."""
        assert answer.status == 200, answer.text
        issued = answer.json
        if self.refresh not in {"", issued["refresh_token"]}:
            self.former = self.refresh
        self.refresh = issued["refresh_token"]
        self.access.append(issued["access_token"])
        self.doing = ""

    def die(self) -> None:
        """Note that nothing of it is good any more."""
        self.dead, self.doing, self.former = True, "", ""
        self.ended += self.access
        self.access = []


@dataclass
class Ledger:
    """Every acknowledged client and family."""

    live: Remote
    apps: list[App] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    over: bool = False
    """Set when the server is about to go: answers may fail from now on."""
    acknowledged: int = 0
    unsure: int = 0

    async def work(self, chance: random.Random) -> None:
        """Do one thing after another, with families that nobody else touches, until the server is gone."""
        own: list[Family] = []
        try:
            while True:
                await self._step(own, chance)
                self.acknowledged += 1
        except Exception:
            if not self.over:
                raise

    async def _step(self, own: list[Family], chance: random.Random) -> None:
        alive = [family for family in own if not family.dead]
        if not alive or chance.random() < 0.2:
            await self._log_in(own, chance)
            return
        family = chance.choice(alive)
        match chance.choices(("refresh", "call", "access", "revoke"), (8, 6, 2, 1))[0]:
            case "refresh":
                await self._refresh(family, chance.choice((1, 1, 3)))
            case "call":
                await self._call(family)
            case "access" if len(family.access) > 1:
                await self._end_access(family)
            case "revoke":
                await self._revoke(family)

    async def _log_in(self, own: list[Family], chance: random.Random) -> None:
        if not self.apps or chance.random() < 0.7:
            self.apps.append(await self.live.register(token_endpoint_auth_method=chance.choice(METHODS)))
        app = chance.choice(self.apps)
        page = await self.live.browser().open_page(app, scope="read account")
        family = Family(app, (await page.approve()).returned["code"], page.verifier)
        own.append(family)
        self.families.append(family)
        family.take(await self.live.exchange(app, family.code, family.verifier))

    async def _refresh(self, family: Family, times: int) -> None:
        """Present the newest refresh token, now and then several times at once."""
        family.doing = "refresh"
        asked = (self.live.refresh(family.app, family.refresh) for _ in range(times))
        answers = await asyncio.gather(*asked)
        assert len({answer.json["refresh_token"] for answer in answers}) == 1
        for answer in answers:
            family.take(answer)

    async def _call(self, family: Family) -> None:
        answer = await self.live.call("att-account-summary", family.access[-1])
        assert answer.status == 200, answer.text
        assert '"isError":true' not in answer.text, answer.text

    async def _end_access(self, family: Family) -> None:
        family.doing = "access"
        await self._post_revoke(family, family.access[0])
        family.ended.append(family.access.pop(0))
        family.doing = ""

    async def _revoke(self, family: Family) -> None:
        family.doing = "revoke"
        await self._post_revoke(family, family.refresh)
        family.die()

    async def _post_revoke(self, family: Family, token: str) -> None:
        answer = await self.live.post("/revoke", family.app, token=token)
        assert answer.status == 200, answer.text

    async def verify(self, chance: random.Random, since: tuple[int, int]) -> None:
        """Hold the server to this round's account, and to a sample of what was before.

        Args:
            chance: Chooses the sample, and the families that end here.
            since: How many clients and families there were when the round began.
        """
        apps, families = since
        self.over = False
        await self.all(self.is_known, self.apps[apps:] + chance.sample(self.apps[:apps], min(SAMPLE, apps)))
        recent = [family for family in self.families if not family.dead] + self.families[families:]
        ended = [family for family in self.families[:families] if family.dead]
        await self.all(self._check, {id(family): family for family in recent}.values())
        await self.all(self._check, chance.sample(ended, min(SAMPLE, len(ended))))
        alive = [family for family in self.families if not family.dead]
        chance.shuffle(alive)
        await self.all(self._replay, alive[KEPT:])

    async def verify_all(self) -> None:
        """Hold the server to everything that it ever acknowledged."""
        await self.all(self.is_known, self.apps)
        await self.all(self._check, self.families)
        await self.all(self._replay, self.families)

    async def all(self, check: Callable[..., Awaitable[None]], *columns: Iterable[Any]) -> None:
        """Run a check for each row of its arguments, a few at a time."""
        turns = asyncio.Semaphore(8)

        async def take_turn(*row: Any) -> None:
            async with turns:
                await check(*row)

        await asyncio.gather(*map(take_turn, *columns))

    async def is_known(self, app: App) -> None:
        assert (await self.live.post("/introspect", app, token="none of ours")).status == 200, app

    async def _check(self, family: Family) -> None:
        if family.doing:
            self.unsure += 1
            await self._settle(family)
        for token in family.ended:
            assert not await self.live.is_active(family.app, token), family
        if family.dead:
            if family.refresh:
                assert invalid_grant(await self.live.refresh(family.app, family.refresh)), family
            return
        for token in (*family.access, family.refresh):
            assert await self.live.is_active(family.app, token), family
        await self._call(family)
        if family.former:
            await self._repeat(family, family.former, family.refresh)

    async def _repeat(self, family: Family, token: str, successor: str) -> None:
        """Present a used refresh token within its grace: it must give its one successor again."""
        answer = await self.live.refresh(family.app, token)
        assert (answer.status, answer.json.get("refresh_token")) == (200, successor), (answer.text, family)
        family.access.append(answer.json["access_token"])
        family.former = ""

    async def _settle(self, family: Family) -> None:
        """Repeat the operation that was never answered."""
        match family.doing:
            case "exchange":
                answer = await self.live.exchange(family.app, family.code, family.verifier)
                if invalid_grant(answer):
                    family.die()
                else:
                    family.take(answer)
            case "refresh":
                presented = family.refresh
                family.take(await self.live.refresh(family.app, presented))
                await self._repeat(family, presented, family.refresh)
            case "access":
                await self._end_access(family)
            case "revoke":
                states = {await self.live.is_active(family.app, token) for token in (*family.access, family.refresh)}
                assert len(states) == 1, family
                await self._revoke(family)

    async def _replay(self, family: Family) -> None:
        """Present a used code once more: it is refused, and ends all that came of it."""
        assert invalid_grant(await self.live.exchange(family.app, family.code, family.verifier)), family
        family.die()
        await self._check(family)
