"""A GGUF language model as a source: text in, per-token statistics out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import RLock

from ghostbuster.errors import SettingError
from ghostbuster.models.architecture import check_model
from ghostbuster.models.digest import file_digest
from ghostbuster.models.llama import Context, Weights, can_offload
from ghostbuster.models.statistics import Reducer
from ghostbuster.models.streaming import DECODE_TOKENS, Lane, Progress, stream
from ghostbuster.models.tokens import Tokens
from ghostbuster.models.windows import windows
from ghostbuster.scores import TokenScores

ENGINE_VERSION = 2  # raise it when a change moves any score: artifacts made before then refuse to load
MAX_CONTEXT = 2048  # tokens; longer windows cost more a token and tell little more
MIN_CONTEXT = 16
# Longer texts are read in windows of so many contexts: lanes can share one text, and the half context that
# is read twice at each seam costs an eighth of a model's body at most.
WINDOW_CONTEXTS = 4
# Rotary at every layer by one rule, so that keys can be moved: others read windows of one context.
SLIDING = ("llama", "qwen2", "qwen3")
# Up to this many parameters, lanes of one thread each read different windows: faster than threads that share
# a decode, and on a busy machine many times so, since those wait for one another after every layer.
SMALL_MODEL = 100_000_000
MAX_LANES = 8


class LlamaLM:
    """A GGUF language model as a source of per-token statistics.

    Every window of a text starts with the begin token, so that the first real token has a value too.

    Parameters
    ----------
    path : str or Path
        A Llama-family GGUF file; it is mapped into memory, not read.
    name : str
        Its role: ``weak`` or ``strong``.
    n_gpu_layers : int, default -1
        Layers to offload, all by default; ignored by builds of llama.cpp that cannot offload.
    n_threads : int, optional
        Threads, all cores by default; moves no score.
    n_ctx : int, tokens, optional
        Length of a window; what the model was trained with, at most `MAX_CONTEXT`, by default.

    Raises
    ------
    SettingError
        When ``n_ctx`` or ``n_threads`` is out of range.
    ModelError
        When the file is missing, damaged or no Llama-family model.
    """

    def __init__(
        self,
        path: str | Path,
        name: str,
        *,
        n_gpu_layers: int = -1,
        n_threads: int | None = None,
        n_ctx: int | None = None,
    ) -> None:
        self.name = name
        self.file = check_model(path)
        self.n_context = min(self.file.context, MAX_CONTEXT) if n_ctx is None else n_ctx
        if not MIN_CONTEXT <= self.n_context <= self.file.context:
            raise SettingError(
                f"n_ctx={self.n_context} for {path}; "
                f"expected {MIN_CONTEXT} to {self.file.context} tokens, the most it was trained with"
            )
        self.n_threads = _cores() if n_threads is None else n_threads
        if self.n_threads < 1:
            raise SettingError(f"n_threads={n_threads}; expected 1 or more")
        self.n_gpu_layers = n_gpu_layers if can_offload() else 0
        self.digest = file_digest(path)
        self.tokenizer = self.file.tokenizer
        self.weights = Weights(self.file, self.n_gpu_layers)
        self._contexts: list[Context] = []
        self.lock = RLock()

    @property
    def fingerprint(self) -> str:
        """Digest of the file and of every setting that moves a score."""
        settings = (
            f"{self.digest} context={self.n_context} decode={DECODE_TOKENS} flash=1 engine={ENGINE_VERSION}"
        )
        return hashlib.sha256(settings.encode()).hexdigest()

    def score(self, texts: Sequence[str], progress: Progress | None = None) -> TokenScores:
        """Score prepared texts, in the order given.

        Parameters
        ----------
        texts : sequence of str, length n_texts
        progress : callable, optional
            Called with scored and all tokens.

        Raises
        ------
        ModelError
            When the vocabulary cannot spell a text, or the model gives no finite numbers.
        """
        return score_together([self], self.weights.tokenise(texts), progress)[0]

    def contexts(self, n_lanes: int, n_threads: int) -> list[Context]:
        """The first ``n_lanes`` contexts, kept for the next call."""
        with self.lock:
            while len(self._contexts) < n_lanes:
                self._contexts.append(Context(self.weights, self.n_context))
            for context in self._contexts[:n_lanes]:
                context.set_threads(n_threads)
            return self._contexts[:n_lanes]

    def close(self) -> None:
        """Free the contexts and the model; nothing can be scored afterwards."""
        with self.lock:
            for context in self._contexts:
                context.close()
            self._contexts.clear()
            self.weights.close()


def score_together(
    models: Sequence[LlamaLM], tokens: Tokens, progress: Progress | None = None
) -> list[TokenScores]:
    """Score the same tokens under one model, or under two of one vocabulary with their cross channels.

    Parameters
    ----------
    models : sequence of LlamaLM, length 1 or 2
    tokens : Tokens
        Of the models' vocabulary.
    progress : callable, optional
        Called with scored and all tokens.

    Returns
    -------
    list of TokenScores, one a model
    """
    context = min(model.n_context for model in models)
    overlap = context // 2
    slide = all(model.file.architecture in SLIDING for model in models)
    plan = windows(tokens.offsets, WINDOW_CONTEXTS * context + overlap if slide else context, overlap)
    n_threads = min(model.n_threads for model in models)
    small = all(model.file.n_parameters <= SMALL_MODEL for model in models)
    n_lanes = max(1, min(len(plan), n_threads, MAX_LANES)) if small else 1
    threads_a_lane = 1 if small else n_threads
    names = [model.name for model in models]
    with ExitStack() as held:
        for model in sorted(models, key=id):  # one order for all threads
            held.enter_context(model.lock)
        contexts = [model.contexts(n_lanes, threads_a_lane) for model in models]
        helpers = held.enter_context(ThreadPoolExecutor(threads_a_lane)) if threads_a_lane > 1 else None
        lanes = [
            Lane(
                readers,
                context,
                [Reducer(names, models[0].file.n_vocabulary) for _ in range(threads_a_lane)],
                helpers,
            )
            for readers in zip(*contexts, strict=True)
        ]
        out = stream(lanes, tokens.ids, plan, models[0].file.begin, progress)
        channels = lanes[0].reducers[0].channels
    return [
        TokenScores(dict(zip(channels, values, strict=True)), tokens.ends, tokens.offsets) for values in out
    ]


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
