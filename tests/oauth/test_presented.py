"""Looking up what a client presents: garbage costs nothing."""

import os
from dataclasses import replace

import pytest

from server.oauth import presented, tokens
from server.oauth.context import Context
from tests.support import START

GOOD = tokens.make(tokens.REFRESH, lambda length: bytes(range(length)))


class Noting:
    """A store that finds nothing, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def get_client(self, client_id: str) -> None:
        self.asked.append((client_id,))

    async def get_client_and_held(self, client_id: str, prefix: str, digest: str, now: int) -> tuple[None, None]:
        assert now == START
        self.asked.append((client_id, prefix, digest))
        return None, None


async def asked(secret: str | None, ctx: Context) -> list[tuple[str, ...]]:
    store = Noting()
    found = await presented.look_up("app", secret, replace(ctx, store=store))  # type: ignore[arg-type] # its two reads
    assert found == (None, None)
    return store.asked


@pytest.mark.parametrize("kind", [tokens.CODE, tokens.ACCESS, tokens.REFRESH])
async def test_a_token_is_looked_up_by_its_digest_together_with_the_client(ctx: Context, kind: str) -> None:
    token = tokens.make(kind, os.urandom)
    assert await asked(token, ctx) == [("app", kind, tokens.digest(token))]


@pytest.mark.parametrize("secret", [None, "", "garbage", GOOD[:-1], GOOD + "0", GOOD.swapcase(), "att_rt_" + "0" * 49])
async def test_garbage_costs_no_look_up_but_the_clients(ctx: Context, secret: str | None) -> None:
    assert await asked(secret, ctx) == [("app",)]
