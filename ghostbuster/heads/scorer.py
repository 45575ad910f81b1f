"""Raw score of a text: features under a trained head, mixed with the lexicon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d, Float2d, Vectors
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.trained import TrainedHead


@dataclass(frozen=True)
class Scorer:
    """Chosen features, the head trained on them, and the lexicon.

    Attributes
    ----------
    features : tuple of Feature
    head : TrainedHead
    lexicon : Lexicon or None
    mix : tuple of float
        What the head's and the lexicon's log-odds are multiplied by before they are added.
    """

    features: tuple[Feature, ...]
    head: TrainedHead
    lexicon: Lexicon | None = None
    mix: tuple[float, float] = (1.0, 0.0)

    def matrix(self, vectors: Vectors) -> Float2d:
        """Feature values, shape (n_texts, n_features)."""
        return np.asarray(evaluate_all(self.features, vectors), dtype=np.float64)

    def parts(self, matrix: Float2d, texts: Sequence[str]) -> Float2d:
        """Log-odds by head and by lexicon, shape (n_texts, 2)."""
        words = np.zeros(len(texts)) if self.lexicon is None else self.lexicon.raw_score(texts)
        return np.column_stack([self.head.raw_score(matrix), words])

    def raw_score(self, matrix: Float2d, texts: Sequence[str]) -> Float1d:
        """Mixed log-odds, shape (n_texts,)."""
        return mixed(self.parts(matrix, texts), self.mix)


def mixed(parts: Float2d, mix: tuple[float, float]) -> Float1d:
    """Weighted sum of log-odds by head and by lexicon, shape (n_texts,)."""
    total: Float1d = parts[:, 0] * mix[0] + parts[:, 1] * mix[1]
    return total
