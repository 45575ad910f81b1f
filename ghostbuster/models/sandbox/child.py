"""Run code that may crash or hang in a child process with a timeout: the parent process lives on."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PARENT_VARIABLE = "GHOSTBUSTER_PARENT"
"""Tells a child the number of the process that waits for it."""
_PR_SET_PDEATHSIG = 1
_ROOT = Path(__file__).parents[3]  # the folder that holds the package


def python_command(module: str, *arguments: str | Path) -> list[str]:
    """Command line that runs a module of this package.

    The option ``-P`` keeps modules of the working folder out of the child.
    """
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def run_child(
    command: Sequence[str], folder: str | Path, timeout: float, output: str | Path = os.devnull
) -> int:
    """Run a command to its end; it is killed when the timeout has passed, or this process is interrupted.

    Parameters
    ----------
    command : sequence of str
        From `python_command`.
    folder : str or Path
        Working folder of the child.
    timeout : float, seconds
    output : str or Path, optional
        File for its standard output: a flood of output fills no memory of this process.

    Returns
    -------
    int
        0, an exit code above it, or below it the number of the signal that ended the child.

    Raises
    ------
    subprocess.TimeoutExpired
        When it did not end in time.
    OSError
        When it could not be started.
    """
    search_path = (str(Path(one).absolute()) for one in (str(_ROOT), *sys.path) if one)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(search_path),
        PARENT_VARIABLE: str(os.getpid()),
        "OMP_NUM_THREADS": "1",
        "GGML_NO_BACKTRACE": "1",  # else llama.cpp starts a debugger to say where it crashed
    }
    with Path(output).open("wb") as stdout:
        child = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
        )
        try:
            return child.wait(timeout)
        finally:
            child.kill()
            child.wait()


def status_name(status: int) -> str:
    """How a child ended, in words: ``exit code 3``, or the signal's name (``SIGSEGV``)."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def behave_as_child() -> None:
    """Called by a child, which may crash: it leaves no core dump (a file of its memory) behind.

    On Linux it ends as soon as its parent is gone, however that ended: it would go on writing files that
    nobody wants, beside the next process that makes them.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parent = os.environ.get(PARENT_VARIABLE)
    if sys.platform == "linux" and parent is not None:
        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if str(os.getppid()) != parent:  # it was gone before
            os._exit(1)
