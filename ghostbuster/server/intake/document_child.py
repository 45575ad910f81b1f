"""The child process that reads uploaded documents: a hostile one costs its own memory and time only."""

from __future__ import annotations

from io import BytesIO
from multiprocessing.connection import Connection

from ghostbuster.errors import GhostbusterError, InputError
from ghostbuster.server.child_process import DONE, FAILED, READY

_LARGEST_FILE = 512 * 2**20


def read_documents(connection: Connection, most_bytes: int) -> None:
    """Answer each (bytes, name, whole) with what is judged of the document.

    Parameters
    ----------
    connection : Connection
    most_bytes : int
        Of memory that this process may take.
    """
    from ghostbuster.text.documents.read import read_stream, text_of

    _limit(most_bytes)
    connection.send((READY, None))
    while True:
        request = connection.recv()
        if not isinstance(request, tuple):
            continue
        data, name, whole = request
        try:
            found = text_of(read_stream(BytesIO(data), name), whole=whole)
        except GhostbusterError as error:
            connection.send((FAILED, error))
        except MemoryError:
            connection.send((FAILED, InputError(f"{name} takes too much memory to read: save it as text")))
        else:
            connection.send((DONE, found))


def _limit(most_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
