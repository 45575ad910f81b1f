"""SmolLM2's cost a token beside llama.cpp's limit and transformers: figures of docs/performance.md.

    python -m benchmarks.speed.smollm2 --model SmolLM2.BF16.gguf --out docs/data/smollm2-speed.json

One process and one thread; contestants take turns; what counts is processor time, so that other work on the
machine disturbs little: microseconds a token, medians over the rounds, and the median of the ratio to the
limit within a round.

* ``limit``: llama.cpp's prompt rate, logits of each decode's last token only;
* ``unread``: logits at all positions, and nobody reads them;
* ``engine``: this package, the four usual statistics; ``standard``: all that the panel of that name asks for;
* ``torch-bf16``: transformers in bf16, the same four statistics; ``torch-bf16-states``: and means of the
  same layers' outputs;
* ``completion``: ``create_completion(echo=True, logprobs=1)``, log-probs only, at the shortest length alone.

Needs ``pip install 'ghostbuster[benchmark]'``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import torch

from benchmarks.speed.gguf_in_torch import load, statistics
from benchmarks.speed.scoring import passages
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.llama.streaming import decode_tokens
from ghostbuster.models.panels import PANELS

LENGTHS = (50, 250, 400, 1000)
LEAST_TOKENS = 400  # a round: shorter texts are several
OUTPUTS = PANELS["standard"].strong_outputs
Ways = dict[str, Callable[[], object]]


class Contest:
    """The model in each of the ways."""

    def __init__(self, path: Path) -> None:
        self.plain = LlamaLM(path, "strong", n_threads=1)
        self._full = LlamaLM(path, "strong", n_threads=1, outputs=OUTPUTS)
        self._network = load(path, torch.bfloat16)
        self._high = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, logits_all=True, verbose=False)

    def ways(self, texts: list[str], ids: list[np.ndarray]) -> Ways:
        """What each way does with the texts."""
        layers = OUTPUTS.state_layers
        ways: Ways = {
            "limit": lambda: self._decode(ids, wanted="last"),
            "unread": lambda: self._decode(ids, wanted="all"),
            "engine": lambda: self.plain.score(texts),
            "standard": lambda: self._full.score(texts),
            "torch-bf16": lambda: [statistics(self._network, [one], 1) for one in ids],
            "torch-bf16-states": lambda: [statistics(self._network, [one], 1, layers) for one in ids],
        }
        if max(map(len, ids)) == min(LENGTHS):
            ways["completion"] = lambda: self._complete(texts)
        return ways

    def _decode(self, ids: list[np.ndarray], wanted: str) -> None:
        (context,) = self.plain.contexts(1, 1)
        step = decode_tokens(self.plain.file.n_vocabulary)
        for one in ids:
            inputs = np.concatenate(([self.plain.file.begin], one[:-1])).astype(np.int32)
            context.clear()
            for start in range(0, inputs.size, step):
                part = inputs[start : start + step]
                context.read(part, start, 0 if wanted == "all" else part.size - 1)

    def _complete(self, texts: list[str]) -> None:
        for text in texts:
            self._high.create_completion(text, max_tokens=1, echo=True, logprobs=1)


def measured(contest: Contest, length: int, rounds: int) -> dict[str, Any]:
    """Medians for texts of one length."""
    model = contest.plain
    texts = passages(model.weights, max(1, LEAST_TOKENS // length), length)
    tokens = model.weights.tokenise(texts)
    bounds = zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    ways = contest.ways(texts, [tokens.ids[a:b] for a, b in bounds])
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            started = time.process_time()
            run()
            found[way].append((time.process_time() - started) / tokens.ids.size * 1e6)
    limit = np.array(found["limit"])
    return {
        way: {
            "cpu_us_per_token": round(float(np.median(values)), 1),
            "of_limit": round(float(np.median(limit / np.array(values))), 3),
        }
        for way, values in found.items()
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="SmolLM2 in the form to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    contest = Contest(options.model.resolve())
    made: dict[str, Any] = {}
    for length in LENGTHS:
        made[str(length)] = measured(contest, length, options.rounds)
        print(length, json.dumps(made[str(length)]), flush=True)
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
