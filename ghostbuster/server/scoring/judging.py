"""Many texts of one request through the queue: in order, and never more of them at once than a window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress

from ghostbuster.errors import GhostbusterError
from ghostbuster.server.scoring.batching import ScoringQueue, Ticket
from ghostbuster.server.scoring.scoring_child import Answer, Ask

Entry = Ask | GhostbusterError
"""A text, or why there is none in its place."""


class Judging:
    """Texts of one request on their way.

    Parameters
    ----------
    queue : ScoringQueue
    entries : iterable or async iterable of Ask or GhostbusterError
        Taken as room appears.
    window : int
        Texts that wait or are scored at once.
    patient : bool
        Whether the first text too waits for room where there is none.
    """

    def __init__(
        self,
        queue: ScoringQueue,
        entries: Iterable[Entry] | AsyncIterator[Entry],
        window: int,
        *,
        patient: bool = False,
    ) -> None:
        self._queue = queue
        self._patient = patient
        self._entries = entries
        self._tickets: asyncio.Queue[Ticket | GhostbusterError | None] = asyncio.Queue(window)
        self._current: Ticket | None = None
        self._broken: GhostbusterError | None = None

    @property
    def share(self) -> float:
        """How much of the text whose turn it is, is done."""
        return 0.0 if self._current is None else self._current.share

    async def answers(self) -> AsyncGenerator[Answer | GhostbusterError, None]:
        """An answer or an error for each text, in their order; close it to cancel the rest.

        Raises
        ------
        RequestError
            When the first text finds no room, or the request itself breaks off.
        """
        feeder = asyncio.create_task(self._feed())
        try:
            while (entry := await self._tickets.get()) is not None:
                yield await self._answer(entry) if isinstance(entry, Ticket) else entry
            if self._broken is not None:
                raise self._broken
        finally:
            feeder.cancel()
            with suppress(asyncio.CancelledError):
                await feeder
            self._drop()

    async def _answer(self, ticket: Ticket) -> Answer | GhostbusterError:
        self._current = ticket
        try:
            return await ticket.answer
        except GhostbusterError as error:
            return error

    async def _feed(self) -> None:
        first = not self._patient
        try:
            async for entry in _each(self._entries):
                if isinstance(entry, GhostbusterError):
                    await self._tickets.put(entry)
                    continue
                ticket = self._queue.offer(entry) if first else await self._queue.put(entry)
                first = False
                try:
                    await self._tickets.put(ticket)
                except asyncio.CancelledError:
                    ticket.cancel()
                    raise
        except GhostbusterError as error:
            self._broken = error
        await self._tickets.put(None)

    def _drop(self) -> None:
        """Cancel what nobody waits for any more."""
        left = [self._current]
        while not self._tickets.empty():
            entry = self._tickets.get_nowait()
            left.append(entry if isinstance(entry, Ticket) else None)
        for ticket in left:
            if ticket is not None:
                ticket.cancel()


async def _each(entries: Iterable[Entry] | AsyncIterator[Entry]) -> AsyncIterator[Entry]:
    if isinstance(entries, AsyncIterator):
        async for entry in entries:
            yield entry
    else:
        for entry in entries:
            yield entry
