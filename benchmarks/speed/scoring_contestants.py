"""The scoring implementations that `scoring` compares, each in its own process.

Of one model, over the same texts:

* ``engine``: this package, four statistics a token;
* ``limit``: llama.cpp's prompt rate in the engine's layout, logits of each decode's last token only;
* ``prompt``: the same in one context with all threads, as llama.cpp's own benchmark has it;
* ``body``: the same layout, all positions as far as the last normalisation: everything but the output head;
* ``unread``: the same with the head at every position, and nobody reads its logits;
* ``eval``: ``Llama.eval`` with all logits, then the four statistics in plain numpy;
* ``completion``: ``create_completion(echo=True, logprobs=1)``, log-probs only;
* ``torch-fp32``, ``torch-bf16``: Hugging Face transformers, the four statistics.

The last four are tried with one thread and with all (small models), torch also with several batch sizes: the
quickest competes.

``panel`` is both models with their cross channels and the n-grams in one pass.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import llama_cpp
import numpy as np

from ghostbuster.models.llama import runtime as llama
from ghostbuster.models.llama.language_model import SMALL_MODEL, LlamaLM
from ghostbuster.models.llama.streaming import decode_tokens
from ghostbuster.models.panel import open_panel

Run = Callable[[], object]
Ids = list[np.ndarray]
BATCHES = (1, 2, 4, 8)
LAST_BEFORE_HEAD = b"result_norm"  # llama.cpp's name of what the output head is given


def prepare(way: str, path: Path, texts: list[str]) -> tuple[Run, int]:
    """What one round runs, and the tokens that it scores."""
    model = LlamaLM(path, "weak")
    tokens = model.weights.tokenise(texts)
    ids = [tokens.ids[a:b] for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)]
    if way == "engine":
        return lambda: model.score(texts), tokens.ids.size
    if max(one.size for one in ids) > model.n_context:
        raise SystemExit(f"texts of up to {model.n_context} tokens are wanted: lower --tokens")
    return CONTESTANTS[way](model, ids, texts), tokens.ids.size


def prepare_panel(texts: list[str]) -> tuple[Run, int]:
    """Both embedded models, cross channels and n-grams."""
    panel = open_panel()
    return lambda: panel.score(texts), panel.weak.weights.tokenise(texts).ids.size


def decodes(model: LlamaLM, ids: Ids, _: list[str], wanted: str = "last", one_lane: bool = False) -> Run:
    """Decodes alone, spread as the engine spreads them; ``wanted`` are the last or all positions."""
    n_lanes = 1 if one_lane else max(1, min(len(ids), model.n_threads, model.max_lanes))
    small = model.file.n_parameters <= SMALL_MODEL and not one_lane
    lanes = model.contexts(n_lanes, 1 if small else model.n_threads // n_lanes)
    n_decode = decode_tokens(model.file.n_vocabulary)
    begin = np.array([model.file.begin], np.int32)

    def share(i: int) -> None:
        for one in ids[i :: len(lanes)]:
            inputs = np.concatenate((begin, one[:-1]))
            lanes[i].clear()
            for start in range(0, inputs.size, n_decode):
                part = inputs[start : start + n_decode]
                lanes[i].read(part, start, 0 if wanted == "all" else part.size - 1)

    pool = ThreadPoolExecutor(len(lanes))
    return lambda: list(pool.map(share, range(len(lanes))))


def body(model: LlamaLM, ids: Ids, texts: list[str]) -> Run:
    """Decodes of all positions that stop before the output head: llama.cpp asks a callback at each tensor."""
    folder = Path(llama_cpp.__file__).parent / "lib"
    name_of = ctypes.CDLL(str(next(folder.glob("libggml-base.so*")))).ggml_get_name
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.c_void_p]

    def stop(tensor: int, ask: bool, _: object) -> bool:
        return ask and name_of(tensor) == LAST_BEFORE_HEAD

    callback = llama_cpp.ggml_backend_sched_eval_callback(stop)
    defaults = llama_cpp.llama_context_default_params

    def with_callback() -> object:
        settings = defaults()
        settings.cb_eval = callback
        return settings

    llama.lib.llama_context_default_params = with_callback
    run = decodes(model, ids, texts, "all")
    llama.lib.llama_context_default_params = defaults
    run.callback = callback  # type: ignore[attr-defined]  # llama.cpp holds a bare pointer
    return run


def evaluation(model: LlamaLM, ids: Ids, _: list[str]) -> Run:
    """The high-level class with all logits, and the statistics as one would write them."""
    begin = model.file.begin

    def run(high: llama_cpp.Llama) -> None:
        for one in ids:
            high.reset()
            high.eval([begin, *one[:-1].tolist()])
            logits = high.scores[: one.size]
            logp = logits - logits.max(axis=1, keepdims=True)
            logp -= np.log(np.exp(logp).sum(axis=1, keepdims=True))
            p, chosen = np.exp(logp), logp[np.arange(one.size), one]
            entropy = -(p * logp).sum(axis=1)
            (p * logp**2).sum(axis=1) - entropy**2
            (logp > chosen[:, None]).sum(axis=1)

    return quickest({f"{n} threads": partial(run, _high_level(model, n)) for n in thread_counts(model)})


def completion(model: LlamaLM, _: Ids, texts: list[str]) -> Run:
    """The high-level class asked to echo the prompt with log-probs."""

    def run(high: llama_cpp.Llama) -> None:
        for text in texts:
            high.create_completion(text, max_tokens=1, echo=True, logprobs=1)

    return quickest({f"{n} threads": partial(run, _high_level(model, n)) for n in thread_counts(model)})


def _high_level(model: LlamaLM, n_threads: int) -> llama_cpp.Llama:
    """The high-level class, with room for a begin token and one more."""
    return llama_cpp.Llama(
        str(model.file.path),
        n_ctx=min(model.file.context, 1024),
        n_threads=n_threads,
        n_threads_batch=n_threads,
        logits_all=True,
        verbose=False,
    )


def in_torch(model: LlamaLM, ids: Ids, _: list[str], kind: str = "float32") -> Run:
    """Hugging Face transformers, texts of like length side by side."""
    import torch

    from benchmarks.speed.gguf_in_torch import load, statistics

    path, begin, counts = model.file.path, model.file.begin, thread_counts(model)
    model.close()
    network = load(path, getattr(torch, kind))
    ordered = sorted(ids, key=len, reverse=True)

    def run(n_threads: int, size: int) -> None:
        torch.set_num_threads(n_threads)
        for start in range(0, len(ordered), size):
            statistics(network, ordered[start : start + size], begin)

    sizes = [size for size in BATCHES if size <= len(ordered)]
    return quickest({f"{n} threads, batch {k}": partial(run, n, k) for n in counts for k in sizes})


def thread_counts(model: LlamaLM) -> tuple[int, ...]:
    """What a fair user would try: small models are quicker on one thread of a busy machine."""
    small = model.file.n_parameters <= SMALL_MODEL and model.n_threads > 1
    return (1, model.n_threads) if small else (model.n_threads,)


def quickest(ways: dict[str, Run]) -> Run:
    """The way that takes least time in two tries each; its name becomes the note of the results."""

    def seconds(run: Run) -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    name = min(ways, key=lambda name: min(seconds(ways[name]), seconds(ways[name]))) if len(ways) > 1 else ""
    name = name or next(iter(ways))
    chosen = partial(ways[name])
    chosen.note = name  # type: ignore[attr-defined]
    return chosen


CONTESTANTS: dict[str, Callable[[LlamaLM, Ids, list[str]], Run]] = {
    "limit": decodes,
    "prompt": partial(decodes, one_lane=True),
    "body": body,
    "unread": partial(decodes, wanted="all"),
    "eval": evaluation,
    "completion": completion,
    "torch-fp32": in_torch,
    "torch-bf16": partial(in_torch, kind="bfloat16"),
}
