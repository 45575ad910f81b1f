"""The bounded queue before the one costly pass: texts that wait are scored together, a piece at a time."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ghostbuster.errors import GhostbusterError
from ghostbuster.server.child_process import ChildDiedError, ChildProcess
from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import queue_full, unavailable
from ghostbuster.server.scoring.scoring_child import Answer, Ask

PIECE_CHARACTERS = 2**16
"""A piece of work is about so long: a second or two of the embedded models."""
_FIRST_RATE = 50_000.0
"""Characters a second that are expected before anything was measured."""
_LONGEST_WAIT = 120
_OVERHEAD = 100
"""Characters that a text counts for beside its own."""


class Ticket:
    """A text in the queue, or being scored.

    Attributes
    ----------
    answer : Future of Answer
        Raises `GhostbusterError` where the text could not be scored.
    share : float
        Of the piece it is in, that is done.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.cost = len(ask.text) + _OVERHEAD
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.share = 0.0

    @property
    def is_long(self) -> bool:
        """Whether it is a piece of its own, and more."""
        return self.cost > 2 * PIECE_CHARACTERS

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        self.answer.cancel()


class ScoringQueue:
    """Texts wait here for a scoring process.

    Parameters
    ----------
    children : sequence of ChildProcess
        Of `score_pieces`, started.
    limits : Limits
    """

    def __init__(self, children: Sequence[ChildProcess], limits: Limits) -> None:
        self._children, self._limits = children, limits
        self._waiting: deque[Ticket] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idle = len(children)
        self._long_running = 0
        self._cost = 0
        self._rate = _FIRST_RATE
        self._work = asyncio.Event()
        self._threads = ThreadPoolExecutor(len(children), thread_name_prefix="scoring")
        self._tasks: list[asyncio.Task[None]] = []
        self.is_closed = False

    def start(self) -> None:
        """Begin to score; inside a running loop."""
        self._tasks = [asyncio.create_task(self._serve(child)) for child in self._children]

    @property
    def n_waiting(self) -> int:
        """Texts that wait."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being scored."""
        return not self._waiting and self._idle == len(self._children)

    @property
    def retry_after(self) -> int:
        """Seconds until what waits now is probably scored."""
        seconds = self._cost / (self._rate * max(len(self._children), 1))
        return min(max(math.ceil(seconds), 1), _LONGEST_WAIT)

    def offer(self, ask: Ask) -> Ticket:
        """Put a text in the queue, or refuse it at once.

        Raises
        ------
        RequestError
            429 when the queue is full; 503 when the server is ending.
        """
        if self.is_closed:
            raise unavailable("the server is ending")
        ticket = Ticket(ask)
        full = len(self._waiting) >= self._limits.queue_texts
        if full or (self._waiting and self._cost + ticket.cost > self._limits.queue_characters):
            raise queue_full(self.retry_after)
        self._append(ticket)
        return ticket

    async def put(self, ask: Ask) -> Ticket:
        """Put a further text of a request that has some in work, when the queue is less than half full.

        So requests of many texts leave room for requests of one.

        Raises
        ------
        RequestError
            503 when the server is ending.
        """
        cost = len(ask.text) + _OVERHEAD
        while not self.is_closed and not self._is_half_empty(cost):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        if self.is_closed:
            raise unavailable("the server is ending")
        ticket = Ticket(ask)
        self._append(ticket)
        self._wake()
        return ticket

    def close(self) -> None:
        """Take no more texts; those that are in the queue are scored."""
        self.is_closed = True
        while self._waiters:
            self._waiters.popleft().set_result(None)

    async def end(self) -> None:
        """End the scoring processes; what waits is not scored."""
        self.close()
        for child in self._children:
            child.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for ticket in self._waiting:
            ticket.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._close_children)
        self._threads.shutdown(wait=False)

    def _close_children(self) -> None:
        for child in self._children:
            child.close()

    def _is_half_empty(self, cost: int) -> bool:
        if not self._waiting:
            return True
        texts, characters = self._limits.queue_texts // 2, self._limits.queue_characters // 2
        return len(self._waiting) < texts and self._cost + cost <= characters

    def _append(self, ticket: Ticket) -> None:
        self._waiting.append(ticket)
        self._cost += ticket.cost
        ticket.answer.add_done_callback(lambda _: self._forget(ticket))
        self._work.set()

    def _forget(self, ticket: Ticket) -> None:
        """Drop a ticket that was cancelled while it waited."""
        if ticket.answer.cancelled() and ticket in self._waiting:
            self._waiting.remove(ticket)
            self._cost -= ticket.cost
            self._wake()

    def _wake(self) -> None:
        """Let those go on that wait for room."""
        while self._waiters and self._is_half_empty(0):
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _take(self) -> list[Ticket]:
        """The next piece for one process: texts in the order they came, a long one alone.

        Where there are several processes, one is always left to short texts.
        """
        may_be_long = self._long_running < max(1, len(self._children) - 1)
        most = math.ceil(len(self._waiting) / max(self._idle, 1))
        piece: list[Ticket] = []
        size = 0
        for ticket in self._waiting:
            if ticket.is_long and (piece or not may_be_long):
                continue
            piece.append(ticket)
            size += ticket.cost
            if size >= PIECE_CHARACTERS or len(piece) >= most:
                break
        for ticket in piece:
            self._waiting.remove(ticket)
        self._cost -= size
        return piece

    async def _serve(self, child: ChildProcess) -> None:
        """Score piece after piece with one process."""
        while True:
            await self._work.wait()
            piece = self._take()
            if not piece:
                self._work.clear()
                continue
            self._wake()
            is_long = piece[0].is_long
            self._idle -= 1
            self._long_running += is_long
            try:
                await self._score(child, piece)
            finally:
                self._idle += 1
                self._long_running -= is_long
                self._work.set()

    async def _score(self, child: ChildProcess, piece: Sequence[Ticket]) -> None:
        loop = asyncio.get_running_loop()
        running = _Running(piece, child)

        def tell(share: float) -> None:
            loop.call_soon_threadsafe(running.show, share)

        asks = [ticket.ask for ticket in piece]
        started = time.monotonic()
        try:
            answers = await loop.run_in_executor(self._threads, child.call, asks, tell)
        except GhostbusterError as error:
            lost = isinstance(error, ChildDiedError)
            answers = [unavailable("the process that scores ended") if lost else error] * len(piece)
        else:
            cost = sum(ticket.cost for ticket in piece)
            self._rate = (self._rate + cost / max(time.monotonic() - started, 1e-3)) / 2
        for ticket, answer in zip(piece, answers, strict=False):  # none where all were cancelled
            _settle(ticket.answer, answer)
        for ticket in piece:
            ticket.cancel()  # no effect on those that have an answer


class _Running:
    """A piece that is being scored: it ends early when nobody wants any of it."""

    def __init__(self, piece: Sequence[Ticket], child: ChildProcess) -> None:
        self._piece, self._child = piece, child
        for ticket in piece:
            ticket.answer.add_done_callback(self._drop)

    def show(self, share: float) -> None:
        for ticket in self._piece:
            ticket.share = share

    def _drop(self, _answer: asyncio.Future[Answer]) -> None:
        if all(ticket.answer.cancelled() for ticket in self._piece):
            self._child.cancel()


def _settle(future: asyncio.Future[Answer], answer: Answer | GhostbusterError) -> None:
    if future.done():
        return
    if isinstance(answer, Answer):
        future.set_result(answer)
    else:
        future.set_exception(answer)
        future.exception()  # seen: nobody may be waiting any more
