"""Pool layers' outputs: sums over windows become means of texts and of their blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float64, Int64
from ghostbuster.hidden_states import BLOCK_TOKENS, HiddenStates
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.llama.tokens import Tokens

BlockSums = tuple[int, Float64]
"""First block, and sums of shape (n_blocks, n_layers, width) over one window's counted tokens."""

_LARGEST = float(np.finfo(np.float16).max)


class StatePool:
    """Hidden states of many texts under one model, put together as windows come in, in any order.

    Parameters
    ----------
    tokens : Tokens
    plan : array of shape (n_windows, 3)
        From `streaming.windows`.
    outputs : Outputs
    width : int
        Numbers a token and layer.
    """

    def __init__(self, tokens: Tokens, plan: Int64, outputs: Outputs, width: int) -> None:
        self._outputs = outputs
        self._tokens = tokens
        n_states = np.maximum(np.diff(tokens.offsets) - 1, 0)
        self._n_states = n_states
        self._offsets = np.concatenate(([0], np.cumsum(-(-n_states // BLOCK_TOKENS))))
        self._of_window = np.searchsorted(tokens.offsets, plan[:, 0], side="right") - 1
        self._missing = np.bincount(self._of_window, minlength=n_states.size)
        self._waiting: dict[int, dict[int, BlockSums]] = {}
        kept = np.isin(outputs.state_layers, outputs.block_layers)
        self._block_places = np.flatnonzero(kept)
        self._means = np.zeros((n_states.size, len(outputs.state_layers), width), np.float16)
        self._blocks = np.zeros((int(self._offsets[-1]), len(outputs.block_layers), width), np.float16)

    def add(self, window: int, sums: BlockSums) -> None:
        """Take one window's sums; with the last of its text the means are made, always in one order."""
        text = int(self._of_window[window])
        waiting = self._waiting.setdefault(text, {})
        waiting[window] = sums
        if len(waiting) == self._missing[text]:
            self._finish(text, [waiting[key] for key in sorted(waiting)])
            del self._waiting[text]

    def _finish(self, text: int, windows: Sequence[BlockSums]) -> None:
        """Means of one text and its blocks."""
        n_blocks = int(self._offsets[text + 1] - self._offsets[text])
        if n_blocks == 0:
            return
        total = np.zeros((n_blocks, *windows[0][1].shape[1:]))
        for first, sums in windows:
            total[first : first + len(sums)] += sums
        counts = _counts(int(self._n_states[text]))
        self._means[text] = _half(total.sum(axis=0) / counts.sum())
        owned = slice(self._offsets[text], self._offsets[text + 1])
        self._blocks[owned] = _half(total[:, self._block_places] / counts[:, None, None])

    def states(self) -> HiddenStates:
        """All texts' states, once every window has come in."""
        tokens = self._tokens
        counts = [_counts(n) for n in self._n_states.tolist()]
        ends = [
            tokens.ends[start - 1 + np.cumsum(of_text)]
            for start, of_text in zip(tokens.offsets[:-1].tolist(), counts, strict=True)
        ]
        empty = np.empty(0, np.int32)
        return HiddenStates(
            np.array(self._outputs.state_layers, np.int32),
            self._means,
            np.array(self._outputs.block_layers, np.int32),
            self._blocks,
            np.concatenate([empty, *counts]).astype(np.int32),
            np.concatenate([empty, *ends]).astype(np.int32),
            self._offsets,
        )


def _counts(n_states: int) -> npt.NDArray[np.int64]:
    """Tokens of each block of a text."""
    full, rest = divmod(n_states, BLOCK_TOKENS)
    return np.array([BLOCK_TOKENS] * full + [rest] * (rest > 0), np.int64)


def _half(values: Float64) -> npt.NDArray[np.float16]:
    """In half precision; what is larger than it can hold becomes its largest number."""
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float16)
