"""SHA-256 digests of model files, cached in the process until a file changes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ghostbuster.errors import ModelError

FileIdentity = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and inode of a file."""
MISSING: FileIdentity = (0, 0, 0)


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
    """SHA-256 of a file's bytes, hexadecimal; cached until the file changes.

    Raises
    ------
    ModelError
        When the file cannot be read.
    """
    file = Path(path).resolve()
    try:
        return _digest(file, file_identity(file))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); expected a readable file") from error


@lru_cache(maxsize=64)
def _digest(file: Path, _made: FileIdentity) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
