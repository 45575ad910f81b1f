"""A CPU-time limit for a block of code (SIGPROF)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.5
"""Seconds until a block is interrupted again: Python drops what is raised while it tidies up an object."""


class CpuTimeExceeded(BaseException):
    """The CPU-time limit is reached. No `Exception`: libraries that catch those must not catch this."""


@contextmanager
def cpu_time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block when it uses more CPU time; time in which other programs run does not count.

    Works in the main thread of POSIX systems; elsewhere the block has no limit.

    Raises
    ------
    CpuTimeExceeded
        When the limit is reached.
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
