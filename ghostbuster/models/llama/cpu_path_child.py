"""Child process that benchmarks both CPU paths on a small model, and may crash; prints JSON.

``python -m ghostbuster.models.llama.cpu_path_child MODEL`` prints, for each path, the log-probs of the
same tokens and the seconds that reading them took, the best of a few rounds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Int32
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.llama.runtime import Context, Placed, Weights
from ghostbuster.models.sandbox.child import behave_as_child
from ghostbuster.models.sandbox.cpu_path_model import CONTEXT, LAYERS, VOCABULARY

TOKENS = 293  # neither a multiple of 4 nor of 16: kernels that read several rows at once have a rest too
SINGLES = 3  # read one by one afterwards: other kernels do that
ROUNDS = 4


def main(arguments: Sequence[str]) -> None:
    """Print the answer for the model named."""
    behave_as_child()
    ids = np.random.default_rng(0).integers(0, VOCABULARY, TOKENS + SINGLES).astype(np.int32)
    file = _file(Path(arguments[0]))
    contexts = {
        name: Context(Weights(file, Placed(fast=name == "fast")), CONTEXT) for name in ("safe", "fast")
    }
    answer: dict[str, dict[str, object]] = {name: {"seconds": 1e9} for name in contexts}
    for _ in range(ROUNDS):
        for name, context in contexts.items():
            context.set_threads(1)
            context.clear()
            logprobs, seconds = _read(context, ids)
            known = answer[name]["seconds"]
            best = min(seconds, known) if isinstance(known, float) else seconds
            answer[name] = {"logprobs": logprobs.tolist(), "seconds": best}
    print(json.dumps(answer))  # noqa: T201 - this is how it answers


def _read(context: Context, ids: Int32) -> tuple[npt.NDArray[np.float64], float]:
    """Log-prob of each token after the first, and the seconds that reading most of them at once took."""
    started = time.perf_counter()
    rows = [np.array(context.read(ids[:TOKENS], 0, 0), np.float64)]
    seconds = time.perf_counter() - started
    rows += [np.array(context.read(ids[i : i + 1], i, 0), np.float64) for i in range(TOKENS, ids.size)]
    logits = np.concatenate(rows)[:-1]
    logits -= logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits).sum(axis=1))
    return logits[np.arange(ids.size - 1), ids[1:]] - total, seconds


def _file(path: Path) -> ModelFile:
    """The small model; it has no vocabulary, so `check_model` would refuse it."""
    return ModelFile(path, "llama", 0, 0, LAYERS, "", (), CONTEXT, VOCABULARY, 0, "")


if __name__ == "__main__":
    main(sys.argv[1:])
