"""The queue before a connection: whatever has come together by the time it is free runs in one hop."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from server.oauth.store import StoreUnavailable
from server.storage.driver import Script

log = logging.getLogger(__name__)

MOST = 256
"""How many transactions may share a hop, so that none waits long for the company it keeps."""


class Job:
    """A transaction on its way through a lane: its outcome is left in it by the connection's thread."""

    __slots__ = ("deadline", "error", "future", "result", "script")

    def __init__(self, script: Script[Any], future: asyncio.Future[Any], deadline: float) -> None:
        """Take a script, the future its caller awaits, and the loop time until which it may wait."""
        self.script = script
        self.future = future
        self.deadline = deadline
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell the caller, if there still is one."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


Run = Callable[[list[Job]], bool]
"""Runs those jobs whose callers still wait, and leaves each one's outcome in it.

``False`` if the database was locked and none began.
"""

Post = Callable[[Callable[[], None]], None]
"""Hands a callable to the connection's thread."""


class Lane:
    """Jobs in the order of their coming, for one connection."""

    def __init__(self, post: Post, run: Run, patience: float) -> None:
        """Make an idle lane on the running loop.

        Args:
            post: Gives a callable to the connection's thread.
            run: Runs jobs, in that thread.
            patience: Seconds that a job may wait until it begins.
        """
        self._loop = asyncio.get_running_loop()
        self._post = post
        self._run = run
        self._patience = patience
        self._waiting: deque[Job] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def submit(self, script: Script[Any]) -> asyncio.Future[Any]:
        """Queue a transaction and give the future of its result.

        Cancelling the future before the transaction has begun drops it.
        """
        if self._closed:
            raise StoreUnavailable("the database is being closed")
        job = Job(script, self._loop.create_future(), self._loop.time() + self._patience)
        self._waiting.append(job)
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._depart)
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience, self._expire)
        return job.future

    async def close(self) -> None:
        """Take no more, and wait until all that was taken is done."""
        self._closed = True
        await self._idle.wait()
        if self._timer is not None:
            self._timer.cancel()

    def _depart(self) -> None:
        """Send over what waits."""
        jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        if jobs:
            self._post(lambda: self._work(jobs))
        else:
            self._idle.set()

    def _work(self, jobs: list[Job]) -> None:
        """Run the jobs; this is the connection's thread."""
        try:
            began = self._run(jobs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
            began = True
            for job in jobs:
                job.error = job.error or error
        self._loop.call_soon_threadsafe(self._arrive, jobs, began)

    def _arrive(self, jobs: list[Job], began: bool) -> None:
        if began:
            for job in jobs:
                job.settle()
        else:
            self._waiting.extendleft(reversed(jobs))
            self._fail_overdue()
        self._depart()

    def _expire(self) -> None:
        """Fail what has waited too long, and come back when the next may have."""
        self._fail_overdue()
        self._timer = None
        if not self._idle.is_set():
            now = self._loop.time()
            due = self._waiting[0].deadline if self._waiting else now + self._patience
            self._timer = self._loop.call_at(max(due, now), self._expire)

    def _fail_overdue(self) -> None:
        """Let go those who waited too long: the queue is in the order of their deadlines."""
        now, late = self._loop.time(), 0
        while self._waiting and self._waiting[0].deadline <= now:
            job = self._waiting.popleft()
            job.error = StoreUnavailable(f"the database was not free within {self._patience:g} s")
            job.settle()
            late += 1
        if late:
            log.error("The database was not free within %g s; %d transactions were dropped", self._patience, late)
