"""Hidden states of many texts: the mean output of chosen layers over each text and each block of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError
from ghostbuster.frozen import check_offsets, frozen, rows_of

BLOCK_TOKENS = 64
"""Tokens of a block; the last block of a text has what is left."""


@dataclass(frozen=True)
class HiddenStates:
    """Mean outputs of a language model's layers (its residual stream), of whole texts and of their blocks.

    The state of the begin token is left out (attention leans on it, and its state is large and says
    nothing of the text), and so is that of a text's last token, which is predicted but never read. A
    text of one token has none: its means are 0.

    Parameters
    ----------
    layers : array of shape (n_layers,)
        Rising layer numbers, 0 for the first.
    means : float16 array of shape (n_texts, n_layers, width)
    block_layers : array of shape (n_block_layers,)
        The layers that blocks are kept of.
    blocks : float16 array of shape (n_blocks, n_block_layers, width)
    counts : array of shape (n_blocks,)
        Tokens that each block is the mean of: `BLOCK_TOKENS`, or fewer in a text's last block.
    ends : array of shape (n_blocks,)
        End of each block's last token, in characters of its prepared text.
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns blocks ``offsets[i]:offsets[i + 1]``.

    Raises
    ------
    InputError
        When shapes do not fit, layers do not rise, or a number is not finite.
    """

    layers: npt.NDArray[np.integer]
    means: npt.NDArray[np.float16]
    block_layers: npt.NDArray[np.integer]
    blocks: npt.NDArray[np.float16]
    counts: npt.NDArray[np.integer]
    ends: npt.NDArray[np.integer]
    offsets: npt.NDArray[np.integer]

    def __post_init__(self) -> None:
        for name, n_dimensions in _DIMENSIONS.items():
            object.__setattr__(self, name, frozen(getattr(self, name), name, n_dimensions))
        n_blocks = self.blocks.shape[0]
        check_offsets(self.offsets, n_blocks)
        expected = {
            "means": (self.offsets.size - 1, self.layers.size, self.means.shape[2]),
            "blocks": (n_blocks, self.block_layers.size, self.means.shape[2]),
            "counts": (n_blocks,),
            "ends": (n_blocks,),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise InputError(f"hidden states: {name} has shape {found}; expected {shape}")
        for name in ("means", "blocks"):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(f"hidden states: {name} holds NaN or infinity; expected finite numbers only")
        for name in ("layers", "block_layers"):
            if np.any(np.diff(getattr(self, name)) <= 0):
                raise InputError(f"hidden states: {name} is {getattr(self, name)}; expected rising numbers")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), tuple(getattr(self, name) for name in _DIMENSIONS)

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.size - 1

    def take(self, texts: npt.ArrayLike) -> HiddenStates:
        """The chosen texts, in the order given."""
        rows, offsets = rows_of(self.offsets, texts)
        return HiddenStates(
            self.layers,
            self.means[np.asarray(texts, dtype=np.intp)],
            self.block_layers,
            self.blocks[rows],
            self.counts[rows],
            self.ends[rows],
            offsets,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[HiddenStates]) -> HiddenStates:
        """All texts of ``parts``, one after another; every part has the same layers.

        Raises
        ------
        InputError
            When there is no part, or their layers differ.
        """
        if not parts:
            raise InputError("nothing to concatenate; expected at least one HiddenStates")
        first = parts[0]
        for part in parts:
            for name in ("layers", "block_layers"):
                if not np.array_equal(getattr(part, name), getattr(first, name)):
                    raise InputError(
                        f"hidden states of {name} {getattr(part, name)} and {getattr(first, name)}; "
                        "expected the same in every part: score the texts again"
                    )
        lengths = [np.diff(part.offsets) for part in parts]
        return cls(
            first.layers,
            np.concatenate([part.means for part in parts]),
            first.block_layers,
            np.concatenate([part.blocks for part in parts]),
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate(([0], np.cumsum(np.concatenate(lengths)))),
        )

    def means_of(self, layers: Sequence[int]) -> npt.NDArray[np.float32]:
        """Means of the chosen layers, shape (n_texts, len(layers), width).

        Raises
        ------
        InputError
            When one of them was not kept.
        """
        return self.means[:, _places(self.layers, layers)].astype(np.float32)

    def passage_means(
        self, text: int, passages: Sequence[tuple[int, int]], layers: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """Means over passages of one text, from its blocks.

        A block counts with the share of its characters that lie in the passage times its tokens; tokens
        within a block are not told apart.

        Parameters
        ----------
        text : int
        passages : sequence of (start, stop), length n_passages
            In characters of the prepared text.
        layers : sequence of int
            Among ``block_layers``.

        Returns
        -------
        array of shape (n_passages, len(layers), width)
            0 where no block touches a passage.

        Raises
        ------
        InputError
            When a layer has no blocks.
        """
        owned = slice(self.offsets[text], self.offsets[text + 1])
        ends = self.ends[owned].astype(np.float64)
        begins = np.concatenate(([0.0], ends[:-1]))[: ends.size]
        spans = np.asarray(passages, dtype=np.float64).reshape(-1, 2)
        overlap = np.minimum(spans[:, 1:], ends) - np.maximum(spans[:, :1], begins)
        share = np.clip(overlap, 0.0, None) / np.maximum(ends - begins, 1.0)
        weights = share * self.counts[owned]
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        blocks = self.blocks[owned][:, _places(self.block_layers, layers)].astype(np.float64)
        return np.asarray(np.tensordot(weights, blocks, axes=1), dtype=np.float32)

    def of_passages(self, text: int, passages: Sequence[tuple[int, int]]) -> HiddenStates:
        """Passages of one text as texts, without blocks of their own; of the layers that have blocks.

        Parameters
        ----------
        text, passages
            As `passage_means` takes them.
        """
        means = self.passage_means(text, passages, self.block_layers.tolist())
        return HiddenStates.without_blocks(self.block_layers, means)

    @classmethod
    def without_blocks(
        cls, layers: npt.ArrayLike, means: npt.NDArray[np.float16] | npt.NDArray[np.float32]
    ) -> HiddenStates:
        """States of whole texts alone.

        Parameters
        ----------
        layers : array of shape (n_layers,)
        means : array of shape (n_texts, n_layers, width)
        """
        none = np.empty(0, dtype=np.int32)
        return cls(
            np.asarray(layers, dtype=np.int32),
            means.astype(np.float16),
            none,
            np.empty((0, 0, means.shape[2]), dtype=np.float16),
            none,
            none,
            np.zeros(len(means) + 1, dtype=np.int64),
        )


_DIMENSIONS = {
    "layers": 1,
    "means": 3,
    "block_layers": 1,
    "blocks": 3,
    "counts": 1,
    "ends": 1,
    "offsets": 1,
}


def _places(kept: npt.NDArray[np.integer], layers: Sequence[int]) -> npt.NDArray[np.intp]:
    """Where the chosen layers stand among those kept."""
    missing = sorted(set(layers) - set(kept.tolist()))
    if missing:
        raise InputError(f"no hidden states of layers {missing}; expected some of {kept.tolist()}")
    return np.searchsorted(kept, np.asarray(layers, dtype=np.intp))
