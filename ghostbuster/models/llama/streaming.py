"""Run long texts through one or two models in overlapping windows; reduce logits to token statistics.

A text's scores depend on its own tokens only: every window is decoded by itself, from an empty cache, in
decodes of one fixed size. Where a window is longer than the context, the older half of what was read slides
out whenever the context is full; the begin token stays, since attention leans on it (arXiv:2309.17453).
Several lanes (a context a model, and buffers) work on windows at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from ghostbuster.arrays import Float32, Int32, Int64, Progress
from ghostbuster.models.llama.layer_outputs import LayerOutputs
from ghostbuster.models.llama.state_pooling import BlockSums, StatePool
from ghostbuster.models.llama.tokens import Tokens

Windows = Int64
DECODE_TOKENS = 512  # another number moves the last digits of log-probs
LARGE_VOCABULARY = (
    40_000  # tokens; from there on half as many are decoded at once: no slower, half the logits
)


def decode_tokens(n_vocabulary: int) -> int:
    """The most tokens a decode, which holds the logits of all: 100 MB for 512 tokens of 49,152 pieces."""
    return DECODE_TOKENS // 2 if n_vocabulary >= LARGE_VOCABULARY else DECODE_TOKENS


def windows(offsets: Int64, length: int, overlap: int) -> Windows:
    """Cut each text into windows of at most ``length`` tokens.

    Window 0 of a text scores all its tokens. Every later one begins ``overlap`` tokens before the end of its
    predecessor; those are read and not scored. A text's windows depend on nothing but its own length.

    Parameters
    ----------
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns tokens ``offsets[i]:offsets[i + 1]``.
    length : int, tokens, at least 2
        The begin token takes the place of the last token, which is predicted but never read.
    overlap : int, tokens, less than ``length``

    Returns
    -------
    array of shape (n_windows, 3)
        ``start`` (first token read), ``scored`` (first token scored), ``stop``; text after text.
    """
    step = length - overlap
    lengths = np.diff(offsets)
    counts = np.where(lengths > length, 1 + -(-(lengths - length) // step), lengths > 0)
    of_text = np.repeat(np.arange(lengths.size), counts)
    nth = np.arange(of_text.size) - np.repeat(np.cumsum(counts) - counts, counts)
    start = offsets[of_text] + nth * step
    stop = np.minimum(start + length, offsets[of_text + 1])
    return np.column_stack([start, start + np.where(nth > 0, overlap, 0), stop])


class Reducer(Protocol):
    """What logits are reduced to, position by position."""

    @property
    def names(self) -> Sequence[str]:
        """Models whose logits are reduced."""
        ...

    @property
    def channels(self) -> Sequence[str]:
        """Numbers that are made of each position."""
        ...

    @property
    def n_vocabulary(self) -> int:
        """Logits a position."""
        ...

    def __call__(
        self, logits: Sequence[Float32], read: Int32, targets: Int32, out: Sequence[Float32]
    ) -> None:
        """Fill ``out`` from logits."""
        ...


class Reader(Protocol):
    """A context of one model: reads tokens in order, gives logits and perhaps its layers' outputs."""

    layer_outputs: LayerOutputs | None

    def clear(self) -> None:
        """Forget what was read."""
        ...

    def slide(self, n_tokens: int) -> None:
        """Forget the oldest ``n_tokens`` after the begin token; what follows moves up."""
        ...

    def read(self, ids: Int32, position: int, wanted_from: int) -> Float32:
        """Logits (n - wanted_from, n_vocabulary) after tokens from ``wanted_from`` on, until read again."""
        ...


@dataclass(frozen=True)
class _Scored:
    """What came of one window beside its channels."""

    row: int
    n_scored: int
    sums: list[BlockSums | None]


