"""Putting load on a program, and comparing it with bare handlers in alternating rounds."""

import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles

from bench.operations import Operation, Prepare, health
from bench.processes import Child
from bench.wire import Connection, Flow, expect

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
    """An operation against bare handlers, round by round."""

    requests: int
    """Of which the operation consists."""
    rounds: list[Round] = field(default_factory=list)
    alike: list[Round] = field(default_factory=list)
    """The very same requests, read and answered by a bare handler."""
    get: list[Round] = field(default_factory=list)
    """The least that can be asked of one: a GET without a query."""

    @property
    def rate(self) -> float:
        """Operations a second, in the middle round."""
        return median(one.rate for one in self.rounds)

    @property
    def get_rate(self) -> float:
        """GETs a second of the bare handler, in the middle round."""
        return median(one.rate for one in self.get)

    @property
    def ratio(self) -> float:
        """Operations to single requests like its own, both a second."""
        return self._ratio(self.alike) / self.requests

    @property
    def cpu_ratio(self) -> float:
        """The same by the processor time of the programs, which waiting and neighbours change little."""
        return cpu_seconds(self.alike) / self.requests / (cpu_seconds(self.rounds) or 1)

    @property
    def ratio_to_get(self) -> float:
        """Operations to GETs, both a second."""
        return self._ratio(self.get)

    def _ratio(self, bare: Sequence[Round]) -> float:
        """Give the middle of the ratios, each of a round to the mean of the two bare ones around it."""
        return median(
            one.rate / ((before.rate + after.rate) / 2)
            for one, before, after in zip(self.rounds, bare, bare[1:], strict=False)
        )

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

    def record(self) -> Sequence[bytes]:
        """Run the operation once by itself, and give the requests that it takes."""
        requests: list[bytes] = []
        self.connection.run(_overheard(self._operation(), requests))
        return requests

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


def _overheard(flow: Flow[object], requests: list[bytes]) -> Flow[None]:
    """Go through a flow and keep its requests."""
    request = next(flow)
    with suppress(StopIteration):
        while True:
            requests.append(request)
            request = flow.send((yield request))


def _repeating(requests: Sequence[bytes], _port: int) -> Flow[Operation]:
    """Prepare to send these requests as they are."""

    def run() -> Flow[None]:
        for request in requests:
            yield from expect(200, request)

    yield from run()
    return run


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
    """Measure an operation and the bare handlers in turn, after half a round of each that does not count."""
    with prepared(child, prepare) as ours, prepared(bare, health) as getting:
        requests = ours[0].record()
        comparison = Comparison(len(requests))
        with prepared(bare, partial(_repeating, requests)) as alike:
            turns = (
                (bare, getting, comparison.get),
                (bare, alike, comparison.alike),
                (child, ours, comparison.rounds),
            )
            for program, workers, _ in turns:
                load(program, workers, seconds / 2)
            for _ in range(rounds):
                for program, workers, rounds_so_far in turns:
                    rounds_so_far.append(load(program, workers, seconds))
            for program, workers, rounds_so_far in turns[:2]:
                rounds_so_far.append(load(program, workers, seconds))
    return comparison
