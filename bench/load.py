"""Putting load on a program, and comparing it with the bare handler in alternating rounds."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench import wire
from bench.operations import Operation, Prepare, health
from bench.processes import Child

CONNECTIONS = 16
"""At once, each with one request under way."""


@dataclass(frozen=True)
class Round:
    """One uninterrupted stretch of load."""

    operations: int
    seconds: float
    cpu_seconds: float
    """What the program used, of all cores together."""
    latencies: Sequence[float]
    """Seconds, of each operation."""

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


@dataclass
class Comparison:
    """An operation against the bare handler, round by round."""

    rounds: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Operations a second, in the middle round."""
        return median(one.rate for one in self.rounds)

    @property
    def bare_rate(self) -> float:
        """Bare requests a second, in the middle round."""
        return median(one.rate for one in self.bare)

    @property
    def ratio(self) -> float:
        """The middle of the ratios, each of a round to the mean of the two bare ones around it."""
        around = zip(self.bare, self.bare[1:], strict=False)
        return median(
            one.rate / ((before.rate + after.rate) / 2)
            for one, (before, after) in zip(self.rounds, around, strict=True)
        )

    @property
    def cpu_ratio(self) -> float:
        """The same ratio by the processor time of the program, which waiting and neighbours do not change."""
        return _cpu(self.bare) / (_cpu(self.rounds) or 1)

    @property
    def busy(self) -> float:
        """How much of its core the program used."""
        return sum(one.cpu_seconds for one in self.rounds) / sum(one.seconds for one in self.rounds)

    def percentile(self, percent: int) -> float:
        """Give a percentile of the latencies in milliseconds."""
        latencies = [latency for one in self.rounds for latency in one.latencies]
        return quantiles(latencies, n=100, method="inclusive")[percent - 1] * 1000


def _cpu(rounds: Sequence[Round]) -> float:
    """Give the processor time of one operation in seconds."""
    return sum(one.cpu_seconds for one in rounds) / sum(one.operations for one in rounds)


async def _load(child: Child, operations: Sequence[Operation], seconds: float) -> Round:
    """Run each operation over and over, one after the other, for a while."""
    latencies: list[float] = []
    clock = time.perf_counter
    began, cpu = clock(), child.cpu_seconds()
    until = began + seconds

    async def work(operation: Operation) -> None:
        at = clock()
        while at < until:
            await operation()
            now = clock()
            latencies.append(now - at)
            at = now

    await asyncio.gather(*map(work, operations))
    return Round(len(latencies), clock() - began, child.cpu_seconds() - cpu, latencies)


async def _prepared(child: Child, prepare: Prepare, closing_all: ExitStack) -> list[Operation]:
    await child.answered(wire.request("GET", "/health", child.port))
    operations = []
    for _ in range(CONNECTIONS):
        connection = closing_all.enter_context(closing(await wire.connect(child.port)))
        operations.append(await prepare(connection, child.port))
    return operations


async def run(child: Child, prepare: Prepare, seconds: float) -> None:
    """Put an operation's load on a program, and measure nothing."""
    with ExitStack() as closing_all:
        await _load(child, await _prepared(child, prepare, closing_all), seconds)


async def compare(child: Child, bare: Child, prepare: Prepare, rounds: int, seconds: float) -> Comparison:
    """Measure an operation and the bare handler in turn, after one round of each that does not count."""
    comparison = Comparison()
    with ExitStack() as closing_all:
        ours = await _prepared(child, prepare, closing_all)
        theirs = await _prepared(bare, health, closing_all)
        await _load(child, ours, seconds / 2)
        await _load(bare, theirs, seconds / 2)
        for _ in range(rounds):
            comparison.bare.append(await _load(bare, theirs, seconds))
            comparison.rounds.append(await _load(child, ours, seconds))
        comparison.bare.append(await _load(bare, theirs, seconds))
    return comparison
