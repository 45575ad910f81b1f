"""Choose llama.cpp's CPU path (safe or fast) by benchmarking both in a child process.

llama.cpp's extra buffer types (AMX tiles, repacked weights) make quantised models faster on some machines,
slower on others, and crash the process with an illegal instruction on builds that gcc 12 made for a CPU with
AMX. So a child process runs both on a small model of the same tensor types, once for each build of
llama.cpp, CPU and set of types; the result is cached in `cache_folder`. A crash of the child leaves the
parent process alive.
"""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from ghostbuster.errors import GhostbusterError
from ghostbuster.models.backend.build import build_digest
from ghostbuster.models.backend.cpu import cpu
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.sandbox.child import python_command, run_child, status_name
from ghostbuster.models.sandbox.cpu_path_model import write_probe_model
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder

CpuPath = Literal["safe", "fast"]

VERSION = 1  # raise it when the benchmark changes: cached results of older versions are then not read
TIME_LIMIT = 60.0  # seconds; it takes 2 to 5
MIN_GAIN = 1.1  # times the tokens/s; below it the slower start is not worth it
# Repacking moved log-probs by up to 0.13 nats on a token, 0.033 on the mean token, 0.0023 on a text's mean;
# another layout of the same kernels by 0.2, 0.04 and 0.0025: several times that is no rounding.
MAX_TOKEN, MAX_MEAN, MAX_TEXT = 0.75, 0.15, 0.02
MAX_ANSWER = 1 << 20  # bytes
UNTOUCHED = frozenset({"F32", "F16", "BF16"})
"""Tensor types that no extra buffer type is for: their models need no benchmark."""
# disk or memory was full, or no process could start: not cached on disk, so the next process tries again
UNTRIED = "the fast path could not be tried"
NOTHING_TO_TRY = "its weights are not quantised: the safe path is the fast one"


@dataclass(frozen=True)
class Finding:
    """Result of the benchmark for one model.

    Parameters
    ----------
    path : {"safe", "fast"}
        The one to use unless a user or a detector wants the other.
    reason : str
    usable : bool
        Whether the fast path gave right numbers, be it faster or not.
    gain : float
        Tokens/s of the fast path over those of the safe one; 0 where it gave no right numbers.
    """

    path: CpuPath
    reason: str
    usable: bool = False
    gain: float = 0.0

    @property
    def tried(self) -> bool:
        """Whether the benchmark ran: models that are not quantised need none."""
        return self.reason != NOTHING_TO_TRY


class _Failed(Exception):  # noqa: N818 - a reason, made a Finding
    """Why the fast path is not to be used."""


_known: dict[str, Finding] = {}
_lock = Lock()


def cpu_path(file: ModelFile) -> Finding:
    """The CPU path for a model; on the first call a benchmark in a child process, which takes a few seconds.

    A model of F16, BF16 or F32 weights needs no child: the safe path is the fast one.
    """
    known = cached_cpu_path(file)
    if known is not None:
        return known
    with _lock:
        known = cached_cpu_path(file)
        if known is not None:
            return known
        found = _probe(file)
        return _cache(_key(file), found, lasting=not found.reason.startswith(UNTRIED))


def cached_cpu_path(file: ModelFile) -> Finding | None:
    """The cached result of `cpu_path`; None where the benchmark has not run yet."""
    if UNTOUCHED.issuperset(file.matrix_types):
        return Finding("safe", NOTHING_TO_TRY)
    key = _key(file)
    if key not in _known:
        found = _stored(key)
        if found is not None:
            _known[key] = found
    return _known.get(key)


def cache_file(file: ModelFile) -> Path:
    """File in the cache with the result for a model's tensor types; delete it to run the benchmark again."""
    return _place(_key(file))


def child_command(model: Path) -> list[str]:
    """Command line of the child process that runs the benchmark on ``model``."""
    return python_command("ghostbuster.models.llama.cpu_path_child", model)


