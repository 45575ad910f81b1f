"""Score texts with a GGUF language model: per-token log-probs, ranks and entropies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import RLock

from ghostbuster.arrays import Int64, Progress, TokenScores
from ghostbuster.errors import SettingError
from ghostbuster.models.backend.devices import Placement, placement
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.llama.load import load_model
from ghostbuster.models.llama.outputs import NOTHING_MORE, Outputs
from ghostbuster.models.llama.runtime import Context
from ghostbuster.models.llama.state_pooling import StatePool
from ghostbuster.models.llama.streaming import Lane, decode_tokens, stream, windows
from ghostbuster.models.llama.threads import usable_cores
from ghostbuster.models.llama.token_statistics import TokenStatistics
from ghostbuster.models.llama.tokens import Tokens
from ghostbuster.models.sandbox.cpu_path import CpuPath

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
# Up to here many windows are read so too, but threads share a lone one, for which one core is too slow.
MEDIUM_MODEL = 400_000_000
MAX_MEDIUM_LANES = 4  # 150 MB each
MAX_CARD_LANES = 2  # one decodes on a graphics card while the other's logits are reduced


def fingerprint_of(digest: str, n_context: int, n_decode: int, cpu_path: CpuPath | None) -> str:
    """Digest of everything that moves a model's scores.

    The device is no part of it: the log-probs of F16 models may move by 0.2 nats on a token from one to
    the other, and a detector made on one is good on the other. The fast CPU path is, for it moves those of
    quantised models further; but not that of a known model which is read in whatever form is the fastest
    within a tolerance (`ghostbuster.models.prepared`), for that holds on either path.

    Parameters
    ----------
    digest : str
        SHA-256 of the model's file.
    n_context : int, tokens
        Length of a window.
    n_decode : int, tokens
        The most a decode; see `streaming.decode_tokens`.
    cpu_path : {"safe", "fast"} or None
        None for a model in any form within the tolerance; ``digest`` is then that of the original.
    """
    settings = f"{digest} context={n_context} decode={n_decode} flash=1 engine={ENGINE_VERSION}"
    settings += {"safe": "", "fast": " cpu=fast", None: " form=any"}[cpu_path]
    return hashlib.sha256(settings.encode()).hexdigest()


def with_trained_path(file: ModelFile, n_context: int, wanted: Placement, expected: str | None) -> Placement:
    """``wanted``, on the CPU path that a detector was trained on (its fingerprint is ``expected``).

    A path that the user asked for stays.
    """
    if wanted.cpu_path != "auto" or expected is None:
        return wanted
    n_decode = decode_tokens(file.n_vocabulary)
    fast = expected == fingerprint_of(file_digest(file.path), n_context, n_decode, "fast")
    return replace(wanted, cpu_path="fast" if fast else "safe")


class LlamaLM:
    """A GGUF language model as a source of per-token statistics.

    Every window of a text starts with the begin token, so that the first real token has a value too.

    Parameters
    ----------
    path : str or Path
        A Llama-family GGUF file; it is mapped into memory, not read.
    name : str
        Its role: ``weak`` or ``strong``.
    wanted : Placement, optional
        Where to compute: on graphics cards where there are any, by default.
    n_threads : int, optional
        Threads, all cores by default; moves no score.
    n_ctx : int, tokens, optional
        Length of a window; what the model was trained with, at most `MAX_CONTEXT`, by default.
    original : Path, optional
        The file of which ``path`` is a form within the tolerance: its digest is the model's, whatever the
        form and the CPU path.
    outputs : Outputs, optional
        What is read beside the statistics; nothing by default. It moves no other number, so it is no part
        of the fingerprint.

    Raises
    ------
    SettingError
        When ``n_ctx`` or ``n_threads`` is out of range, or a card is wanted that is not there.
    ModelError
        When the file is missing, damaged or no Llama-family model.
    """

    def __init__(
        self,
        path: str | Path,
        name: str,
        *,
        wanted: Placement | None = None,
        n_threads: int | None = None,
        n_ctx: int | None = None,
        original: Path | None = None,
        outputs: Outputs = NOTHING_MORE,
    ) -> None:
        self.name = name
        self.file = check_model(path)
        outputs.check(path, self.file.n_layers)
        self.outputs = outputs
        self.n_context = min(self.file.context, MAX_CONTEXT) if n_ctx is None else n_ctx
        if not MIN_CONTEXT <= self.n_context <= self.file.context:
            raise SettingError(
                f"n_ctx={self.n_context} for {path}; "
                f"expected {MIN_CONTEXT} to {self.file.context} tokens, the most it was trained with"
            )
        self.n_threads = usable_cores() if n_threads is None else n_threads
        if self.n_threads < 1:
            raise SettingError(f"n_threads={n_threads}; expected 1 or more")
        self.original = original
        self.digest = file_digest(original or path)
        self.tokenizer = self.file.tokenizer
        small = self.file.n_parameters <= SMALL_MODEL
        n_contexts = MAX_CARD_LANES if small else 1
        layers = outputs.state_layers
        loaded = load_model(self.file, self.n_context, n_contexts, wanted or placement(), layers)
        self.weights, self._contexts = loaded.weights, list(loaded.contexts)
        self.n_gpu_layers, self.device, self.cpu_path = loaded.gpu_layers, loaded.device, loaded.cpu_path
        if small:
            self.max_lanes = MAX_CARD_LANES if self.n_gpu_layers else MAX_LANES
        elif self.file.n_parameters <= MEDIUM_MODEL and not self.n_gpu_layers:
            self.max_lanes = MAX_MEDIUM_LANES
        else:
            self.max_lanes = 1
        self.lock = RLock()

    @property
    def fingerprint(self) -> str:
        """Digest of the file and of every setting that moves a score; see `fingerprint_of`."""
        return self._fingerprint(self.cpu_path)

    @property
    def other_path(self) -> tuple[CpuPath, str]:
        """The CPU path not taken, and the fingerprint this model would have on it."""
        other: CpuPath = "safe" if self.cpu_path == "fast" else "fast"
        return other, self._fingerprint(other)

    def _fingerprint(self, cpu_path: CpuPath) -> str:
        path = None if self.original else cpu_path
        return fingerprint_of(self.digest, self.n_context, decode_tokens(self.file.n_vocabulary), path)

    def describe(self) -> dict[str, object]:
        """Facts about the model, for JSON."""
        return {
            "role": self.name,
            "file": (self.original or self.file.path).name,
            "digest": self.digest,
            "size_bytes": self.file.n_bytes,
            "architecture": self.file.architecture,
            "parameters": self.file.n_parameters,
            "quantisation": self.file.quantisation,
            "context": self.file.context,
            "window": self.n_context,
            "vocabulary": self.file.n_vocabulary,
            "tokenizer": self.file.tokenizer,
            "gpu_layers": self.n_gpu_layers,
            "device": self.device,
            "cpu_path": self.cpu_path,
        }

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

    def state_pool(self, tokens: Tokens, plan: Int64) -> StatePool | None:
        """Where the outputs of the wanted layers are put together; None where none are wanted."""
        if not self.outputs.state_layers:
            return None
        return StatePool(tokens, plan, self.outputs, self.weights.width)

    def contexts(self, n_lanes: int, n_threads: int) -> list[Context]:
        """The first ``n_lanes`` contexts, kept for the next call."""
        with self.lock:
            while len(self._contexts) < n_lanes:
                layers = self.outputs.state_layers
                self._contexts.append(Context(self.weights, self.n_context, layers))
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
    n_lanes = max(1, min(len(plan), n_threads, *(model.max_lanes for model in models)))
    small = all(model.file.n_parameters <= SMALL_MODEL for model in models)
    threads_a_lane = 1 if small else n_threads // n_lanes
    extra = any(model.outputs.extra_channels for model in models)
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
                [
                    TokenStatistics(names, models[0].file.n_vocabulary, extra=extra)
                    for _ in range(threads_a_lane)
                ],
                helpers,
            )
            for readers in zip(*contexts, strict=True)
        ]
        pools = [model.state_pool(tokens, plan) for model in models]
        out = stream(lanes, tokens, plan, models[0].file.begin, pools, progress)
        channels = lanes[0].reducers[0].channels
    return [
        TokenScores(
            dict(zip(channels, values, strict=True)),
            tokens.ends,
            tokens.offsets,
            None if pool is None else pool.states(),
        )
        for values, pool in zip(out, pools, strict=True)
    ]
