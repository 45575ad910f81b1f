"""One-line messages for operating-system errors: out of memory, disk full, permission denied."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from ghostbuster.errors import GhostbusterError

OUT_OF_MEMORY = "not enough memory: end other programs, or give fewer or shorter texts"
_OUT_OF_MEMORY_WORDS = (
    "failed to map segment",  # the loader, of a library
    "cannot map zero-fill pages",
    "cannot allocate memory",
    "unable to allocate",
    "failed to allocate",
    "can't start new thread",  # its stack has no room
    "out of memory",
    "bad_alloc",  # C++
    "bad allocation",
    "error return without exception set",  # of C that could not even make a MemoryError
    "without setting an exception",
)
"""What libraries say, in error types of their own, when memory runs out; in lower case."""
_PANDAS = "c error: out of memory"  # in an error of a kind that may also quote what a user wrote


def resource_error(error: Exception) -> str | None:
    """The message for an error of the operating system, or None for an error of another kind.

    Parameters
    ----------
    error : Exception
        Whatever a command ended with.

    Returns
    -------
    str or None
        One line with the remedy. Out of memory has one message, in whatever form it comes: a MemoryError, a
        library that cannot be mapped (ImportError), a thread that cannot be started (RuntimeError), ENOMEM,
        or an error that one of these caused.
    """
    if any(_is_out_of_memory(one) for one in _chain(error)):
        return OUT_OF_MEMORY
    if not isinstance(error, OSError):
        return None
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}: free what is missing, and give the same command again"


def says_out_of_memory(said: str) -> bool:
    """Whether a library's error message means out of memory."""
    return any(one in said.lower() for one in _OUT_OF_MEMORY_WORDS)


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    if isinstance(error, ValueError | GhostbusterError):  # what these say may be a user's own words
        return type(error).__name__ == "ParserError" and _PANDAS in str(error).lower()
    return says_out_of_memory(str(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
