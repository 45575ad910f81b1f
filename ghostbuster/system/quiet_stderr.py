"""Keep what libraries' own code prints on standard error away, and let this program's own lines through."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


def _is_file_two(stream: object) -> bool:
    try:
        return bool(stream.fileno() == _STDERR)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
