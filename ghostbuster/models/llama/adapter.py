"""Read texts under a language model that a GGUF adapter changes: mean states, or the odds of two answers.

The pass is the adapter's own: what it changes in the first layers moves all that follows. It gives no
statistics of tokens, so that no logits are worked out, and it ends with the layer that is wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from threading import RLock

import numpy as np

from ghostbuster.arrays import AnyArray, Float32, Int32, Progress, TokenScores
from ghostbuster.hidden_states import BLOCK_TOKENS, HiddenStates
from ghostbuster.models.gguf.adapter import AdapterFile, check_fits
from ghostbuster.models.llama.language_model import SLIDING, WINDOW_CONTEXTS, LlamaLM
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.llama.runtime import Context
from ghostbuster.models.llama.state_pooling import StatePool
from ghostbuster.models.llama.streaming import Lane, stream, windows
from ghostbuster.models.llama.tokens import Tokens
from ghostbuster.models.sandbox.load_check import check_loads

NAME = "adapter"
"""The source's name."""
ANSWER_TOKENS = 512
"""Tokens of a text that one answer is about: longer texts are asked of part by part. Whole blocks."""
VERSION = 1  # raise it when a change moves any number of these


class NoStatistics:
    """What stands in the place of a reduction of logits where there are none."""

    names = (NAME,)
    channels: tuple[str, ...] = ()

    def __init__(self, n_vocabulary: int) -> None:
        self.n_vocabulary = n_vocabulary

    def __call__(
        self, logits: Sequence[Float32], read: Int32, targets: Int32, out: Sequence[Float32]
    ) -> None:
        """Do nothing."""


class AdapterLM:
    """A language model under an adapter, as a source of states.

    Parameters
    ----------
    base : LlamaLM
        The model that the adapter was made for; its weights are shared.
    file : AdapterFile

    Attributes
    ----------
    layer : int
        Whose states are read.
    fingerprint : str
        Digest of everything that moves its numbers.
    tokenizer : str

    Raises
    ------
    ModelError
        When the adapter is another model's, or llama.cpp cannot read it.
    """

    def __init__(self, base: LlamaLM, file: AdapterFile) -> None:
        check_fits(file, base.file, base.digest)
        check_loads(base.file, file)
        self.base, self.file, self.weights = base, file, base.weights
        self.layer = file.n_layers - 1
        self.tokenizer = base.tokenizer
        self._handle = base.weights.load_adapter(file)
        self._contexts: list[Context] = []
        self._lock = RLock()
        moved_by = f"{file.digest} {base.fingerprint} adapter={VERSION}"
        self.fingerprint = hashlib.sha256(moved_by.encode()).hexdigest()

    def score(self, tokens: Tokens, progress: Progress | None = None) -> TokenScores:
        """States of texts under the adapter; no channel.

        Parameters
        ----------
        tokens : Tokens
            Of the base model's vocabulary.
        progress : callable, optional
            Called with tokens read, and all.

        Raises
        ------
        ModelError
            When llama.cpp fails to decode.
        """
        with self._lock:
            states = self._odds(tokens, progress) if self.file.answers else self._means(tokens, progress)
        return TokenScores({}, tokens.ends, tokens.offsets, states)

    def describe(self) -> dict[str, object]:
        """Facts about the adapter, for JSON."""
        return {
            "role": NAME,
            "file": self.file.path.name,
            "digest": self.file.digest,
            "size_bytes": self.file.n_bytes,
            "architecture": self.file.architecture,
            "base": self.file.base,
            "reads": self.file.reads,
            "layers": self.file.n_layers,
            "rank": self.file.rank,
            "tokenizer": self.tokenizer,
        }

    def close(self) -> None:
        """Free the contexts; the weights are the base model's."""
        with self._lock:
            for context in self._contexts:
                context.close()
            self._contexts.clear()

    def _means(self, tokens: Tokens, progress: Progress | None) -> HiddenStates:
        """Mean states of texts and of their blocks."""
        base = self.base
        context = base.n_context
        overlap = context // 2
        slide = base.file.architecture in SLIDING
        plan = windows(tokens.offsets, WINDOW_CONTEXTS * context + overlap if slide else context, overlap)
        n_lanes = max(1, min(len(plan), base.n_threads, base.max_lanes))
        nothing = NoStatistics(base.file.n_vocabulary)
        lanes = [
            Lane([one], context, [nothing], states_only=True)
            for one in self._ready(n_lanes, max(1, base.n_threads // n_lanes))
        ]
        outputs = Outputs(state_layers=(self.layer,), block_layers=(self.layer,))
        pool = StatePool(tokens, plan, outputs, self.weights.width)
        stream(lanes, tokens, plan, base.file.begin, [pool], progress)
        return pool.states()

    def _ready(self, n: int, n_threads: int) -> list[Context]:
        """The first ``n`` contexts, kept for the next call."""
        layers = () if self.file.answers else (self.layer,)
        while len(self._contexts) < n:
            self._contexts.append(Context(self.weights, self.base.n_context, layers, adapter=self._handle))
        for context in self._contexts[:n]:
            context.set_threads(n_threads)
        return self._contexts[:n]

    def _odds(self, tokens: Tokens, progress: Progress | None) -> HiddenStates:
        """Log-odds of the machine's answer: a state of one number; a block has those of its part."""
        (context,) = self._ready(1, self.base.n_threads)
        room = self.base.n_context - 1 - len(self.file.suffix)
        width = max(BLOCK_TOKENS, min(ANSWER_TOKENS, room) // BLOCK_TOKENS * BLOCK_TOKENS)
        means, blocks, counts, ends = [], [], [], []
        for text in range(tokens.offsets.size - 1):
            first, stop = int(tokens.offsets[text]), int(tokens.offsets[text + 1])
            said, sizes = [0.0], [1 if first == stop else 0]
            for start in range(first, stop, width):
                part = tokens.ids[start : min(start + width, stop)]
                said.append(self._ask(context, part[:room]))
                sizes.append(part.size)
                if progress is not None:
                    progress(start + part.size, tokens.ids.size)
            means.append(float(np.average(said, weights=sizes)))
            edges = np.arange(first, stop, BLOCK_TOKENS)
            last = np.minimum(edges + BLOCK_TOKENS, stop)
            blocks.append(np.asarray(said[1:])[(edges - first) // width])
            counts.append(last - edges)
            ends.append(tokens.ends[last - 1])
        return _one_number(self.layer, means, blocks, counts, ends)

    def _ask(self, context: Context, part: Int32) -> float:
        """Log-odds of the machine's answer after one part of a text."""
        ids = np.concatenate(([self.base.file.begin], part, self.file.suffix)).astype(np.int32)
        context.clear()
        logits = context.read_last(ids)
        human, machine = self.file.answers
        return float(logits[machine]) - float(logits[human])


def _one_number(
    layer: int,
    means: Sequence[float],
    blocks: Sequence[AnyArray],
    counts: Sequence[AnyArray],
    ends: Sequence[AnyArray],
) -> HiddenStates:
    """Numbers of texts and of their blocks as states of width 1."""
    none = np.empty(0, np.int32)
    layers = np.array([layer], np.int32)
    return HiddenStates(
        layers,
        np.asarray(means, np.float16).reshape(-1, 1, 1),
        layers,
        np.concatenate([none, *blocks]).astype(np.float16).reshape(-1, 1, 1),
        np.concatenate([none, *counts]).astype(np.int32),
        np.concatenate([none, *ends]).astype(np.int32),
        np.cumsum([0, *(one.size for one in counts)], dtype=np.int64),
    )
