"""SQLite cache of token scores: size limit with LRU eviction, shared by processes.

Nothing here may fail a command: a damaged database is moved aside, one that is locked, full or of another
version is not used, and each is reported in one line. Texts are never stored, but whoever has the models
can reconstruct much of a text from its scores: only the file's owner may read it.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from time import monotonic, sleep

from ghostbuster.errors import GhostbusterError, SettingError

LAYOUT = 1
"""Number of the database's layout, kept in its ``user_version``."""
LIMIT_VARIABLE = "GHOSTBUSTER_CACHE_LIMIT"
DEFAULT_LIMIT = 2 * 2**30
"""Bytes; beyond it the least recently used entries are evicted."""
LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process."""

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (key BLOB PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_use ON scores (used);
"""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class CacheError(GhostbusterError):
    """A cache that cannot be used; scoring goes on without it."""


@dataclass(frozen=True)
class CacheInfo:
    """Size of a cache.

    Attributes
    ----------
    path : Path
    n_texts : int
    size : int
        Bytes in use.
    limit : int
        Bytes allowed.
    """

    path: Path
    n_texts: int
    size: int
    limit: int


def size_limit() -> int:
    """Bytes that the cache may take: ``GHOSTBUSTER_CACHE_LIMIT``, as ``500M`` or ``4G``, else 2 GiB.

    Raises
    ------
    SettingError
        When the variable holds no size.
    """
    given = os.environ.get(LIMIT_VARIABLE)
    if not given:
        return DEFAULT_LIMIT
    found = re.fullmatch(r"(\d{1,18})\s*([KMGT]?)(?:i?B)?", given.strip(), re.IGNORECASE)
    if not found:
        raise SettingError(f"{LIMIT_VARIABLE}={given!r} is no size; expected a number of bytes, or 500M, 2G")
    return int(found[1]) * _UNITS[found[2].upper()]


def remove(path: Path) -> int:
    """Clear the cache: delete the database, whatever state it is in; returns the bytes freed.

    Processes that have it open go on with what they hold, which is gone when they end.

    Raises
    ------
    CacheError
        When a file cannot be deleted.
    """
    n_bytes = 0
    try:
        for file in (*(path.with_name(path.name + end) for end in ("-shm", "-wal", "")), _aside(path)):
            if file.exists():
                n_bytes += file.stat().st_size
                file.unlink()
    except OSError as error:
        raise CacheError(
            f"{error.filename} cannot be deleted ({error.strerror}): delete it by hand"
        ) from error
    return n_bytes


class ScoreCache:
    """Bytes by key on disk, with LRU eviction.

    Parameters
    ----------
    path : Path
        The database; it and its folder are made when they are not there.
    limit : int, bytes
        The least recently used make room beyond it.
    tell : callable
        Called with one line when the cache cannot be used, at most twice.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT, tell: Callable[[str], None] = print) -> None:
        self.path, self.limit, self._tell = path, limit, tell
        self._lock = RLock()
        self._generation = 0
        self._connection: sqlite3.Connection | None = None
        with self._guarded():
            self._connect()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Entries under ``keys``; missing ones are left out."""
        found: dict[bytes, bytes] = {}
        with self._guarded():
            if self._connection is None:
                return {}
            old = []
            for key in keys:
                row = self._connection.execute(
                    "SELECT data, used FROM scores WHERE key = ?", (key,)
                ).fetchone()
                if row is not None:
                    found[key] = row[0]
                    old += [(self._generation, key)] * (row[1] < self._generation)
            if old:
                with self._writing() as connection:
                    connection.executemany("UPDATE scores SET used = ? WHERE key = ?", old)
        return found

    def put(self, items: Mapping[bytes, bytes]) -> None:
        """Store entries; the least recently used are evicted where room is needed."""
        with self._guarded():
            if self._connection is None:
                return
            rows = [
                (key, self._generation, data) for key, data in items.items() if len(data) < self.limit // 4
            ]
            with self._writing() as connection:
                connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", rows)
                self._make_room(connection)

    def info(self) -> CacheInfo:
        """Number and size of the entries.

        Raises
        ------
        CacheError
            When the database cannot be used.
        """
        with self._strict() as connection:
            (n_texts,) = connection.execute("SELECT count(*) FROM scores").fetchone()
            return CacheInfo(self.path, n_texts, _size(connection), self.limit)

    def _usable(self) -> sqlite3.Connection:
        if self._connection is None:
            raise CacheError(f"{self.path} cannot be used: delete the file, nothing is lost by it")
        return self._connection

    @contextmanager
    def _strict(self) -> Iterator[sqlite3.Connection]:
        """Database errors are raised, for commands about the cache itself."""
        with self._lock:
            connection = self._usable()
            try:
                yield connection
            except sqlite3.Error as error:
                raise CacheError(f"{self.path} cannot be used now ({error}): end what is using it") from error

    def _connect(self) -> None:
        """Open the database, or create it; only its owner may read it."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            _check_layout(layout)
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA journal_size_limit = {2**24}")
            if not layout:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {LAYOUT}; COMMIT;"
                )
            (last,) = connection.execute("SELECT max(used) FROM scores").fetchone()
        except BaseException:
            connection.close()
            raise
        self._generation = (last or 0) + 1  # a count of openings: clocks may jump
        self._connection = connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._usable()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _make_room(self, connection: sqlite3.Connection) -> None:
        if _size(connection) <= self.limit:
            return
        while _size(connection) > self.limit * 0.9:
            (n_texts,) = connection.execute("SELECT count(*) FROM scores").fetchone()
            if not n_texts:
                return
            connection.execute(
                "DELETE FROM scores WHERE rowid IN (SELECT rowid FROM scores ORDER BY used, rowid LIMIT ?)",
                (n_texts // 20 + 1,),
            )

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Go on without the cache when it fails, with an empty one where it is damaged."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError, CacheError) as error:
                self.close()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                    self._put_aside(error)
                else:
                    self._tell(f"scores are not remembered: {self.path} cannot be used ({error})")

    def _put_aside(self, error: BaseException) -> None:
        try:
            self.path.replace(_aside(self.path))
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._connect()
        except (sqlite3.Error, OSError, CacheError) as second:
            self._tell(f"scores are not remembered: {self.path} is damaged and cannot be replaced ({second})")
        else:
            self._tell(
                f"{self.path} was damaged ({error}): it is now {_aside(self.path).name}, a new one was begun"
            )


def _check_layout(found: int) -> None:
    if found not in {0, LAYOUT}:
        raise CacheError(
            f"its layout is {found}, this version's {LAYOUT}: `ghostbuster cache clear` removes it"
        )


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; retry while another process does the same."""
    end = monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if monotonic() > end:
                raise
            sleep(0.05)  # the change of mode does not wait by itself
        else:
            return


def _aside(path: Path) -> Path:
    """Where a damaged database is moved to."""
    return path.with_suffix(".damaged")


def _size(connection: sqlite3.Connection) -> int:
    """Bytes of pages in use."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
