"""Work that the page was given: texts and documents, what became of each, and how long the rest will take."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from ghostbuster.errors import GhostbusterError, InputError
from ghostbuster.server.intake.documents import DocumentReader
from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import RequestError, unavailable
from ghostbuster.server.scoring.batching import ScoringQueue
from ghostbuster.server.scoring.detectors import Choice
from ghostbuster.server.scoring.judging import Entry, Judging
from ghostbuster.server.scoring.scoring_child import Answer, Ask
from ghostbuster.text.documents.read import JudgedText

State = Literal["working", "done", "cancelled", "stopped"]
_TELLING = 0.02
"""Share that has to be done before a remaining time is told."""


@dataclass
class Row:
    """One text of a job.

    Attributes
    ----------
    name : str
        As its reader knows it.
    source : str or bytes
        The text, or the document; empty once it was read.
    record : dict or None
        The documented object, once there is one.
    detail : bytes
        What its report is made of; empty where it could not be kept.
    error : str
        Why there is no verdict.
    """

    name: str
    source: str | bytes
    record: dict[str, Any] | None = None
    detail: bytes = b""
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether there is a verdict, or never will be one."""
        return self.record is not None or bool(self.error)


class Job:
    """Texts of one form, judged one after another.

    Parameters
    ----------
    rows : list of Row
    choice : Choice
    whole : bool
        Whether more than the prose of documents is judged.

    Attributes
    ----------
    size : int
        Bytes that it holds, about.
    """

    def __init__(self, rows: list[Row], choice: Choice, *, whole: bool = False) -> None:
        self.whole = whole
        self.key = secrets.token_urlsafe(16)
        self.rows, self.choice = rows, choice
        self.state: State = "working"
        self.seen = self._started = time.monotonic()
        self.task: asyncio.Task[None] | None = None
        self.size = sum(len(row.source) for row in rows)
        self._weights = [max(len(row.source), 1) for row in rows]
        self._judging: Judging | None = None

    @property
    def is_working(self) -> bool:
        """Whether some text is still to be judged."""
        return self.state == "working"

    @property
    def n_done(self) -> int:
        """Texts that are done with."""
        return sum(row.is_done for row in self.rows)

    @property
    def share(self) -> float:
        """How much of the work is done, by length."""
        done = sum(weight for row, weight in zip(self.rows, self._weights, strict=True) if row.is_done)
        following = next((w for row, w in zip(self.rows, self._weights, strict=True) if not row.is_done), 0)
        begun = following * self._judging.share if self._judging else 0.0
        return min((done + begun) / sum(self._weights), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest will take; None while that cannot be told."""
        share = self.share
        if not self.is_working or share < _TELLING:
            return None
        return (time.monotonic() - self._started) * (1 - share) / share

    async def run(
        self,
        queue: ScoringQueue,
        documents: DocumentReader,
        limits: Limits,
        has_room: Callable[[int], bool],
    ) -> None:
        """Judge every row; ``has_room`` tells whether so many bytes of a report's parts can be kept."""
        self._judging = Judging(queue, self._entries(documents, limits), limits.window, patient=True)
        rows: Iterator[Row] = iter(self.rows)
        try:
            async for found in self._judging.answers():
                self._note(next(rows), found, has_room)
        except RequestError:  # the server is ending
            self.state = "stopped"
        except asyncio.CancelledError:
            self.state = "cancelled"
        else:
            self.state = "done"
        for row in self.rows:
            self._release(row)

    async def _entries(self, documents: DocumentReader, limits: Limits) -> AsyncIterator[Entry]:
        for row in self.rows:
            try:
                read = await _read(row, documents, whole=self.whole)
                text = read.text
                if len(text) > limits.text_characters:
                    raise InputError(
                        f"{row.name} has {len(text):,} characters; expected at most "
                        f"{limits.text_characters:,}: give its chapters one by one"
                    )
            except GhostbusterError as error:
                self._release(row)
                yield error
            else:
                self._release(row)
                yield Ask(text, row.name, self.choice, detail=True, document=read)

    def _release(self, row: Row) -> None:
        """What was read need not be held any more."""
        self.size -= len(row.source)
        row.source = ""

    def _note(self, row: Row, found: Answer | GhostbusterError, has_room: Callable[[int], bool]) -> None:
        if not isinstance(found, Answer):
            row.error = str(found)
            return
        row.record = found.record
        if has_room(len(found.detail)):
            row.detail = found.detail
            self.size += len(found.detail)


async def _read(row: Row, documents: DocumentReader, *, whole: bool) -> JudgedText:
    """A pasted text is read as a file of plain text is."""
    data = row.source.encode("utf-8", "replace") if isinstance(row.source, str) else row.source
    return await documents.read(row.name, data, whole=whole)


class JobStore:
    """Jobs of the page: a bounded number of bytes, for a bounded time, in memory only.

    Parameters
    ----------
    queue : ScoringQueue
    documents : DocumentReader
    limits : Limits
    """

    def __init__(self, queue: ScoringQueue, documents: DocumentReader, limits: Limits) -> None:
        self._queue, self._documents, self._limits = queue, documents, limits
        self._jobs: dict[str, Job] = {}

    @property
    def working(self) -> Sequence[Job]:
        """Jobs that are not finished."""
        return [job for job in self._jobs.values() if job.is_working]

    def add(self, rows: list[Row], choice: Choice, *, whole: bool = False) -> Job:
        """Begin a job; older results make room for it.

        Raises
        ------
        RequestError
            503 when too many are unfinished, or hold too much.
        """
        job = Job(rows, choice, whole=whole)
        if self._queue.is_closed:
            raise unavailable("the server is ending")
        if len(self.working) >= self._limits.running_jobs:
            raise unavailable("others have too much in work", 30)
        if not self._make_room(job.size, 1):
            raise unavailable("others have too much in work", 30)
        self._jobs[job.key] = job
        job.task = asyncio.create_task(self._run(job))
        return job

    def get(self, key: str) -> Job:
        """A job by its key.

        Raises
        ------
        RequestError
            404 when there is none, or none any more.
        """
        self._make_room(0, 0)
        job = self._jobs.get(key)
        if job is None:
            raise RequestError(
                404,
                "these results",
                "results that are still there",
                "judge the texts again: they are kept for "
                f"{self._limits.job_seconds / 3600:g} h, in memory only",
            )
        job.seen = time.monotonic()
        return job

    async def cancel(self, job: Job) -> None:
        """Judge no more texts of a job; what is judged stays."""
        if job.task is not None and job.is_working:
            job.task.cancel()
            with suppress(asyncio.CancelledError):
                await job.task
            job.state = "cancelled"

    async def forget(self, job: Job) -> None:
        """Cancel a job and drop its results."""
        await self.cancel(job)
        self._jobs.pop(job.key, None)

    @property
    def size(self) -> int:
        """Bytes that all jobs hold, about."""
        return sum(job.size for job in self._jobs.values())

    async def _run(self, job: Job) -> None:
        await job.run(self._queue, self._documents, self._limits, lambda n_bytes: self._make_room(n_bytes, 0))

    def _make_room(self, n_bytes: int, n_jobs: int) -> bool:
        """Drop results that are too old, then those looked at longest ago; whether that was enough."""
        now = time.monotonic()
        limits = self._limits
        finished = sorted(
            (job for job in self._jobs.values() if not job.is_working), key=lambda job: job.seen
        )
        for job in finished:
            full = self.size + n_bytes > limits.job_bytes or len(self._jobs) + n_jobs > limits.jobs
            if full or now - job.seen > limits.job_seconds:
                del self._jobs[job.key]
        return self.size + n_bytes <= limits.job_bytes and len(self._jobs) + n_jobs <= limits.jobs
