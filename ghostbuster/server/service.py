"""What every request shares: detectors, queue, readers of documents, jobs of the page, limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ghostbuster.server.child_process import ChildProcess
from ghostbuster.server.intake.bodies import Bodies
from ghostbuster.server.intake.documents import DocumentReader
from ghostbuster.server.intake.guard import Access
from ghostbuster.server.jobs import JobStore
from ghostbuster.server.limits import Limits
from ghostbuster.server.scoring.batching import ScoringQueue
from ghostbuster.server.scoring.detectors import DetectorFacts

_LINGER = 3.0
"""Seconds in which pages can still fetch what they waited for, once everything is scored."""


class Service:
    """The server without its routes.

    Parameters
    ----------
    children : sequence of ChildProcess
        Scoring processes, started: the first says which detectors there are.
    access : Access
    limits : Limits
    is_local : bool
        Whether only this computer can ask.
    """

    def __init__(
        self, children: Sequence[ChildProcess], access: Access, limits: Limits, *, is_local: bool
    ) -> None:
        self.detectors: Sequence[DetectorFacts] = children[0].facts
        self.access, self.limits, self.is_local = access, limits, is_local
        self.queue = ScoringQueue(children, limits)
        self.documents = DocumentReader(limits)
        self.jobs = JobStore(self.queue, self.documents, limits)
        self.bodies = Bodies(limits)

    def start(self) -> None:
        """Begin to score; inside a running loop."""
        self.queue.start()

    async def finish(self) -> None:
        """Take nothing more; return when what is in the queue is scored, or the time for that is over."""
        pages_wait = bool(self.jobs.working)
        self.queue.close()
        until = time.monotonic() + self.limits.stop_seconds
        while (self.jobs.working or not self.queue.is_idle) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if pages_wait:
            await asyncio.sleep(_LINGER)

    async def end(self) -> None:
        """End all processes."""
        await self.queue.end()
        await asyncio.get_running_loop().run_in_executor(None, self.documents.close)
