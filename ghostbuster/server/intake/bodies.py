"""Bodies of requests, received within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from ghostbuster.server.limits import MIB, Limits
from ghostbuster.server.problems import RequestError, bad_request, too_large, unavailable


class Bodies:
    """Receives bodies; all that are held at one time share one bound.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, which counts until the block ends.

        Raises
        ------
        RequestError
            400 when the client goes away, 408 when it comes too slowly, 413 when it is too long, 503 when
            others hold all the room.
        """
        self._check_length(request)
        parts = bytearray()
        try:
            async for part in self._timed(request, time.monotonic() + self._limits.body_seconds):
                if len(parts) + len(part) > self._limits.body_bytes:
                    raise self._too_large()
                if self.held + len(part) > self._limits.bodies_bytes:
                    raise unavailable("other requests fill the memory that is set aside for them")
                self.held += len(part)
                parts += part
            yield bytes(parts)
        finally:
            self.held -= len(parts)

    async def lines(self, request: Request) -> AsyncIterator[bytes]:
        """Lines of a body that may never end, without their ends; empty ones are left out.

        Raises
        ------
        RequestError
            408 when nothing comes for too long, 413 for a line that is too long.
        """
        most = 6 * self._limits.text_characters + MIB  # JSON may spell a character in six bytes
        rest = bytearray()
        async for part in self._timed(request, None):
            rest += part
            while (end := rest.find(b"\n")) >= 0:
                line = bytes(rest[:end]).strip()
                del rest[: end + 1]
                if line:
                    yield line
            if len(rest) > most:
                raise too_large("a line", f"at most {most:,} bytes", "send a shorter text")
        if rest.strip():
            yield bytes(rest.strip())

    async def _timed(self, request: Request, until: float | None) -> AsyncIterator[bytes]:
        stream = request.stream()
        while True:
            left = self._limits.idle_seconds
            if until is not None:
                left = min(left, until - time.monotonic())
            try:
                async with asyncio.timeout(max(left, 0)):
                    part = await anext(stream, None)
            except TimeoutError:
                raise RequestError(
                    408, "the body", "all of it in time", "send it faster", {"Connection": "close"}
                ) from None
            except ClientDisconnect:
                raise bad_request("the body", "all of it", "send it whole") from None
            if part is None:
                return
            if part:
                yield part

    def _check_length(self, request: Request) -> None:
        told = request.headers.get("content-length")
        if (
            told is not None
            and told.isascii()
            and told.isdigit()
            and int(told[:20]) > self._limits.body_bytes
        ):
            raise self._too_large()

    def _too_large(self) -> RequestError:
        most = self._limits.body_bytes // MIB
        return too_large(
            "the body", f"at most {most} MiB", "send fewer or shorter texts, or NDJSON, a text a line"
        )
