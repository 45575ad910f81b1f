"""HTTP/1.1 connections that cannot be held open for ever: half a head, or an answer that nobody reads."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import MEDIA_TYPE, bad_request


class TimedProtocol(H11Protocol):
    """uvicorn's protocol with what it lacks.

    Closes a connection whose head does not come, whose client does not read, or that is one too many.
    """

    limits = Limits()
    _head: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone."""
        self._stop_head()
        self._stop_unread()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some of a head or of a body has come."""
        super().data_received(data)
        self._watch_head()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.limits.idle_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        self._stop_unread()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """The request is no HTTP, or its head is too long."""
        body = json.dumps(bad_request("the request", "HTTP/1.1", msg).as_json()).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        head = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event=event) or b"")
        self.transport.close()

    def _watch_head(self) -> None:
        """A timer runs for as long as a head has begun, or is still to begin, and is not there."""
        if self.conn.their_state is not h11.IDLE or self.timeout_keep_alive_task is not None:
            self._stop_head()
        elif self._head is None:
            self._head = self.loop.call_later(self.limits.head_seconds, self.transport.abort)

    def _stop_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def timed_protocol(limits: Limits) -> type[TimedProtocol]:
    """The protocol with its limits.

    Parameters
    ----------
    limits : Limits
    """
    return type("LimitedProtocol", (TimedProtocol,), {"limits": limits})
