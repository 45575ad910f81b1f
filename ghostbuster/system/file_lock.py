"""Exclusive file locks between processes; the system releases them however a process ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

from ghostbuster.errors import InputError

POLL = 0.1  # seconds


def open_locked(path: Path, taken: str) -> IO[bytes]:
    """Open a file for reading and writing, and lock it until it is closed; create it if it is missing.

    Parameters
    ----------
    path : Path
    taken : str
        Error message for when another process holds the lock.

    Raises
    ------
    InputError
        When another process holds the lock, or the file cannot be opened or locked.
    """
    while True:
        try:
            file = _open(path)
        except OSError as error:
            raise InputError(f"{path} cannot be opened ({error.strerror}): choose another place") from error
        try:
            _hold(file)
        except BlockingIOError:
            file.close()
            raise InputError(taken) from None
        except OSError as error:
            file.close()
            raise InputError(f"{path} cannot be locked ({error.strerror}): write to a local disk") from error
        if _is_there(file, path):
            return file
        file.close()  # its last holder removed it before we held it


def lock_when_free(path: Path, timeout: float) -> IO[bytes]:
    """Like `locked`, but waits for another process to let go.

    Parameters
    ----------
    path : Path
    timeout : float, seconds

    Raises
    ------
    TimeoutError
        When another process still holds it.
    OSError
        When it cannot be opened or locked.
    """
    deadline = time.monotonic() + timeout
    while True:
        file = _open(path)
        try:
            _hold(file)
        except BlockingIOError:
            file.close()
            if time.monotonic() >= deadline:
                raise TimeoutError(path) from None
            time.sleep(POLL)
        except OSError:
            file.close()
            raise
        else:
            if _is_there(file, path):
                return file
            file.close()


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b")


def _is_there(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _hold(file: IO[bytes]) -> None:
    if os.name == "nt":  # pragma: no cover - Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except PermissionError as error:
            raise BlockingIOError from error
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
