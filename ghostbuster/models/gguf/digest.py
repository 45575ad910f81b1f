"""SHA-256 of model files, cached: in the process, and of large files on disk."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder

FileIdentity = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and inode of a file."""
MISSING: FileIdentity = (0, 0, 0)
LARGE = 1 << 25  # bytes; smaller files are hashed sooner than their digest is looked up


def file_identity(path: str | Path) -> FileIdentity:
    """Size, time of change and inode: another once a file is replaced or written to.

    `MISSING` where there is no regular file.
    """
    file = Path(path)
    if not file.is_file():
        return MISSING
    status = file.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal; cached for as long as the file is the same.

    Size, time of change and inode decide that, which guards against mistakes, not against attacks: who can
    set a file's times can also write to the cache. `read_digest` reads every byte.

    Raises
    ------
    ModelError
        When the file cannot be read.
    """
    file = Path(path).resolve()
    try:
        return _digest(file, file_identity(file))
    except OSError as error:
        raise _unreadable(path, error) from error


def known_digest(path: str | Path, made: FileIdentity) -> str | None:
    """What `file_digest` gave for a large file, by this process or another; None where it must be read first.

    Parameters
    ----------
    path : str or Path
    made : FileIdentity
        Of the file.
    """
    if made[0] < LARGE:
        return None
    try:
        file = Path(path).resolve()
        return _cached(file, _full_identity(file))
    except OSError:
        return None


def read_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal; every byte is read.

    Raises
    ------
    ModelError
        When the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def digest_cache_file(path: str | Path) -> Path:
    """File in the cache that holds the digest of a large file."""
    name = hashlib.sha256(os.fsencode(Path(path).resolve())).hexdigest()[:32]
    return cache_folder() / "digests" / f"{name}.json"


@lru_cache(maxsize=64)
def _digest(file: Path, made: FileIdentity) -> str:
    if made[0] < LARGE:
        return read_digest(file)
    before = _full_identity(file)
    cached = _cached(file, before)
    if cached is None:
        cached = read_digest(file)
        if _full_identity(file) == before:  # nobody wrote to it meanwhile
            _cache(file, before, cached)
    return cached


def _full_identity(file: Path) -> list[int]:
    """`file_identity`, the file system, and the time of change that no program can set (ctime)."""
    status = file.stat()
    return [*file_identity(file), status.st_ctime_ns, status.st_dev]


def _cached(file: Path, made: list[int]) -> str | None:
    """A digest worked out earlier; None where there is none, or the file has changed since."""
    try:
        found = json.loads(digest_cache_file(file).read_text(encoding="utf-8"))
        digest = found["sha256"] if found["stamp"] == made else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, GhostbusterError):
        return None
    return digest if isinstance(digest, str) and len(digest) == hashlib.sha256().digest_size * 2 else None


def _cache(file: Path, made: list[int], digest: str) -> None:
    with suppress(OSError, GhostbusterError):  # the next process reads the file again
        place = digest_cache_file(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place, GhostbusterError) as temporary:
            content = {"file": str(file), "stamp": made, "sha256": digest}
            temporary.write_text(json.dumps(content), encoding="utf-8")


def _unreadable(path: str | Path, error: OSError) -> ModelError:
    return ModelError(f"{path}: cannot be read ({error.strerror}); expected a readable file")