def _probe(file: ModelFile) -> Finding:
    """Run the benchmark in a child process; its crash or failure is a finding too."""
    try:
        with tempfile.TemporaryDirectory(prefix="ghostbuster-", ignore_cleanup_errors=True) as folder:
            model = Path(folder) / "probe.gguf"
            write_probe_model(file.path, model)
            return _judge(_ask(child_command(model), Path(folder) / "answer.json"))
    except _Failed as failure:
        return Finding("safe", str(failure))
    except (OSError, MemoryError, GhostbusterError) as error:
        return Finding("safe", f"{UNTRIED} ({error})")


def _ask(command: Sequence[str], answer: Path) -> Any:
    """The JSON that a child process prints."""
    try:
        status = run_child(command, answer.parent, TIME_LIMIT, answer)
    except subprocess.TimeoutExpired:
        raise _Failed(f"the fast path gave no answer within {TIME_LIMIT:g} seconds") from None
    if status < 0:
        raise _Failed(f"the fast path ends the process here ({status_name(status)})")
    if status > 0:
        raise _Failed(f"the fast path fails here ({status_name(status)})")
    with answer.open("rb") as stream:
        try:
            return json.loads(stream.read(MAX_ANSWER))
        except (ValueError, RecursionError):
            raise _Failed("the fast path gave no answer that can be read") from None


def _judge(answer: Any) -> Finding:
    """Compare numbers, then speed."""
    (safe, safe_seconds), (fast, fast_seconds) = (_part(answer, name) for name in ("safe", "fast"))
    if len(safe) != len(fast) or not safe:
        raise _Failed("the fast path gave no answer that can be read")
    if not all(math.isfinite(value) and value <= 0 for value in safe + fast):
        raise _Failed("the fast path gives numbers here that are no log-probs")
    differences = [abs(a - b) for a, b in zip(safe, fast, strict=True)]
    worst, mean = max(differences), math.fsum(differences) / len(safe)
    text = abs(math.fsum(safe) - math.fsum(fast)) / len(safe)
    if worst > MAX_TOKEN or mean > MAX_MEAN or text > MAX_TEXT:
        raise _Failed(
            f"the fast path gives wrong numbers here (off by {mean:.2g} nats a token, {worst:.2g} at worst)"
        )
    gain = safe_seconds / fast_seconds
    if gain < MIN_GAIN:
        return Finding(
            "safe", f"the fast path gives {gain:.2f} times the tokens/s here", usable=True, gain=gain
        )
    reason = f"{gain:.2f} times the tokens/s of the safe path, within {worst:.2g} nats of it on every token"
    return Finding("fast", reason, usable=True, gain=gain)


def _part(answer: Any, name: str) -> tuple[list[float], float]:
    """Log-probs and seconds of one path."""
    try:
        seconds = float(answer[name]["seconds"])
        logprobs = [float(value) for value in answer[name]["logprobs"]]
    except (KeyError, TypeError, ValueError):
        raise _Failed("the fast path gave no answer that can be read") from None
    if not 0 < seconds < math.inf:
        raise _Failed("the fast path gave no answer that can be read")
    return logprobs, seconds


def _key(file: ModelFile) -> str:
    """Cache key: the build, the CPU, and the tensor types of a model's matrices."""
    asked = json.dumps([VERSION, build_digest(), cpu(), file.matrix_types])
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _place(key: str) -> Path:
    return cache_folder() / "cpu-paths" / f"{key}.json"


def _stored(key: str) -> Finding | None:
    """The finding of an earlier process; None where it is missing or damaged."""
    try:
        return _finding(json.loads(_place(key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _finding(stored: Any) -> Finding:
    """Raises TypeError, KeyError or ValueError for anything that is no finding."""
    path, usable = stored["path"], stored["usable"] is True
    if path not in {"safe", "fast"} or (path == "fast" and not usable):
        raise ValueError(path)
    return Finding(path, str(stored["reason"]), usable, float(stored["gain"]))


def _cache(key: str, found: Finding, *, lasting: bool) -> Finding:
    """Cache a finding in this process, and on disk where it is lasting and the folder can be written to."""
    _known[key] = found
    if not lasting:
        return found
    place = _place(key)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place, GhostbusterError) as temporary:
            temporary.write_text(json.dumps(asdict(found)), encoding="utf-8")
    except (OSError, GhostbusterError):
        pass  # the next process runs the benchmark again
    return found
