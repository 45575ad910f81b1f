"""The child process that reads uploaded documents: a hostile one costs its own memory and time only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from ghostbuster.errors import GhostbusterError, InputError
from ghostbuster.server.child_process import DONE, FAILED, READY

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - files there never reach a disk; the folder made in it is private
_LARGEST_FILE = 512 * 2**20


def read_documents(connection: Connection, most_bytes: int) -> None:
    """Answer each (suffix, bytes, name) with what is judged of the document.

    Parameters
    ----------
    connection : Connection
    most_bytes : int
        Of memory that this process may take.
    """
    # what it imports counts before the limit is set
    from ghostbuster.text.documents.read import document_text

    _limit(most_bytes)
    connection.send((READY, None))
    while True:
        request = connection.recv()
        if not isinstance(request, tuple):
            continue
        suffix, data, name = request
        try:
            with _as_file(data, suffix) as path:
                try:
                    read = document_text(path)
                except GhostbusterError as error:
                    raise InputError(str(error).replace(str(path), name)) from None
        except GhostbusterError as error:
            connection.send((FAILED, error))
        except MemoryError:
            connection.send((FAILED, InputError(f"{name} takes too much memory to read: save it as text")))
        else:
            connection.send((DONE, read))


@contextmanager
def _as_file(data: bytes, suffix: str) -> Iterator[Path]:
    """A private file for as long as the block runs; in memory where the system has such a place."""
    place = _IN_MEMORY if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ghostbuster-", dir=place) as folder:
        path = Path(folder) / f"document{suffix}"
        path.write_bytes(data)
        yield path


def _limit(most_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
