"""Bills are paid exactly once, however often a call is repeated and wherever the server is killed."""

import asyncio
import os
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.flows.child import SERVE, Child
from tests.flows.purchases import Market

ROUNDS = int(os.environ.get("PAYMENT_ROUNDS", "8"))
SEED = os.environ.get("PAYMENT_SEED", "1")
ACCOUNTS = 4
ENVIRONMENT = {"PURGE_INTERVAL": "1", "OAUTH_ACCESS_TOKEN_TTL": "86400"}


async def trade_and_kill(child: Child, market: Market, chance: random.Random) -> None:
    async with asyncio.TaskGroup() as load:
        for buyer in market.buyers:
            load.create_task(market.trade(buyer, random.Random(chance.random())))  # noqa: S311 - no secret
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        market.over = True
        await child.kill()


@pytest.mark.timeout(60 + 15 * ROUNDS)
async def test_whatever_is_killed_each_bill_is_paid_once(tmp_path: Path) -> None:
    child = Child(tmp_path, environment=ENVIRONMENT)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        market = Market(child.remote(http))
        try:
            await child.start(http)
            await market.open(ACCOUNTS)
            for number in range(1, ROUNDS + 1):
                since = len(market.purchases)
                await trade_and_kill(child, market, random.Random(f"{SEED} {number}"))  # noqa: S311 - no secret
                await child.start(http)
                await market.settle(since)
                market.inspect()
            assert await child.stop() == 0
        finally:
            await child.kill()
    assert " ERROR " not in child.log
    assert sum(purchase.number is not None for purchase in market.purchases) > 2 * ROUNDS
    assert market.unsure > ROUNDS
    print(f"{ROUNDS} kills, {len(market.purchases)} purchases, {market.unsure} of them unanswered")  # noqa: T201


DEADLY = """
import os, signal, sqlite3
from server.storage.lane import Lane

connect, arrive, step, seen = sqlite3.connect, Lane._arrive, int(os.environ["DIE_AT"]), 0

def watched(location, *rest, **named):
    connection = connect(location, *rest, **named)
    if "mode=rw" in str(location):
        connection.set_trace_callback(watch)
    return connection

def watch(statement):
    global seen
    seen += bool(seen) or statement.lstrip().startswith("UPDATE accounts SET")
    die_if(seen == step < 6)

def watched_arrival(lane, jobs, began):
    die_if(step == 6 and seen and any(type(job.result).__name__ == "Payment" for job in jobs))
    arrive(lane, jobs, began)

def die_if(now):
    if now:
        os.kill(os.getpid(), signal.SIGKILL)

sqlite3.connect, Lane._arrive = watched, watched_arrival
from server.cli import main
raise SystemExit(main(["serve"]))
"""
"""A server that dies before a statement of the transaction that pays, counted from the first, or after its commit."""

STEPS = ("the balance", "the ledger", "the quote", "the audit event", "the commit", "the answer")
"""What is about to be written when it dies."""


@pytest.mark.timeout(300)
async def test_at_whatever_step_of_a_payment_it_is_killed_all_of_it_is_there_or_nothing(tmp_path: Path) -> None:
    child, chance = Child(tmp_path), random.Random(SEED)  # noqa: S311 - no secret
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        market = Market(child.remote(http))
        try:
            await child.start(http)
            await market.open(1)
            for step, name in enumerate(STEPS, 1):
                await child.kill()
                child.command, child.environment = ("-c", DEADLY), {"DIE_AT": str(step)}
                await child.start(http)
                purchase = await market.agree(market.buyers[step % 2], chance)
                with pytest.raises(aiohttp.ClientError):
                    await purchase.confirm()
                assert await child.wait() == -signal.SIGKILL
                paid = market.remote.sql("SELECT count(*) FROM payments")[0][0]
                assert paid == step - 1 + (name == "the answer"), name
                child.command, child.environment = SERVE, {}
                await child.start(http)
                await purchase.confirm()
                await purchase.confirm()
                market.inspect()
        finally:
            await child.kill()
