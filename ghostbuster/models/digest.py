"""SHA-256 of model files, worked out once a process."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ghostbuster.errors import ModelError


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal; remembered for as long as its size and time of change stay.

    Raises
    ------
    ModelError
        When the file cannot be read.
    """
    file = Path(path).resolve()
    try:
        status = file.stat()
        return _digest(file, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); expected a readable file") from error


@lru_cache(maxsize=64)
def _digest(file: Path, _size: int, _modified: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
