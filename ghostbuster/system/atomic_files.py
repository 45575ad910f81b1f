"""Write a file whole or not at all: into a temporary file, then an atomic rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ghostbuster.errors import GhostbusterError


@contextmanager
def atomic_write(path: Path, error: type[GhostbusterError]) -> Iterator[Path]:
    """A temporary file beside ``path`` that replaces it when the block ends without an error.

    The old file stays until then, and for good when the block fails.

    Parameters
    ----------
    path : Path
    error : type
        Raised when the system refuses to write.

    Yields
    ------
    Path
        Of an empty file in the same folder, with the same suffix.
    """
    check_writable(path, error)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
    except OSError as problem:
        raise error(
            f"{path} cannot be written ({problem.strerror or problem}): choose another place"
        ) from problem
    temporary = Path(name)
    try:
        yield temporary
        publish(temporary, path)
    except OSError as problem:
        raise error(
            f"{path} could not be written ({problem.strerror or problem}): nothing was changed"
        ) from problem
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(
    path: Path, error: type[GhostbusterError], inputs: Iterable[str | Path | None] = ()
) -> None:
    """Check before any costly work that a file can be written at ``path``, and replaces none of ``inputs``.

    Raises
    ------
    GhostbusterError
        The given one, when ``path`` is a folder, an input or a file of an input folder, or its folder is
        missing or read-only.
    """
    if path.exists() and any(_reads(Path(given), path) for given in inputs if given is not None):
        raise error(f"{path} is read by this command, and would be lost: write under another name")
    if path.is_dir():
        raise error(f"{path} is a folder; expected the name of a file to write")
    if not path.parent.is_dir():
        raise error(f"{path.parent} is no folder: make it first, or write {path.name} elsewhere")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise error(f"{path.parent} cannot be written to: choose another place for {path.name}")


def _reads(given: Path, path: Path) -> bool:
    """Whether a file is an input, or stands in a folder that is one."""
    if given.is_dir():
        return given.resolve() in path.resolve().parents
    return given.exists() and path.samefile(given)


def publish(temporary: Path, path: Path) -> None:
    """Flush a complete file to the disk, give it the old file's permissions or a new one's, and rename it."""
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
