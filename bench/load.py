"""Putting load on a program, and comparing it with the bare handler in alternating rounds."""

import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.operations import Operation, Prepare, health
from bench.processes import Child
from bench.wire import Connection

CONNECTIONS = 16
"""At once, each with one request under way."""


@dataclass(frozen=True)
class Round:
    """One uninterrupted stretch of load."""

    seconds: float
    cpu_seconds: float
    """What the program used, of all cores together."""
    latencies: Sequence[float]
    """Seconds, of each operation."""

    @property
    def rate(self) -> float:
        """Operations a second."""
        return len(self.latencies) / self.seconds


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
        """The same ratio by the processor time of the program, which waiting and neighbours change little."""
        return cpu_seconds(self.bare) / (cpu_seconds(self.rounds) or 1)

    @property
    def busy(self) -> float:
        """How much of its core the program used."""
        return sum(one.cpu_seconds for one in self.rounds) / sum(one.seconds for one in self.rounds)

    def percentile(self, percent: int) -> float:
        """Give a percentile of the latencies in milliseconds."""
        latencies = [latency for one in self.rounds for latency in one.latencies]
        return quantiles(latencies, n=100, method="inclusive")[percent - 1] * 1000


def cpu_seconds(rounds: Sequence[Round]) -> float:
    """Give the processor time of one operation."""
    return sum(one.cpu_seconds for one in rounds) / sum(len(one.latencies) for one in rounds)


class _Worker:
    """A connection on which an operation is run over and over."""

    def __init__(self, connection: Connection, operation: Operation) -> None:
        self.connection = connection
        self._operation = operation
        self.began = 0.0

    def begin(self, now: float) -> None:
        self.began = now
        self._flow = self._operation()
        self.connection.socket.sendall(next(self._flow))

    def is_done(self) -> bool:
        """Take what has come and go on; ``True`` once the operation is complete."""
        answer = self.connection.receive()
        if answer is None:
            return False
        try:
            self.connection.socket.sendall(self._flow.send(answer))
        except StopIteration:
            return True
        return False


def load(child: Child, workers: Sequence[_Worker], seconds: float) -> Round:
    """Keep all workers busy for a while; what has begun is completed."""
    latencies: list[float] = []
    clock = time.perf_counter
    began, cpu, left = clock(), child.cpu_seconds(), len(workers)
    until = began + seconds
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.connection.socket, selectors.EVENT_READ, worker)
            worker.begin(clock())
        while left:
            for key, _ in selector.select():
                worker = key.data
                if worker.is_done():
                    now = clock()
                    latencies.append(now - worker.began)
                    if now < until:
                        worker.begin(now)
                    else:
                        left -= 1
    return Round(clock() - began, child.cpu_seconds() - cpu, latencies)


@contextmanager
def prepared(child: Child, prepare: Prepare, connections: int = CONNECTIONS) -> Iterator[list[_Worker]]:
    """Open connections and prepare an operation on each."""
    child.wait_until_up()
    with ExitStack() as closing_all:
        opened = [closing_all.enter_context(closing(Connection(child.port))) for _ in range(connections)]
        yield [_Worker(connection, connection.run(prepare(child.port))) for connection in opened]


def compare(child: Child, bare: Child, prepare: Prepare, rounds: int, seconds: float) -> Comparison:
    """Measure an operation and the bare handler in turn, after half a round of each that does not count."""
    comparison = Comparison()
    with prepared(child, prepare) as ours, prepared(bare, health) as theirs:
        load(child, ours, seconds / 2)
        load(bare, theirs, seconds / 2)
        for _ in range(rounds):
            comparison.bare.append(load(bare, theirs, seconds))
            comparison.rounds.append(load(child, ours, seconds))
        comparison.bare.append(load(bare, theirs, seconds))
    return comparison
