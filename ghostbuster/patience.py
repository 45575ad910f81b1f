"""Work that may not take for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(BaseException):
    """Time is up. No `Exception`: libraries that go on after those must not go on after this."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt the block when it takes longer, where the system can: the main thread of POSIX systems.

    Raises
    ------
    OutOfTime
        When time was up.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime
