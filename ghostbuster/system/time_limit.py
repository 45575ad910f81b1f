"""Work that may not take for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.5
"""Seconds until a block is interrupted again: Python drops what is raised while it tidies up an object."""


class CpuTimeExceeded(BaseException):
    """Time is up. No `Exception`: libraries that go on after those must not go on after this."""


@contextmanager
def cpu_time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block when it computes for longer (other programs cost it no time), where the system can.

    That is in the main thread of POSIX systems.

    Raises
    ------
    CpuTimeExceeded
        When time was up.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPROF, _interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise CpuTimeExceeded
