"""Is this text like the ones the detector learned from? If not, it should say so instead of guessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ghostbuster.reading import Reading
from ghostbuster.scores import Float1d

QUANTILE = 0.999
"""Share of training texts that count as familiar, for each of the two limits."""

_FARTHEST = 10.0  # a single wild feature must not decide alone
_TINY = 1e-12


def surprise(reading: Reading) -> Float1d:
    """Nats per character under the trigram model, shape (n_texts,); infinite for an empty text.

    Per character, not per token: a tokenizer breaks a foreign language into many short and cheap pieces.
    """
    logprob = np.asarray(reading.vectors.channels["trigram.logprob"], dtype=np.float64)
    sums = np.diff(np.concatenate(([0.0], np.cumsum(logprob)))[reading.vectors.offsets])
    n_characters = np.array([len(one.text) for one in reading.prepared], dtype=np.float64)
    surprises: Float1d = np.full(sums.shape, np.inf)
    return np.divide(-sums, n_characters, out=surprises, where=n_characters > 0)


@dataclass(frozen=True)
class Familiarity:
    """Limits learned from the training texts.

    Attributes
    ----------
    mean, scale : arrays of shape (n_features,)
        Of the training texts' features.
    farthest : float
        Largest root mean square of standardised features among ``QUANTILE`` of the training texts.
    most_surprising : float
        Most nats per character under the trigram model among ``QUANTILE`` of them.
    """

    mean: Float1d
    scale: Float1d
    farthest: float
    most_surprising: float

    @classmethod
    def fit(cls, matrix: np.ndarray[Any, Any], surprises: Float1d) -> Self:
        """From the training texts' features (n_texts, n_features) and ``surprise`` (n_texts,)."""
        mean = matrix.mean(axis=0)
        scale = np.maximum(matrix.std(axis=0), _TINY)
        distances = _distance(matrix, mean, scale)
        return cls(
            mean, scale, float(np.quantile(distances, QUANTILE)), float(np.quantile(surprises, QUANTILE))
        )

    def doubts(self, matrix: np.ndarray[Any, Any], surprises: Float1d) -> list[list[str]]:
        """Reasons to mistrust a judgement, for each text; an empty list for a familiar one."""
        distances = _distance(matrix, self.mean, self.scale)
        return [
            self._say(distance, nats) for distance, nats in zip(distances, np.asarray(surprises), strict=True)
        ]

    def _say(self, distance: float, nats: float) -> list[str]:
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
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``."""
        return cls(
            np.asarray(state["mean"]),
            np.asarray(state["scale"]),
            float(state["farthest"]),
            float(state["most_surprising"]),
        )


def _distance(matrix: np.ndarray[Any, Any], mean: Float1d, scale: Float1d) -> Float1d:
    """Root mean square over features of the clipped standardised values, shape (n_texts,)."""
    standard = np.clip((matrix - mean) / scale, -_FARTHEST, _FARTHEST)
    return np.sqrt(np.mean(standard**2, axis=1)) if matrix.shape[1] else np.zeros(len(matrix))


def too_short(n_tokens: Sequence[int], min_tokens: int) -> list[list[str]]:
    """A doubt for each text below the floor."""
    return [
        []
        if n >= min_tokens
        else [f"too short: {n} tokens; this detector judges {min_tokens} or more: give a longer passage"]
        for n in n_tokens
    ]
