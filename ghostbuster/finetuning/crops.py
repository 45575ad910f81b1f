"""Which crops a run learns from: pairs of a human and a machine crop of equal length, balanced over sources.

A pair has one length, so that length says nothing. Sources weigh by the square root of their texts: a small
one is heard, and its few texts are not repeated for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Int32
from ghostbuster.finetuning.settings import Settings

Indices = npt.NDArray[np.intp]
BUCKET = 32
"""Pairs whose texts are matched by length, and batches that are filled by length: more waste less."""


@dataclass(frozen=True)
class Crop:
    """``n`` tokens of text ``text`` from token ``start`` on."""

    text: int
    start: int
    n: int


@dataclass(frozen=True)
class LabelledTokens:
    """Texts as tokens, with what is known of them.

    Attributes
    ----------
    ids : sequence of int32 arrays, length n_texts
        Without the begin token.
    y : array of shape (n_texts,), 0 human, 1 machine
    sources : array of shape (n_texts,), str
    """

    ids: Sequence[Int32]
    y: Indices
    sources: npt.NDArray[np.str_]

    def take(self, texts: Indices) -> LabelledTokens:
        """The chosen texts, in the order given."""
        return LabelledTokens([self.ids[i] for i in texts.tolist()], self.y[texts], self.sources[texts])


def paired_crops(texts: LabelledTokens, n_pairs: int, settings: Settings, seed: int) -> list[Crop]:
    """Crops of a human and a machine text in turn, each two of one length.

    Parameters
    ----------
    texts : LabelledTokens
        Each of ``settings.min_tokens`` tokens or more.
    n_pairs : int
    settings : Settings
    seed : int

    Returns
    -------
    list of Crop, length 2 * n_pairs
    """
    rng = np.random.default_rng(seed)
    lengths = np.array([one.size for one in texts.ids])
    decks = [_deck(np.flatnonzero(texts.y == label), texts.sources, n_pairs, rng) for label in (0, 1)]
    crops = []
    for begin in range(0, n_pairs, BUCKET):
        human, machine = (deck[begin : begin + BUCKET] for deck in decks)
        human, machine = (
            members[np.argsort(lengths[members], kind="stable")] for members in (human, machine)
        )
        for h, m in rng.permutation(np.column_stack([human, machine])).tolist():
            wanted = int(rng.integers(settings.min_tokens, settings.max_tokens + 1))
            n = min(wanted, int(lengths[h]), int(lengths[m]))
            crops += [Crop(text, _start(int(lengths[text]), n, rng), n) for text in (h, m)]
    return crops


def _start(length: int, n: int, rng: np.random.Generator) -> int:
    """Every second crop is a text's beginning, as texts are read; the others begin anywhere."""
    return 0 if rng.random() < 0.5 else int(rng.integers(0, length - n + 1))  # noqa: PLR2004


def _deck(members: Indices, sources: npt.NDArray[np.str_], n: int, rng: np.random.Generator) -> Indices:
    """``n`` texts of one class: sources by the root of their size, texts of a source equally often."""
    names, of_text = np.unique(sources[members], return_inverse=True)
    weights = np.sqrt(np.bincount(of_text, minlength=names.size))
    bounds = np.rint(np.cumsum(weights) / weights.sum() * n).astype(int)
    drawn = []
    for source, wanted in enumerate(np.diff(bounds, prepend=0).tolist()):
        own = members[of_text == source]
        rounds = [rng.permutation(own) for _ in range(-(-wanted // own.size))]
        drawn.append(np.concatenate([np.empty(0, np.intp), *rounds])[:wanted].astype(np.intp))
    return np.asarray(rng.permutation(np.concatenate(drawn)), dtype=np.intp)


def batches(crops: Sequence[Crop], batch_tokens: int, seed: int) -> list[list[Crop]]:
    """Crops of like lengths side by side, at most ``batch_tokens`` a batch with padding; pairs stay together.

    Parameters
    ----------
    crops : sequence of Crop, even length
        Pairs of equal length, one after another.
    batch_tokens : int
    seed : int
        Of the batches' order.
    """
    pairs = [crops[i : i + 2] for i in range(0, len(crops), 2)]
    rng = np.random.default_rng(seed)
    most_pairs = max(1, batch_tokens // max(2 * pair[0].n for pair in pairs)) * BUCKET
    made: list[list[Crop]] = []
    for begin in range(0, len(pairs), most_pairs):
        group: list[list[Crop]] = []
        batch: list[Crop] = []
        for pair in sorted(pairs[begin : begin + most_pairs], key=lambda pair: pair[0].n):
            if batch and (len(batch) + 2) * pair[0].n > batch_tokens:
                group.append(batch)
                batch = []
            batch = [*batch, *pair]
        group.append(batch)
        made += [group[i] for i in rng.permutation(len(group)).tolist()]
    return made


def inputs_of(
    texts: LabelledTokens, crops: Sequence[Crop], begin: int, suffix: Sequence[int] = ()
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """What the network reads, and which states count.

    A crop's last token is not read, and the state of the begin token does not count: so does the engine
    that reads the adapter. With a suffix all is read, and the state at its end alone counts.

    Returns
    -------
    ids : array of shape (n_crops, longest)
        The begin token and all of a crop but its last token; padded at the end, where a causal model does
        not see it.
    counted : array of shape (n_crops, longest)
    """
    if suffix:
        return _asked(texts, crops, begin, suffix)
    longest = max(crop.n for crop in crops)
    ids = np.full((len(crops), longest), begin, np.int64)
    counted = np.zeros(ids.shape, bool)
    for row, crop in enumerate(crops):
        ids[row, 1 : crop.n] = texts.ids[crop.text][crop.start : crop.start + crop.n - 1]
        counted[row, 1 : crop.n] = True
    return ids, counted


def _asked(
    texts: LabelledTokens, crops: Sequence[Crop], begin: int, suffix: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """`inputs_of` with a suffix, after which the answer comes."""
    longest = 1 + max(crop.n for crop in crops) + len(suffix)
    ids = np.full((len(crops), longest), begin, np.int64)
    counted = np.zeros(ids.shape, bool)
    for row, crop in enumerate(crops):
        end = 1 + crop.n
        ids[row, 1:end] = texts.ids[crop.text][crop.start : crop.start + crop.n]
        ids[row, end : end + len(suffix)] = suffix
        counted[row, end + len(suffix) - 1] = True
    return ids, counted
