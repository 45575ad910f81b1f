"""SIGTERM and Ctrl-C unwind a command, so that no temporary file stays."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_LATER = 0.05
"""Seconds after which a signal is sent again whose exception came where none can pass."""


@contextmanager
def unwind_on_sigterm(code: int) -> Iterator[None]:
    """Raise SystemExit in the block on SIGTERM, as Ctrl-C raises KeyboardInterrupt; in the main thread only.

    The exception of either may come where Python can only print and forget it: in llama.cpp's log, which is a
    call of C into Python, or while an object is cleared away. The signal is then sent again a moment later.
    Ray's waits give the exception another exit code; it gets its own back.

    Parameters
    ----------
    code : int
        Exit code of that ``SystemExit``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    asked = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        raise SystemExit(code)

    again: list[threading.Timer] = []

    def tell_again(lost: UnraisableHookArgs) -> None:
        number = {SystemExit: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}.get(lost.exc_type)
        if number is None:
            print_it(lost)
            return
        again.append(threading.Timer(_LATER, _send, [number]))
        again[-1].daemon = True
        again[-1].start()

    before, print_it = signal.signal(signal.SIGTERM, end), sys.unraisablehook
    sys.unraisablehook = tell_again
    try:
        yield
    except SystemExit as ended:
        if asked and ended.code != code:
            raise SystemExit(code) from ended
        raise
    finally:
        for timer in again:
            timer.cancel()  # the command was over first
            timer.join()
        sys.unraisablehook = print_it
        signal.signal(signal.SIGTERM, before)


def _send(number: signal.Signals) -> None:
    """Send a signal to the main thread, which wakes from a system call."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)