class Lane:
    """What one worker needs: a reader of each model and the buffers of the reduction.

    Parameters
    ----------
    readers : sequence of Reader, one a model
    n_context : int, tokens
        What the readers can hold.
    reducers : sequence of Reducer
        Equal ones: they share the positions of a decode, each on a thread of its own.
    helpers : Executor, optional
        Runs all reducers but the first; wanted with more than one.
    states_only : bool
        Whether no logits are wanted: the readers' layers say it all.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        n_context: int,
        reducers: Sequence[Reducer],
        helpers: Executor | None = None,
        *,
        states_only: bool = False,
    ) -> None:
        self.readers = tuple(readers)
        self._n_context = n_context
        self._n_decode = decode_tokens(reducers[0].n_vocabulary)
        self.reducers = tuple(reducers) if helpers is not None else tuple(reducers[:1])
        self._helpers = helpers
        self._states_only = states_only

    def score(self, inputs: Int32, targets: Int32, out: Sequence[Float32], before: int = -1) -> None:
        """Score the last ``targets.size`` positions of one window.

        Parameters
        ----------
        inputs : array of shape (n,)
            The begin token and every token of the window but the last.
        targets : array of shape (n_scored,), n_scored <= n
        out : per model an array of shape (n_channels, n_scored)
        before : int
            Number in its text of the token in whose place the begin token stands, for hidden states.
        """
        skipped = inputs.size - targets.size
        start = held = 0
        for reader in self.readers:
            reader.clear()
            if reader.layer_outputs is not None:
                reader.layer_outputs.begin(before + max(skipped, 1), before + inputs.size)
        while start < inputs.size:
            if held == self._n_context:
                held -= self._n_context // 2
                for reader in self.readers:
                    reader.slide(self._n_context // 2)
            ids = inputs[start : start + min(self._n_decode, self._n_context - held)]
            first = max(start, skipped)
            wanted_from = ids.size if self._states_only else min(first - start, ids.size)
            for reader in self.readers:
                if reader.layer_outputs is not None:
                    not_counted = min(max(first, 1) - start, ids.size)
                    reader.layer_outputs.expect(before + start, not_counted, ids.size, wanted_from)
            logits = [reader.read(ids, held, wanted_from) for reader in self.readers]
            if wanted_from < ids.size:
                rows = slice(first - skipped, start + ids.size - skipped)
                shares = [channels[:, rows] for channels in out]
                self._reduce(logits, ids[wanted_from:], targets[rows], shares)
            start, held = start + ids.size, held + ids.size

    def block_sums(self) -> list[BlockSums | None]:
        """Of each model the sums of its layers' outputs over the window just scored, where wanted."""
        tapped = [reader.layer_outputs for reader in self.readers]
        return [None if one is None else (one.first_block, one.sums) for one in tapped]

    def _reduce(self, logits: Sequence[Float32], read: Int32, targets: Int32, out: Sequence[Float32]) -> None:
        """Share the positions among the reducers: none depends on its neighbours."""
        bounds = np.linspace(0, targets.size, len(self.reducers) + 1).astype(int).tolist()
        shares = [
            ([x[a:b] for x in logits], read[a:b], targets[a:b], [channels[:, a:b] for channels in out])
            for a, b in pairwise(bounds)
        ]
        others = [
            self._helpers.submit(reducer, *share)
            for reducer, share in zip(self.reducers[1:], shares[1:], strict=True)
            if self._helpers is not None
        ]
        try:
            self.reducers[0](*shares[0])
        finally:
            wait(others)  # nobody reads logits once this returns
        for other in others:
            other.result()


def stream(
    lanes: Sequence[Lane],
    tokens: Tokens,
    plan: Windows,
    begin: int,
    pools: Sequence[StatePool | None],
    progress: Progress | None = None,
) -> list[Float32]:
    """Score every window of the plan.

    Parameters
    ----------
    lanes : sequence of Lane
        One worker each; all over the same models.
    tokens : Tokens
        Of all texts, without begin tokens.
    plan : array of shape (n_windows, 3)
        From `windows`.
    begin : int
        The token that every window starts with.
    pools : per model a StatePool, or None
        Filled with its layers' outputs.
    progress : callable, optional
        Called with scored and all tokens, in the caller's thread.

    Returns
    -------
    per model an array of shape (n_channels, n_tokens), float32
    """
    reducer = lanes[0].reducers[0]
    ids = tokens.ids
    out = [np.empty((len(reducer.channels), ids.size), np.float32) for _ in reducer.names]
    first_tokens = tokens.offsets[np.searchsorted(tokens.offsets, plan[:, 0], side="right") - 1]

    def score(lane: Lane, row: int) -> _Scored:
        start, scored, stop = plan[row].tolist()
        inputs = ids[start - 1 : stop - 1].copy() if start else np.concatenate((ids[:1], ids[: stop - 1]))
        inputs[0] = begin
        channels = [channels[:, scored:stop] for channels in out]
        lane.score(inputs, ids[scored:stop], channels, start - 1 - int(first_tokens[row]))
        return _Scored(row, stop - scored, lane.block_sums())

    longest_first = np.argsort(plan[:, 0] - plan[:, 2], kind="stable")
    done = 0
    for window in _spread(lanes, score, iter(longest_first.tolist())):
        for pool, sums in zip(pools, window.sums, strict=True):
            if pool is not None and sums is not None:
                pool.add(window.row, sums)
        done += window.n_scored
        if progress is not None:
            progress(done, ids.size)
    return out


def _spread(
    lanes: Sequence[Lane], score: Callable[[Lane, int], _Scored], rows: Iterator[int]
) -> Iterator[_Scored]:
    """Give every lane one window at a time; yield what came of each as it is done."""
    if len(lanes) == 1:
        yield from (score(lanes[0], row) for row in rows)
        return
    with ThreadPoolExecutor(len(lanes)) as workers:
        running: dict[Future[_Scored], Lane] = {}
        for lane, row in zip(lanes, rows, strict=False):
            running[workers.submit(score, lane, row)] = lane
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                lane = running.pop(future)
                following = next(rows, None)
                if following is not None:
                    running[workers.submit(score, lane, following)] = lane
                yield future.result()
