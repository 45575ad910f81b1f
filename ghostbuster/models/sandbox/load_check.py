"""Load an unknown GGUF once in a child process: llama.cpp may crash on it.

The checks of `models.gguf` refuse what is known to crash llama.cpp. The rest is found by a child process that
loads the file and reads some tokens with it, once for each file and build of llama.cpp; a pass is cached in
`cache_folder`. A crash of the child leaves the parent process alive.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.models.backend.build import build_digest
from ghostbuster.models.gguf.adapter import AdapterFile
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.sandbox.child import python_command, run_child, status_name
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder

VARIABLE = "GHOSTBUSTER_MODEL_TRIAL"
VERSION = 1  # raise it when the child checks more: what passed before is then checked again
TIME_LIMIT, BYTES_A_SECOND = 300.0, 20e6  # seconds for any file (it takes 1), and a slow disk's rate
KNOWN = frozenset(
    {
        "8e8b48c44856dc83de421494db1d5cbb2565f456e0e1b5ffb844f709a9f19b3b",  # embedded-weak.gguf
        "008dcc94563251d3225388e81aa16c68dda36799e5e78fb9e7b350fedaee978c",  # embedded-strong.gguf
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",  # smollm2-135m
    }
)
"""Digests of the model files that ship and of those that the catalog pins: they need no check."""

_passed: set[str] = set()
_lock = Lock()


def check_loads(file: ModelFile, adapter: AdapterFile | None = None) -> None:
    """Check in a child process that llama.cpp can load a model, unless the file ships or has passed before.

    ``GHOSTBUSTER_MODEL_TRIAL=no`` skips the check, for users who trust their files.

    Parameters
    ----------
    file : ModelFile
    adapter : AdapterFile, optional
        Checked over that model; one that was never read always is.

    Raises
    ------
    ModelError
        When the child process crashes, gives no answer in time, or cannot be started.
    """
    digest = file_digest(file.path)
    if adapter is not None:
        digest = f"{digest} {adapter.digest}"
    if digest in KNOWN or os.environ.get(VARIABLE, "").lower() == "no":
        return
    with _lock:
        place = cache_file(digest)
        if place.name in _passed or place.is_file():
            return
        _ask(file, adapter)
        _cache(place)


def remember_load(digest: str) -> None:
    """Have a file pass that a child process has read already."""
    _cache(cache_file(digest))


def cache_file(digest: str) -> Path:
    """File in the cache that says a model passed under this build of llama.cpp; delete it to check again."""
    asked = json.dumps([VERSION, build_digest(), digest])
    return cache_folder() / "model-trials" / hashlib.sha256(asked.encode()).hexdigest()[:32]


def child_command(model: Path, adapter: Path | None = None) -> list[str]:
    """Command line of the child process that loads ``model``, and an adapter over it."""
    more = () if adapter is None else (adapter,)
    return python_command("ghostbuster.models.llama.load_check_child", model, *more)


def _ask(file: ModelFile, adapter: AdapterFile | None) -> None:
    """Load the file in a child process; raise when that crashes or hangs."""
    culprit = file.path if adapter is None else adapter.path
    limit = TIME_LIMIT + file.n_bytes / BYTES_A_SECOND
    try:
        with tempfile.TemporaryDirectory(prefix="ghostbuster-", ignore_cleanup_errors=True) as folder:
            status = run_child(
                child_command(file.path, None if adapter is None else adapter.path), folder, limit
            )
    except subprocess.TimeoutExpired:
        raise _refused(
            culprit, f"a child process that read it gave no answer within {limit:.0f} seconds"
        ) from None
    except OSError as error:
        raise _refused(culprit, f"it cannot be tried in a child process ({error})") from error
    if status:
        reason = status_name(status)
        if reason == "SIGKILL":
            reason += ", perhaps for want of memory"
        raise _refused(culprit, f"a child process that read it ended with {reason}")


def _cache(place: Path) -> None:
    """Cache the pass in this process, and on disk where the folder can be written to."""
    _passed.add(place.name)
    with suppress(OSError, GhostbusterError):  # the next process tries again
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place, GhostbusterError) as temporary:
            temporary.write_text("passed\n", encoding="utf-8")


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path}: {reason}; expected a model that llama.cpp can read: get it again or convert it again "
        f"({VARIABLE}=no reads it all the same, and may end the process)"
    )
