"""Paying by the one tool, as Ada or as somebody else, from an account that is hers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult

from server.storage.database import Database, open_database
from server.toolkit.account import Account, PaymentMethod
from server.tools import make_payment
from tests.tools.conftest import Build, Call, Shell, SignIn, World, alone

CARDS = (
    PaymentMethod("visa", "Visa", "0042", is_default=False, open_to_guests=False),
    PaymentMethod("elo", "Elo", "9999", is_default=True, open_to_guests=True),
)
GUEST: dict[str, object] = {"accountNumber": "DEMO-1111-2222", "zip": "98101"}
CARD = "4111 1111 1111 1111"


def account(account_id: str = "phone", user_id: str = "ada", balance: int = 7_500, **more: Any) -> Account:
    cards = tuple(
        PaymentMethod(f"{account_id}-{c.payment_method_id}", c.brand, c.last_four, c.is_default, c.open_to_guests)
        for c in CARDS
    )
    named = {"account_number": "DEMO-1111-2222", "phone": "2065550123", "zip_code": "98101"}
    return Account(
        account_id,
        user_id,
        f"Ada's {account_id}",
        "wireless",
        balance,
        "2026-12-01",
        autopay=False,
        payment_methods=cards,
        **{**named, **more},
    )


@pytest.fixture
async def store(tmp_path: Path, world: World) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "server.db", world.now) as database:
        await database.open_accounts("ada", (account(),), world.now)
        yield database


@pytest.fixture
def build() -> Build:
    return alone(make_payment.tool)


@pytest.fixture
def pay(call: Call, sign_in: SignIn) -> Call:
    """Call the tool as Ada, unless ``subject`` says who else."""

    async def make_payment(subject: str | None = "ada", **arguments: object) -> CallToolResult:
        with sign_in(subject):
            return await call("att-make-payment", **arguments)

    return make_payment


def balance(shell: Shell, account_id: str = "phone") -> int:
    return int(shell("SELECT balance_cents FROM accounts WHERE account_id = ?", account_id)[0][0])


def files(folder: Path) -> bytes:
    """Give all that is in the database's files."""
    return b"".join(file.read_bytes() for file in folder.iterdir())
