"""A child process that answers requests one after another, and is started anew when it dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import Any

from ghostbuster.errors import GhostbusterError

CANCEL = "cancel"
"""What a parent sends when nobody wants the answer any more."""
READY = "ready"
"""First word of what a child says once it can answer."""
DONE = "done"
FAILED = "failed"
PROGRESS = "progress"

_POLL = 0.1
_GRACE = 2.0
"""Seconds a child gets to end by itself."""

Target = Callable[..., None]


class ChildDiedError(GhostbusterError):
    """The child ended, or took too long and was ended, before it answered."""


class ChildProcess:
    """One child that runs ``target(connection, *arguments)``.

    The child sends ``(READY, facts)`` or ``(FAILED, error)`` once; then for each request any number of
    ``(PROGRESS, share)`` and one ``(DONE, answer)`` or ``(FAILED, error)``. It ends when its connection does.

    Parameters
    ----------
    target : callable
        Of a module, so that a fresh interpreter can import it.
    arguments : tuple
        What can be pickled.
    name : str
        For messages.
    """

    def __init__(self, target: Target, arguments: tuple[Any, ...], name: str) -> None:
        self._target, self._arguments, self.name = target, arguments, name
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._cancelled = False
        self._lock = Lock()
        self.facts: Any = None

    def start(self) -> None:
        """Start the child and wait until it can answer; nothing if it runs already.

        Raises
        ------
        GhostbusterError
            What the child itself said; `ChildDiedError` when it said nothing.
        """
        if self._connection is not None:
            return
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        # before the child is seen by anybody else: two threads never start one child
        self._process = context.Process(
            target=_run, args=(self._target, theirs, *self._arguments), name=self.name, daemon=True
        )
        self._process.start()
        theirs.close()
        self._connection = ours
        self.facts = self._answer(None, None, READY)

    def call(
        self,
        request: object,
        progress: Callable[[float], None] | None = None,
        seconds: float | None = None,
    ) -> Any:
        """The child's answer; blocks, so call it in a thread.

        Parameters
        ----------
        request : object
            What can be pickled.
        progress : callable, optional
            Called with the share that is done.
        seconds : float, optional
            After which the child is ended.

        Raises
        ------
        GhostbusterError
            What the child raised; `ChildDiedError` when it ended.
        """
        with self._lock:
            self._cancelled = False
            self.start()
            try:
                self._connected.send(request)
            except OSError:
                self._end()
                raise ChildDiedError(f"{self.name} has ended; expected it to run") from None
            return self._answer(progress, seconds, DONE)

    def cancel(self) -> None:
        """Tell the child that nobody wants the answer; it ends the work at the next chance."""
        self._cancelled = True

    def close(self) -> None:
        """End the child, at once if it does not end by itself."""
        self._end()

    @property
    def pid(self) -> int | None:
        """The child's process number, None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def _connected(self) -> Connection:
        if self._connection is None:
            raise ChildDiedError(f"{self.name} does not run; expected it to be started")
        return self._connection

    def _answer(self, progress: Callable[[float], None] | None, seconds: float | None, last: str) -> Any:
        until = None if seconds is None else time.monotonic() + seconds
        told = False
        try:
            while True:
                if self._cancelled and not told:
                    self._connected.send(CANCEL)
                    told = True
                if not self._connected.poll(_POLL):
                    if until is not None and time.monotonic() > until:
                        self._end(grace=0)
                        raise ChildDiedError(f"{self.name} took more than {seconds:g} seconds")
                    continue
                kind, value = self._connected.recv()
                if kind == last:
                    return value
                if kind == FAILED:
                    if last == READY:
                        self._end()
                    raise value
                if kind == PROGRESS and progress is not None:
                    progress(value)
        except (EOFError, OSError):
            self._end()
            raise ChildDiedError(f"{self.name} ended before it answered") from None

    def _end(self, grace: float = _GRACE) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.join(grace)
            _kill(process)
            process.join()


def _kill(process: BaseProcess) -> None:
    """End a child, and whatever it started."""
    if hasattr(os, "killpg") and process.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # its group has its number, see _run
    process.kill()


def _run(target: Target, connection: Connection, *arguments: Any) -> None:
    """What the child runs: signals of a terminal or a service are for its parent, who ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    try:
        target(connection, *arguments)
    except (EOFError, OSError):
        pass  # the parent is gone, or wants this child to go
    finally:
        connection.close()
        os._exit(0)  # libraries of C may not tidy up what the parent has left
