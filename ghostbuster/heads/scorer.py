"""Raw score of a text: what up to three readers say, mixed. Features, words, hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d, Float2d, Vectors
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.state_probe import StateProbe, states_of
from ghostbuster.heads.trained import TrainedHead
from ghostbuster.hidden_states import HiddenStates

READERS = ("features", "words", "states")
"""What can read a text: searched features under a head, the lexicon, the probe of hidden states."""


@dataclass(frozen=True)
class Scorer:
    """Chosen features with the head trained on them; a lexicon and a probe of hidden states beside it.

    Attributes
    ----------
    features : tuple of Feature
    head : TrainedHead
    lexicon : Lexicon or None
    mix : tuple of float
        What each reader's log-odds are multiplied by before they are added, in the order of `READERS`; two
        numbers where there is no probe.
    probe : StateProbe or None
    """

    features: tuple[Feature, ...]
    head: TrainedHead
    lexicon: Lexicon | None = None
    mix: tuple[float, ...] = (1.0, 0.0)
    probe: StateProbe | None = None

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of those it has, in the order of `READERS`."""
        there = (True, self.lexicon is not None, self.probe is not None)
        return tuple(name for name, is_there in zip(READERS, there, strict=True) if is_there)

    @property
    def state_layers(self) -> tuple[int, ...]:
        """Layers whose hidden states it needs; none where it has no probe."""
        return () if self.probe is None else self.probe.layers

    def matrix(self, vectors: Vectors) -> Float2d:
        """Feature values, shape (n_texts, n_features)."""
        return np.asarray(evaluate_all(self.features, vectors), dtype=np.float64)

    def states(self, vectors: Vectors) -> HiddenStates | None:
        """The hidden states that it needs of texts already read; None where it needs none.

        Raises
        ------
        InputError
            When the texts were read without them.
        """
        return None if self.probe is None else states_of(vectors)

    def parts(self, matrix: Float2d, texts: Sequence[str], states: HiddenStates | None = None) -> Float2d:
        """Log-odds by each reader, shape (n_texts, 2), or (n_texts, 3) with a probe; 0 by one it lacks.

        Parameters
        ----------
        matrix : array of shape (n_texts, n_features)
        texts : sequence of str
            Prepared.
        states : HiddenStates, optional
            Of the same texts, where there is a probe.

        Raises
        ------
        InputError
            When there is a probe and no states, or they lack a layer.
        """
        words = np.zeros(len(texts)) if self.lexicon is None else self.lexicon.raw_score(texts)
        columns = [self.head.raw_score(matrix), words]
        if self.probe is not None:
            columns.append(self.probe.raw_score(states))
        return np.column_stack(columns)

    def raw_score(self, matrix: Float2d, texts: Sequence[str], states: HiddenStates | None = None) -> Float1d:
        """Mixed log-odds, shape (n_texts,); parameters as those of `parts`."""
        return mixed(self.parts(matrix, texts, states), self.mix)


def mixed(parts: Float2d, mix: Sequence[float]) -> Float1d:
    """Weighted sum of the readers' log-odds, shape (n_texts,)."""
    total: Float1d = parts[:, 0] * mix[0]
    for k in range(1, len(mix)):
        total = total + parts[:, k] * mix[k]
    return total
