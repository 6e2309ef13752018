import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from server.services import Services
from server.settings import load_settings
from server.storage.database import open_database
from server.toolkit.account import Account, PaymentMethod
from server.toolkit.payments import Payer, Payment, Quote
from server.toolkit.till import NO_QUOTE, Till, Wanted
from tests.storage.make import NOW

ADA = Payer("user:ada", "ada", "app")
EVE = Payer("user:eve", "eve", "app")
ANY = Wanted(None, None, None)
CARD = PaymentMethod("elo", "Elo", "9999", is_default=True)
ACCOUNT = Account("phone", "ada", "Phone", "wireless", 7_500, None, autopay=False, payment_methods=(CARD,))


@asynccontextmanager
async def open_till(folder: Path) -> AsyncIterator[Till]:
    async with open_database(folder / "server.db", NOW) as database:
        yield Till(database, Services(database, lambda: NOW, load_settings(_env_file=None), os.urandom))


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with open_till(tmp_path) as till:
        await till.store.open_accounts("ada", (ACCOUNT,), NOW)
        yield till


async def offer(till: Till, amount: int = 2_000) -> str:
    held = (await till.store.get_accounts("ada"))[0]
    offered = await till.quote(ADA, held, Wanted("phone", amount, None))
    assert not isinstance(offered, Payment)
    return offered[1]


async def owed(till: Till) -> int:
    return (await till.store.get_accounts("ada"))[0].balance_cents


async def test_what_was_withdrawn_is_not_paid(till: Till) -> None:
    token = await offer(till)
    assert isinstance(await till.withdraw(ADA, ANY, token), Quote)
    for attempt in (till.pay(ADA, ANY, token), till.withdraw(ADA, ANY, token)):
        with pytest.raises(ToolError, match="withdrawn"):
            await attempt
    assert await owed(till) == 7_500


async def test_a_no_after_the_payment_gets_the_receipt(till: Till) -> None:
    token = await offer(till)
    paid, repeated = await till.pay(ADA, ANY, token)
    assert not repeated
    assert await till.withdraw(ADA, ANY, token) == paid
    assert await owed(till) == 5_500


async def test_a_yes_and_a_no_at_once_have_one_outcome(till: Till) -> None:
    for amount in range(1, 9):
        before, token = await owed(till), await offer(till, amount)
        yes, no = await asyncio.gather(
            till.pay(ADA, ANY, token), till.withdraw(ADA, ANY, token), return_exceptions=True
        )
        if isinstance(no, Quote):
            assert isinstance(yes, ToolError)
            assert await owed(till) == before
        else:
            assert isinstance(yes, tuple)
            assert no == yes[0]
            assert await owed(till) == before - amount


async def test_nobody_else_pays_withdraws_or_sees_a_quote_or_its_receipt(till: Till) -> None:
    token = await offer(till)
    assert await till.find(EVE, token) is None
    for attempt in (till.pay(EVE, ANY, token), till.withdraw(EVE, ANY, token)):
        with pytest.raises(ToolError) as refused:
            await attempt
        assert str(refused.value) == NO_QUOTE
    await till.pay(ADA, ANY, token)
    for attempt in (till.pay(EVE, ANY, token), till.withdraw(EVE, ANY, token)):
        with pytest.raises(ToolError) as refused:
            await attempt
        assert str(refused.value) == NO_QUOTE


async def test_two_quotes_at_once_leave_one_that_is_good(till: Till) -> None:
    tokens = await asyncio.gather(*(offer(till, amount) for amount in (1, 2, 3)))
    outcomes = await asyncio.gather(*(till.pay(ADA, ANY, token) for token in tokens), return_exceptions=True)
    assert [isinstance(outcome, ToolError) for outcome in outcomes].count(False) == 1


async def test_two_processes_pay_a_quote_once(till: Till, tmp_path: Path) -> None:
    async with open_till(tmp_path) as other:
        for amount in range(1, 6):
            token = await offer(till, amount)
            paid = await asyncio.gather(*(one.pay(ADA, ANY, token) for one in (till, other, till, other)))
            assert len({payment.confirmation_number for payment, _ in paid}) == 1
            assert [repeated for _, repeated in paid].count(False) == 1
        assert await owed(other) == 7_500 - sum(range(1, 6))
