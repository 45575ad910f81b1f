"""Kneser-Ney unigram and trigram language models over the tokens of a GGUF model.

A model is a folder of plain ``.npy`` arrays, read by memory map, and a ``meta.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float32, Float64, Int32, Int64
from ghostbuster.errors import InputError, ModelError, SettingError
from ghostbuster.models.ngram.store import (
    Counts,
    Shape,
    UnsignedArray,
    damaged,
    read_array,
    read_counts,
    read_meta,
)

ORDERS = (1, 3)


@dataclass(frozen=True, slots=True)
class Level:
    """One order of the model: counts, and the back-off weight of each context.

    Parameters
    ----------
    stored : Counts
    backoff : (n_contexts,)
        Back-off weight: the share of the probability that the lower order distributes. An n-gram that
        was pruned counts as never seen, but its context's total includes it: its whole share goes to
        the lower order, and the probabilities after a context still sum to one.
    """

    stored: Counts
    backoff: Float64

    @classmethod
    def of(cls, stored: Counts, shape: Shape) -> Self:
        """Compute the back-off weight of each context.

        Raises
        ------
        ModelError
            When more tokens followed a context than it was seen.
        """
        rows = (stored.keys // stored.keys.dtype.type(shape.n_vocab)).astype(np.int64)
        weights = stored.counts - shape.discount
        discounted = np.bincount(rows, weights=weights, minlength=len(stored.contexts))
        backoff = 1.0 - discounted / stored.totals
        if (backoff < 0).any():
            raise ModelError(
                "n-gram counts are damaged: more after a context than it was seen; get them again"
            )
        return cls(stored, backoff)

    def interpolate(self, context: Int64, ids: Int64, lower: Float64, shape: Shape) -> Float64:
        """Probability of each token after its context; (n_tokens,) all of them.

        P(w|h) = (c(h, w) - d) / c(h) + d types(h) / c(h) P_lower(w); an unseen context gives P_lower.
        """
        if not len(self.stored.keys):
            return lower
        row, seen = _find(self.stored.contexts, context)
        at, counted = _find(self.stored.keys, row * shape.n_vocab + ids)
        counted &= seen
        probability = lower * np.where(seen, self.backoff[row], 1.0)
        share = (self.stored.counts[at] - shape.discount) / self.stored.totals[row]
        return probability + np.where(counted, share, 0.0)


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A Kneser-Ney unigram base under bigrams and trigrams with interpolated absolute discounting.

    Parameters
    ----------
    tokenizer : str
        Digest of the vocabulary that the counts are over (see ``vocabulary_digest``).
    shape : Shape
    unigram : float64 array of shape (n_vocab,)
        Sums to one.
    bigram, trigram : Level

    References
    ----------
    Ney, Essen, Kneser, "On structuring probabilistic dependences in stochastic language modelling",
    Computer Speech and Language 8 (1994); Kneser and Ney, ICASSP 1995, for the unigram base. The
    order, the discount of 0.9 and the padding are Ghostbuster's: Verma et al., NAACL 2024,
    arXiv:2305.15047.
    """

    tokenizer: str
    shape: Shape
    unigram: Float64
    bigram: Level
    trigram: Level

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Open the model in ``folder``; its arrays are mapped, not read.

        Raises
        ------
        ModelError
            When a file is missing or damaged, or of another schema.
        """
        folder = Path(folder)
        tokenizer, shape = read_meta(folder / "meta.json")
        neighbours = read_array(folder / "unigram.npy")
        if neighbours.shape != (shape.n_vocab,) or not neighbours.any():
            raise ModelError(damaged(folder / "unigram.npy", f"counts of {shape.n_vocab} pieces"))
        bigram, trigram = (
            Level.of(read_counts(folder, name, shape), shape) for name in ("bigram", "trigram")
        )
        return cls(tokenizer, shape, kneser_ney_base(neighbours), bigram, trigram)

    def logprob(self, ids: Int32, offsets: Int64, order: int = 3) -> Float32:
        """Log-probability of every token of many texts, each text on its own.

        Parameters
        ----------
        ids : int array of shape (n_tokens,)
            The texts' tokens one after the other, without begin-of-text ids.
        offsets : int array of shape (n_texts + 1,)
            Text ``i`` owns ``ids[offsets[i]:offsets[i + 1]]``.
        order : {1, 3}
            1 for the unigram base, 3 for the trigram.

        Returns
        -------
        float32 array of shape (n_tokens,), nats

        Raises
        ------
        SettingError
            When ``order`` is neither 1 nor 3.
        InputError
            When an id is outside the vocabulary, or the offsets do not cover the ids.
        """
        if order not in ORDERS:
            raise SettingError(f"order {order}: expected 1 (unigram) or 3 (trigram)")
        tokens = np.asarray(ids, dtype=np.int64)
        ends = np.asarray(offsets, dtype=np.int64)
        self._check(tokens, ends)
        probability = self.unigram[tokens]
        if order > 1:
            starts = ends[:-1][ends[:-1] < ends[1:]]
            before = _previous(tokens, starts, self.shape.bos)
            earlier = _previous(before, starts, self.shape.bos)
            probability = self.bigram.interpolate(before, tokens, probability, self.shape)
            context = earlier * self.shape.n_vocab + before
            probability = self.trigram.interpolate(context, tokens, probability, self.shape)
        return np.minimum(np.log(probability), 0.0).astype(np.float32)

    def _check(self, tokens: Int64, ends: Int64) -> None:
        """Refuse ids and offsets that are out of range."""
        if tokens.ndim != 1 or ends.ndim != 1 or not len(ends):
            raise InputError("ids and offsets must be flat, offsets one longer than the number of texts")
        if ends[0] != 0 or ends[-1] != len(tokens) or (np.diff(ends) < 0).any():
            raise InputError(f"offsets must rise from 0 to the number of tokens, {len(tokens)}")
        wrong = np.flatnonzero((tokens < 0) | (tokens >= self.shape.n_vocab))
        if len(wrong):
            raise InputError(
                f"token {wrong[0]} has id {tokens[wrong[0]]}; this vocabulary ends at "
                f"{self.shape.n_vocab - 1}: tokenise with the tokenizer of the n-grams"
            )


def kneser_ney_base(neighbours: UnsignedArray) -> Float64:
    """Unigram probabilities from the number of distinct left neighbours of each token.

    A token without any gets 1 / n_vocab, as Ghostbuster has it; then all are divided by their sum,
    so that they sum to one with such tokens too.

    Parameters
    ----------
    neighbours : unsigned array of shape (n_vocab,)

    Returns
    -------
    float64 array of shape (n_vocab,)
    """
    shares = neighbours / neighbours.sum(dtype=np.float64)
    shares = np.where(neighbours > 0, shares, 1.0 / len(neighbours))
    base: Float64 = shares / shares.sum()
    return base


def _previous(tokens: Int64, starts: Int64, bos: int) -> Int64:
    """The token before each token; ``bos`` before a text's first."""
    before = np.roll(tokens, 1)
    before[starts] = bos
    return before


def _find(keys: UnsignedArray, wanted: Int64) -> tuple[Int64, npt.NDArray[np.bool_]]:
    """Index of each wanted number among the sorted keys, and whether it is there."""
    # one dtype on both sides: else searchsorted copies the mapped keys
    fits = wanted <= np.iinfo(keys.dtype).max
    sought = np.where(fits, wanted, 0).astype(keys.dtype)
    at = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return at, (keys[at] == sought) & fits
