"""Child process that reads a sample text with one form of a model, which may crash it.

``python -m ghostbuster.models.llama.read_sample_child REQUEST``: a JSON object with ``model`` (a path) and
``fast`` (whether to take the fast CPU path). It prints the log-probs of the sample's tokens, and the CPU
seconds that reading them took, the best of a few rounds: other programs cost it nothing.
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
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.runtime import Context, Placed, Weights
from ghostbuster.models.sandbox.child import behave_as_child

ROUNDS = 2
BATCH = 128  # tokens; a sample is no multiple of it: kernels that read several rows at once have a rest too
SAMPLE = """The ferry leaves the north quay at ten past six, or when the tide allows it, which in November
is seldom the same thing. My grandmother, who kept its timetable for thirty-one years, used to
say that the sea reads no clocks; she wrote every delay into a green ledger with the cause
beside it: fog, a broken shaft, "the captain's tooth". Economists would call such a book a
long panel of small shocks. To us children it was a novel in which somebody was always late
for a wedding. When the bridge opened in 1994 the line lost two thirds of its passengers
within a year, although the crossing still cost less than the petrol. People do not weigh
minutes against money as carefully as the models assume: they weigh the waiting, and the wind.
I have read the whole ledger twice since then. What strikes me now is how rarely she blamed
anyone (four times, I believe, and one of those was herself). The last entry says only that
the boat had been sold, that it left on time, and that there was nobody on the quay who needed
to be told."""


def main(arguments: Sequence[str]) -> None:
    """Print the answer for the model named."""
    behave_as_child()
    request = json.loads(arguments[0])
    file = check_model(Path(request["model"]))
    weights = Weights(file, Placed(fast=bool(request["fast"])))
    ids = np.concatenate(([file.begin], weights.tokenise([SAMPLE]).ids)).astype(np.int32)
    ids = ids[: file.context]
    context = Context(weights, ids.size)
    context.set_threads(1)
    rounds = [_read(context, ids) for _ in range(ROUNDS)]
    answer = {"logprobs": rounds[0][0].tolist(), "seconds": min(seconds for _, seconds in rounds)}
    print(json.dumps(answer))  # noqa: T201 - this is how it answers


def _read(context: Context, ids: Int32) -> tuple[npt.NDArray[np.float64], float]:
    """Log-prob of each token after the first, and the CPU seconds that llama.cpp took."""
    context.clear()
    found, seconds = [], 0.0
    for begin in range(0, ids.size - 1, BATCH):
        piece = ids[begin : begin + BATCH]
        started = time.process_time()
        read = context.read(piece, begin, 0)
        seconds += time.process_time() - started
        logits = np.array(read, np.float64)
        following = ids[begin + 1 : begin + 1 + piece.size]
        logits = logits[: following.size]
        logits -= logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits).sum(axis=1))
        found.append(logits[np.arange(following.size), following] - total)
    return np.concatenate(found), seconds


if __name__ == "__main__":
    main(sys.argv[1:])
