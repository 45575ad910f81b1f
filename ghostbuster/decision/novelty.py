"""Out-of-distribution checks: too short, not English, unlike the training texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d
from ghostbuster.reading.read import Reading
from ghostbuster.text.english import FEWEST_ENGLISH, share_of_english
from ghostbuster.text.prepare import PreparedText

QUANTILE = 0.999
"""Share of training texts within each of the two limits."""

MOST_LONE_LETTERS = 0.15
"""Share of words that are one letter, other than "a" and "I", which English prose stays below: 99.9 % of
texts have under 0.09, those with a space after every fifth character 0.17 or more."""
_MOST_TRAINED = 0.99  # the share is looked at where so many training texts exceed it

_LONE_LETTER = re.compile(r"(?<!\S)[\"'(]*[b-zB-HJ-Z][\"').,;:!?]*(?!\S)")

_FARTHEST = 10.0  # a single wild feature must not decide alone
_TINY = 1e-12


def surprise(reading: Reading) -> Float1d:
    """Nats per character under the trigram model, shape (n_texts,); infinite for an empty text.

    Per character, not per token: a tokenizer breaks a foreign language into many short and cheap pieces.
    """
    logprob = np.asarray(reading.vectors.channels["trigram.logprob"], dtype=np.float64)
    offsets = reading.vectors.offsets
    sums = np.zeros(offsets.size - 1)
    filled = np.diff(offsets) > 0
    if filled.any():  # text by text: no last bit may hang on a neighbour
        sums[filled] = np.add.reduceat(logprob, offsets[:-1][filled])
    n_characters = np.array([len(one.text) for one in reading.prepared], dtype=np.float64)
    surprises: Float1d = np.full(sums.shape, np.inf)
    return np.divide(-sums, n_characters, out=surprises, where=n_characters > 0)


def english_share(reading: Reading) -> Float1d:
    """Share of words that are English function words, shape (n_texts,); 0 without a word.

    An n-gram model takes long loan words and names of a related language for English; nobody writes English
    without articles and prepositions.
    """
    return np.array([share_of_english(one.text) for one in reading.prepared], dtype=np.float64)


def lone_letters(reading: Reading) -> Float1d:
    """``share_of_lone_letters`` of each text, shape (n_texts,)."""
    return np.array([share_of_lone_letters(one) for one in reading.prepared], dtype=np.float64)


def share_of_lone_letters(text: PreparedText) -> float:
    """Share of words that are one letter and no English word; 0 without a word.

    Spaces put inside words leave such pieces, and no rule can tell where the words were.
    """
    return len(_LONE_LETTER.findall(text.text)) / max(text.n_words, 1)


@dataclass(frozen=True)
class NoveltyLimits:
    """Out-of-distribution limits, learned from the training texts.

    Attributes
    ----------
    mean, scale : arrays of shape (n_features,)
        Of the training texts' features.
    farthest : float
        Largest root mean square of standardised features among ``QUANTILE`` of the training texts.
    most_surprising : float
        Most nats per character under the trigram model among ``QUANTILE`` of them.
    fewest_english : float
        Least share of English function words; 0 where the training texts are not English.
    """

    mean: Float1d
    scale: Float1d
    farthest: float
    most_surprising: float
    fewest_english: float = 0.0

    @classmethod
    def fit(cls, matrix: AnyArray, surprises: Float1d, english: Float1d | None = None) -> Self:
        """From the training texts' features (n_texts, n_features), ``surprise`` and ``english_share``."""
        mean = matrix.mean(axis=0)
        scale = np.maximum(matrix.std(axis=0), _TINY)
        distances = _distance(matrix, mean, scale)
        is_english = english is not None and np.mean(english >= FEWEST_ENGLISH) >= _MOST_TRAINED
        return cls(
            mean,
            scale,
            float(np.quantile(distances, QUANTILE)),
            float(np.quantile(surprises, QUANTILE)),
            FEWEST_ENGLISH if is_english else 0.0,
        )

    def doubts(
        self,
        matrix: AnyArray,
        surprises: Float1d,
        english: Float1d | None = None,
        lone: Float1d | None = None,
    ) -> list[list[str]]:
        """Reasons not to judge each text; an empty list for one like the training texts.

        Parameters
        ----------
        matrix : array of shape (n_texts, n_features)
        surprises, english, lone : arrays of shape (n_texts,)
            From ``surprise``, ``english_share`` and ``lone_letters``; the last two may be left out.
        """
        distances = _distance(matrix, self.mean, self.scale)
        shares = np.ones(len(matrix)) if english is None else english
        alone = np.zeros(len(matrix)) if lone is None else lone
        return [self._say(*one) for one in zip(distances, surprises, shares, alone, strict=True)]

    def _say(self, distance: float, nats: float, share: float, alone: float) -> list[str]:
        if self.fewest_english and alone >= MOST_LONE_LETTERS:
            reason = (
                f"its words are broken by spaces: {alone:.0%} of them are single letters other than a and I; "
                f"English prose has less than {MOST_LONE_LETTERS:.0%}"
            )
            return [reason]
        if share < self.fewest_english:
            reason = (
                f"not the English prose this detector knows: {share:.0%} of its words are English "
                f"function words (the, of, and ...); English prose has {self.fewest_english:.0%} or more"
            )
            return [reason]
        if nats > self.most_surprising:
            reason = (
                f"not the English prose this detector knows: {nats:.2f} nats per character under its trigram "
                f"model; {QUANTILE:.1%} of its training texts had at most {self.most_surprising:.2f}"
            )
            return [reason]
        if distance > self.farthest:
            reason = (
                f"too unlike the texts it knows: its features lie {distance:.2f} standard "
                f"deviations from theirs (root mean square), those of {QUANTILE:.1%} of them within "
                f"{self.farthest:.2f}"
            )
            return [reason]
        return []

    def state(self) -> dict[str, Any]:
        """Plain containers and arrays, for an artifact."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "farthest": self.farthest,
            "most_surprising": self.most_surprising,
            "fewest_english": self.fewest_english,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``."""
        return cls(
            np.asarray(state["mean"]),
            np.asarray(state["scale"]),
            float(state["farthest"]),
            float(state["most_surprising"]),
            float(state.get("fewest_english", 0.0)),  # the first files have none
        )


def _distance(matrix: AnyArray, mean: Float1d, scale: Float1d) -> Float1d:
    """Root mean square over features of the clipped standardised values, shape (n_texts,)."""
    standard = np.clip((matrix - mean) / scale, -_FARTHEST, _FARTHEST)
    return np.sqrt(np.mean(standard**2, axis=1)) if matrix.shape[1] else np.zeros(len(matrix))


def too_short(n_tokens: Sequence[int], min_tokens: int) -> list[list[str]]:
    """A reason not to judge, for each text below ``min_tokens``."""
    return [
        []
        if n >= min_tokens
        else [f"too short: {n} tokens; this detector judges {min_tokens} or more: give a longer passage"]
        for n in n_tokens
    ]
