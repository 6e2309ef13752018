"""People who pay bills on a server that may be killed at any moment, and an account of what they were told."""

import asyncio
import itertools
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
from dataclasses import dataclass, field
from typing import Any

from server.toolkit.till import NO_QUOTE, OVERTAKEN
from tests.browser import Answer
from tests.support import Remote

OPENING = 100_000_000
"""What each account owes at first, in cents."""

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
}
YES = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
ACCEPT = "application/json, text/event-stream"


@dataclass
class Purchase:
    """A payment that somebody agreed to, and what became of it as far as they were told."""

    buyer: "Buyer"
    amount: int
    asked: dict[str, Any]
    """What the confirming call has beside the arguments: a token among them, or a form filled in."""
    number: str | None = None
    refused: bool = False
    unsure: bool = False

    async def confirm(self) -> None:
        """Send the confirmation, and hold its answer to those before."""
        self.unsure = True
        result = read(await self.buyer.send(self.amount, self.asked))
        self.unsure = False
        text = result["content"][0]["text"]
        if result.get("isError"):
            assert text in {OVERTAKEN, NO_QUOTE}, text
            assert self.number is None, f"{text}, after it was paid as {self.number}"
            self.refused = True
            return
        paid = result["structuredContent"]
        assert (paid["status"], paid["amount"]["cents"]) == ("paid", self.amount), paid
        assert not self.refused, "paid after it was refused"
        assert self.number in {None, paid["confirmationNumber"]}, "paid twice"
        assert paid["repeated"] or self.number is None, "paid anew"
        self.number = paid["confirmationNumber"]


@dataclass
class Buyer:
    """Somebody who pays on one account, as its owner or as a guest."""

    remote: Remote
    token: str
    account: int
    guest: bool
    amounts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def named(self) -> dict[str, Any]:
        """How the account is named."""
        if self.guest:
            return {"accountNumber": f"DEMO-0000-{self.account:04}", "zip": "98101"}
        return {"accountId": f"bill-{self.account}"}

    async def send(self, amount: int, asked: dict[str, Any]) -> Answer:
        """Call the tool, in the era of a client that can ask if there is a form to it, else in that of one without."""
        arguments = {**self.named, "amountCents": amount, **asked.get("arguments", {})}
        params: dict[str, Any] = {"name": "att-make-payment", "arguments": arguments, **asked.get("params", {})}
        headers = {"Authorization": f"Bearer {self.token}", "Accept": ACCEPT, "MCP-Protocol-Version": "2025-11-25"}
        if "params" in asked:
            params["_meta"] = ENVELOPE
            modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": params["name"]}
            headers |= modern
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return await self.remote.send("POST", "/mcp", json=message, headers=headers)

    async def agree(self, chance: random.Random) -> Purchase:
        """Get a quote, by form or by token."""
        amount = next(self.amounts)
        if chance.random() < 0.5:
            result = read(await self.send(amount, {"params": {}}))
            assert result["resultType"] == "input_required", result
            return Purchase(self, amount, {"params": {"requestState": result["requestState"], "inputResponses": YES}})
        result = read(await self.send(amount, {}))
        assert not result.get("isError"), result
        return Purchase(self, amount, {"arguments": {"quoteToken": result["structuredContent"]["quoteToken"]}})


def read(answer: Answer) -> dict[str, Any]:
    """Give a call's result."""
    assert answer.status == 200, answer.text
    result: dict[str, Any] = answer.json["result"]
    return result


@dataclass
class Market:
    """All buyers, two for each account, and all that they were told."""

    remote: Remote
    buyers: list[Buyer] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    over: bool = False
    """Set when the server is about to go: answers may fail from now on."""
    unsure: int = 0

    async def open(self, accounts: int) -> None:
        """Make accounts, each with an owner and a guest who pay on it."""
        app = await self.remote.register()
        token = (await self.remote.log_in(app, scope="payment account"))["access_token"]
        for number in range(accounts):
            self.remote.sql(
                "INSERT INTO accounts (account_id, user_id, name, kind, balance_cents, autopay, created_at,"
                " account_number, phone, zip_code) VALUES (?, 'demo', 'Bill', 'wireless', ?, 0, 0, ?, NULL, '98101')",
                f"bill-{number}",
                OPENING,
                f"DEMO-0000-{number:04}",
            )
            self.remote.sql(
                "INSERT INTO payment_methods VALUES (?, ?, 0, 'Elo', '0042', 1, 1)", f"elo-{number}", f"bill-{number}"
            )
            self.buyers += [Buyer(self.remote, token, number, guest) for guest in (False, True)]

    async def trade(self, buyer: Buyer, chance: random.Random) -> None:
        """Buy one thing after another until the server is gone."""
        try:
            while True:
                purchase = await self.agree(buyer, chance)
                await asyncio.gather(*(purchase.confirm() for _ in range(chance.choice((1, 1, 3)))))
        except Exception:
            if not self.over:
                raise

    async def agree(self, buyer: Buyer, chance: random.Random) -> Purchase:
        """Have a buyer get a quote, and note it."""
        purchase = await buyer.agree(chance)
        self.purchases.append(purchase)
        return purchase

    async def settle(self, since: int) -> None:
        """Confirm this round's purchases once more, and those that were never answered in particular."""
        self.over = False
        recent = self.purchases[since:]
        self.unsure += sum(purchase.unsure for purchase in recent)
        for purchase in recent:
            await purchase.confirm()

    def inspect(self) -> None:
        """Hold the database to what the buyers were told, and to itself."""
        ledger = {
            (account, payer.startswith("guest:"), amount): number
            for account, payer, amount, number in self.remote.sql(
                "SELECT account_id, payer, amount_cents, confirmation_number FROM payments"
            )
        }
        assert len(ledger) == self.remote.sql("SELECT count(*) FROM payments")[0][0], "an amount was paid twice"
        for told in self.purchases:
            key = f"bill-{told.buyer.account}", told.buyer.guest, told.amount
            assert ledger.pop(key, None) == told.number, told
        assert ledger == {}, "a payment that nobody was told of"
        self._add_up()
        events = self.remote.sql("SELECT detail FROM audit_log WHERE event = 'payment_made'")
        recorded = {detail.split()[-1] for (detail,) in events}
        assert len(recorded) == len(events)
        assert recorded == {number for (number,) in self.remote.sql("SELECT confirmation_number FROM payments")}
        assert self.remote.sql("PRAGMA integrity_check") == [("ok",)]

    def _add_up(self) -> None:
        """Check that each account's payments lead from its first balance to its last without a gap."""
        for account, balance in self.remote.sql("SELECT account_id, balance_cents FROM accounts"):
            expected = OPENING
            for before, after in self.remote.sql(
                "SELECT balance_before_cents, balance_after_cents FROM payments WHERE account_id = ? ORDER BY 1 DESC",
                account,
            ):
                assert before == expected, account
                expected = after
            assert balance == expected, account
