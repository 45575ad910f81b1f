"""What `card` compares on a graphics card: the engine, llama.cpp's limit, transformers."""

from __future__ import annotations

import itertools
import time
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.speed.scoring_contestants import Ids, Run, decodes
from ghostbuster.models.llama.language_model import LlamaLM, score_together

CONTESTANTS = ("limit", "engine", "unread", "torch")
BATCH_TOKENS = (2_000, 8_000, 16_000, 32_000)  # padded, in one batch of transformers
TRIAL_TOKENS = 100_000


def run_way(way: str, paths: list[Path], texts: list[str]) -> tuple[Run, int]:
    """What one round runs under one model, and the tokens that it scores."""
    if way == "torch":
        return in_torch(paths[0], texts)
    model = LlamaLM(paths[0], "weak")
    ids = tokens_of(model, texts)
    few = 3  # texts that warm everything up
    if way == "engine":
        model.score(texts[:few])
        return partial(model.score, texts), sum(map(len, ids))
    bare(model, ids[:few], way)()
    return bare(model, ids, way), sum(map(len, ids))


def run_pair(way: str, paths: list[Path], texts: list[str]) -> tuple[Run, int]:
    """The same under two models of one vocabulary."""
    models = [LlamaLM(path, name) for path, name in zip(paths, ("weak", "strong"), strict=True)]
    tokens = models[0].weights.tokenise(texts)
    if way == "pair":
        return partial(score_together, models, tokens), tokens.ids.size
    runs = [bare(model, tokens_of(model, texts), "limit") for model in models]
    return lambda: [run() for run in runs], tokens.ids.size


def tokens_of(model: LlamaLM, texts: list[str]) -> Ids:
    """Ids of each text."""
    tokens = model.weights.tokenise(texts)
    return [tokens.ids[a:b] for a, b in itertools.pairwise(tokens.offsets)]


def bare(model: LlamaLM, ids: Ids, way: str) -> Run:
    """Decodes alone: logits of each decode's last token, or all of them and nobody reads them.

    Texts beyond the context go on from an empty one: there is nothing to slide.
    """
    whole = [one[a : a + model.n_context] for one in ids for a in range(0, one.size, model.n_context)]
    return decodes(
        model, whole, [], wanted="last" if way == "limit" else "all", one_lane=bool(model.n_gpu_layers)
    )


def in_torch(path: Path, texts: list[str]) -> tuple[Run, int]:
    """The usual way, in bf16 with SDPA on the card, statistics there; the best of several batch sizes."""
    import torch

    from benchmarks.speed.gguf_in_torch import load, statistics

    model = LlamaLM(path, "weak")
    ids, begin, longest = tokens_of(model, texts), model.file.begin, model.n_context
    model.close()
    ids = [one[a : a + longest] for one in ids for a in range(0, one.size, longest)]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = load(path, torch.bfloat16).to(device)

    def run(some: Ids, size: int) -> None:
        for batch in batches(some, size):
            statistics(network, batch, begin)

    trial = ids[: max(1, TRIAL_TOKENS * len(ids) // max(1, sum(map(len, ids))))]
    seconds = {}
    for size in BATCH_TOKENS:
        try:
            run(trial, size)
            began = time.perf_counter()
            run(trial, size)
            seconds[size] = time.perf_counter() - began
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    best = min(seconds, key=lambda size: seconds[size])
    chosen = partial(run, ids, best)
    chosen.note = f"{device}, batches of {best} tokens"  # type: ignore[attr-defined]
    return chosen, sum(map(len, ids))


def batches(ids: Ids, n_tokens: int) -> list[Ids]:
    """Texts of like length together, padded to at most ``n_tokens`` a batch, or one text."""
    made: list[list[np.ndarray]] = []
    for one in sorted(ids, key=len, reverse=True):
        if made and (len(made[-1]) + 1) * made[-1][0].size <= n_tokens:
            made[-1].append(one)
        else:
            made.append([one])
    return made
