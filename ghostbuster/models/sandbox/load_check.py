"""Model files that are not known are read by a child first: llama.cpp ends the process on some of them.

The checks of `gguf` and `architecture` refuse what is known to be fatal. What they cannot know is found by a
child that loads the file and reads some tokens with it, once for each file and build of llama.cpp; that it
lived is remembered in `cache_folder`. Whatever it dies of, the process that asks lives on.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.models.backend.build import build_digest
from ghostbuster.models.gguf.check import ModelFile
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.system.atomic_files import replacing
from ghostbuster.system.cache_dir import cache_folder

VARIABLE = "GHOSTBUSTER_MODEL_TRIAL"
VERSION = 1  # raise it when the child tries more: what passed before is then tried again
TIME_LIMIT, BYTES_A_SECOND = 300.0, 20e6  # seconds for any file (it takes 1), and a slow disk's rate
KNOWN = frozenset(
    {
        "8e8b48c44856dc83de421494db1d5cbb2565f456e0e1b5ffb844f709a9f19b3b",  # embedded-weak.gguf
        "008dcc94563251d3225388e81aa16c68dda36799e5e78fb9e7b350fedaee978c",  # embedded-strong.gguf
    }
)
"""Digests of the files that ship: they need no trial."""

_passed: set[str] = set()
_lock = Lock()


def try_model(file: ModelFile) -> None:
    """Let a child read a model first, unless it is known or has passed before.

    ``GHOSTBUSTER_MODEL_TRIAL=no`` leaves this out, for those who trust their files.

    Raises
    ------
    ModelError
        When the child dies of it, gives no answer in time, or cannot be started.
    """
    digest = file_digest(file.path)
    if digest in KNOWN or os.environ.get(VARIABLE, "").lower() == "no":
        return
    with _lock:
        place = answer_file(digest)
        if place.name in _passed or place.is_file():
            return
        _ask(file)
        _remember(place)


def answer_file(digest: str) -> Path:
    """Where it is remembered that a file passed under this build of llama.cpp; delete it to try again."""
    asked = json.dumps([VERSION, build_digest(), digest])
    return cache_folder() / "model-trials" / hashlib.sha256(asked.encode()).hexdigest()[:32]


def child_command(model: Path) -> list[str]:
    """The command of the child; ``-P`` keeps modules of the working folder out of it."""
    return [sys.executable, "-P", "-m", "ghostbuster.models.llama.load_check_child", str(model)]


def _ask(file: ModelFile) -> None:
    """Wait for the child, whatever becomes of it."""
    limit = TIME_LIMIT + file.n_bytes / BYTES_A_SECOND
    search = (str(Path(one).absolute()) for one in (str(Path(__file__).parents[3]), *sys.path) if one)
    surroundings = os.environ | {
        "PYTHONPATH": os.pathsep.join(search),
        "OMP_NUM_THREADS": "1",
        "GGML_NO_BACKTRACE": "1",  # else llama.cpp starts a debugger to say where it stopped
    }
    try:
        with tempfile.TemporaryDirectory(prefix="ghostbuster-", ignore_cleanup_errors=True) as folder:
            status = _status(child_command(file.path), folder, surroundings, limit)
    except subprocess.TimeoutExpired:
        raise _refused(
            file, f"a child process that read it gave no answer within {limit:.0f} seconds"
        ) from None
    except OSError as error:
        raise _refused(file, f"it cannot be tried in a child process ({error})") from error
    if status:
        raise _refused(file, f"a child process that read it ended with {_name(status)}")


def _status(command: list[str], folder: str, surroundings: dict[str, str], limit: float) -> int:
    """How the child ended: 0, an exit code, or a signal's number below 0."""
    child = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=surroundings,
    )
    try:
        return child.wait(limit)
    finally:
        child.kill()
        child.wait()


def _remember(place: Path) -> None:
    """In this process, and for later ones where the folder can be written to."""
    _passed.add(place.name)
    with suppress(OSError, GhostbusterError):  # the next process tries again
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place, GhostbusterError) as temporary:
            temporary.write_text("passed\n", encoding="utf-8")


def _name(status: int) -> str:
    if status > 0:
        return f"exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name


def _refused(file: ModelFile, reason: str) -> ModelError:
    return ModelError(
        f"{file.path}: {reason}; expected a model that llama.cpp can read: get it again or convert it again "
        f"({VARIABLE}=no reads it all the same, and may end the process)"
    )
