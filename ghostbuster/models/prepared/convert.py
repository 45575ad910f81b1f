"""Convert a model, and read a sample with it, in child processes: both may crash or run out of memory."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.prepared.forms import FORMS, FormName, Reading
from ghostbuster.models.sandbox.child import python_command, run_child, status_name
from ghostbuster.models.sandbox.cpu_path import CpuPath

CONVERT_LIMIT, READ_LIMIT, BYTES_A_SECOND = 120.0, 120.0, 5e6  # seconds, and a slow disk's rate
HEADROOM = 1 << 25  # bytes: metadata, vocabulary and the file system's own
MAX_ANSWER = 1 << 20  # bytes


class NoRoomError(ModelError):
    """A model cannot be converted now, for want of room, rights or memory; another time it may."""


class UnusableFormError(ModelError):
    """A form of a model cannot be used with this build of llama.cpp on this machine."""


def convert(source: ModelFile, form: FormName, target: Path) -> None:
    """Write a form of a model.

    Raises
    ------
    NoRoomError
        When the disk has no room for it, the child was killed, or there is no memory to check it.
    UnusableFormError
        When llama.cpp cannot convert it.
    """
    needed = check_room(source, form, target.parent)
    request = {"source": str(source.path), "target": str(target), "file_type": FORMS[form].file_type}
    said = _run("convert_child", request, CONVERT_LIMIT + needed / BYTES_A_SECOND)
    try:
        made = check_model(target)
    except ModelError as error:
        if isinstance(error.__cause__, OSError):  # no memory to look at it
            raise NoRoomError(str(error)) from error
        raise _failed(f"converting to {form} left no model", said) from error
    if (made.n_parameters, made.tokenizer) != (source.n_parameters, source.tokenizer):
        raise UnusableFormError(f"converting to {form} made another model")


def check_room(source: ModelFile, form: FormName, folder: Path) -> int:
    """Bytes that a form takes.

    Raises
    ------
    NoRoomError
        When the folder's disk has fewer left.
    """
    needed = int(source.n_parameters * FORMS[form].bits / 8) + HEADROOM
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoomError(f"{folder} has room for {free:,} bytes, and {form} takes {needed:,}")
    return needed


def read_sample(file: ModelFile, cpu_path: CpuPath) -> Reading:
    """Log-probs of a sample text, and the CPU seconds that reading it took.

    Raises
    ------
    NoRoomError
        When the child was killed or could not be started.
    UnusableFormError
        When it crashes, or gives no log-probs.
    """
    request = {"model": str(file.path), "fast": cpu_path == "fast"}
    said = _run("read_sample_child", request, READ_LIMIT + file.n_bytes / BYTES_A_SECOND)
    try:
        answer: Any = json.loads(said)
        seconds, logprobs = float(answer["seconds"]), tuple(map(float, answer["logprobs"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnusableFormError(f"reading with {file.quantisation} gives no answer") from None
    if not (0 < seconds < math.inf and logprobs and all(math.isfinite(v) and v <= 0 for v in logprobs)):
        raise UnusableFormError(f"reading with {file.quantisation} gives numbers that are no log-probs")
    return Reading(logprobs, seconds)


def child_command(module: str, request: str) -> list[str]:
    """Command line of a child of the room of llama.cpp."""
    return python_command(f"ghostbuster.models.llama.{module}", request)


def _run(module: str, request: dict[str, object], limit: float) -> str:
    """What a child printed."""
    what = module.removesuffix("_child").replace("_", " ")
    try:
        with tempfile.TemporaryDirectory(prefix="ghostbuster-", ignore_cleanup_errors=True) as place:
            answer = Path(place) / "answer"
            status = run_child(child_command(module, json.dumps(request)), place, limit, answer)
            with answer.open("rb") as stream:
                said = stream.read(MAX_ANSWER).decode(errors="replace")
    except subprocess.TimeoutExpired:
        raise NoRoomError(f"the child to {what} gave no answer within {limit:.0f} seconds") from None
    except OSError as error:
        raise NoRoomError(f"no child to {what} ({error})") from error
    if status:
        raise _failed(f"the child to {what} ended with {status_name(status)}", said, status)
    return said


PYTHON_FAILED = 1
"""Exit code of a child that could not even ask llama.cpp: an import without memory, say."""
KILLED = {"SIGKILL", "SIGTERM", "SIGINT", "SIGXFSZ"}
"""Signals that say nothing of the model: want of memory, limits of files, somebody's wish."""
WANTS = (
    "no space left",
    "disk quota",
    "failed to allocate",
    "bad_alloc",
    "cannot allocate",
    "iostream error",
)
"""What llama.cpp says, in lower case, where the system had no room or memory."""


def _failed(what: str, said: str, status: int = 0) -> ModelError:
    """The error for a child that failed; want of room is no fault of the form."""
    words = " ".join(said.split())[:200]
    message = f"{what} ({words})" if words else what
    wants = any(one in words.lower() for one in WANTS)
    passing = status == PYTHON_FAILED or (status < 0 and status_name(status) in KILLED)
    return NoRoomError(message) if wants or passing else UnusableFormError(message)
