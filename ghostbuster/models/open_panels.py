"""Cache of open panels, so that a second detector of the same models opens none again."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from ghostbuster.models.gguf.digest import MISSING, FileIdentity, file_identity

_T = TypeVar("_T")


class OpenPanels(Generic[_T]):
    """A small LRU cache of open models; an entry expires when one of its files changes.

    A file that was deleted expires nothing: what is mapped into memory outlives its file's name.

    Parameters
    ----------
    max_size : int
        Entries kept; a further one replaces the least recently used.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._lock = RLock()
        self._entries: dict[Hashable, tuple[dict[Path, FileIdentity], _T]] = {}
        self._left_behind = self._entries

    def get(self, key: Hashable, files: Iterable[Path], make: Callable[[], _T]) -> _T:
        """The entry of ``key``; made by ``make`` where there is none, or a file has changed."""
        with self._lock:
            now = {file: file_identity(file) for file in files}
            entry = self._entries.pop(key, None)
            if entry is None or any(now[file] not in (entry[0].get(file), MISSING) for file in now):
                entry = now, make()
            self._entries[key] = entry
            while len(self._entries) > self._max_size:
                del self._entries[next(iter(self._entries))]
            return entry[1]

    def leave_behind_at_fork(self) -> None:
        """Have a process that is made by a fork open its own: the threads of the models are not in it."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_behind)

    def _leave_behind(self) -> None:
        # kept: to close them would be to wait for threads that are not here, and the lock may be held
        self._left_behind = self._entries
        self._entries, self._lock = {}, RLock()
