"""What was opened last, kept for as long as the files it was opened from are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from ghostbuster.models.gguf.digest import MISSING, Stamp, stamp

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """A few opened things by key; the one not asked for longest makes room.

    A replaced or changed file has its thing opened anew. One that is gone has not: what is mapped into memory
    outlives its file's name.

    Parameters
    ----------
    most : int
        How many to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = RLock()
        self._kept: dict[Hashable, tuple[dict[Path, Stamp], _T]] = {}

    def get(self, key: Hashable, files: Iterable[Path], make: Callable[[], _T]) -> _T:
        """What is kept under ``key``, or what ``make`` gives."""
        with self._lock:
            now = {file: stamp(file) for file in files}
            kept = self._kept.pop(key, None)
            if kept is None or any(now[file] not in (kept[0].get(file), MISSING) for file in now):
                kept = now, make()
            self._kept[key] = kept
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
            return kept[1]
