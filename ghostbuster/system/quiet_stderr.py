"""Keep what libraries print of their own out of a command's output, and let this program's lines through."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STDERR = 2


@contextmanager
def only_own_stderr() -> Iterator[None]:
    """Drop what is written to the file of standard error, and by processes that are started in the block.

    What Python itself prints on ``sys.stderr`` goes where it went before.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    before = sys.stderr
    own = before
    if _is_file_two(before):
        before.flush()
        own = sys.stderr = os.fdopen(
            os.dup(kept), "w", encoding=before.encoding, errors=before.errors, buffering=1
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        if own is not before:
            sys.stderr = before
            own.close()


@contextmanager
def silent_threads(prefix: str) -> Iterator[None]:
    """Drop what threads whose names begin with ``prefix`` print on ``sys.stdout`` and ``sys.stderr``."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Stream(one, prefix) for one in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Stream:
    """A stream without what some threads write."""

    def __init__(self, stream: Any, prefix: str) -> None:
        self._stream, self._prefix = stream, prefix

    def write(self, text: str) -> int:
        if threading.current_thread().name.startswith(self._prefix):
            return len(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_file_two(stream: object) -> bool:
    try:
        return bool(stream.fileno() == _STDERR)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
