"""Raw score of a text: what up to four readers say, mixed. Features, words, hidden states, an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d, Float2d, Vectors
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.state_probe import ADAPTED, StateProbe, states_of
from ghostbuster.heads.trained import TrainedHead
from ghostbuster.hidden_states import HiddenStates

READERS = ("features", "words", "states", "adapter")
"""What can read a text: searched features under a head, the lexicon, the probe of hidden states, and a
fine-tuned language model (an adapter with its head)."""


@dataclass(frozen=True)
class Scorer:
    """Chosen features with the head trained on them; a lexicon and a probe of hidden states beside it.

    Attributes
    ----------
    features : tuple of Feature
    head : TrainedHead
    lexicon : Lexicon or None
    mix : tuple of float
        What each reader's log-odds are multiplied by before they are added, in the order of `READERS`: as
        many numbers as `n_columns` says.
    probe : StateProbe or None
    adapter : StateProbe or None
        An adapter's head, which reads states under that adapter.
    """

    features: tuple[Feature, ...]
    head: TrainedHead
    lexicon: Lexicon | None = None
    mix: tuple[float, ...] = (1.0, 0.0)
    probe: StateProbe | None = None
    adapter: StateProbe | None = None

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of those it has, in the order of `READERS`."""
        there = (True, self.lexicon is not None, self.probe is not None, self.adapter is not None)
        return tuple(name for name, is_there in zip(READERS, there, strict=True) if is_there)

    @property
    def n_columns(self) -> int:
        """Columns of `parts`: two, three with a probe, four with an adapter."""
        return columns_of(probe=self.probe is not None, adapter=self.adapter is not None)

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

    def adapted(self, vectors: Vectors) -> HiddenStates | None:
        """The states under its adapter of texts already read; None where it has none.

        Raises
        ------
        InputError
            When the texts were read without them.
        """
        return None if self.adapter is None else states_of(vectors, ADAPTED)

    def parts(
        self,
        matrix: Float2d,
        texts: Sequence[str],
        states: HiddenStates | None = None,
        adapted: HiddenStates | None = None,
    ) -> Float2d:
        """Log-odds by each reader, shape (n_texts, n_columns); 0 by one it lacks.

        Parameters
        ----------
        matrix : array of shape (n_texts, n_features)
        texts : sequence of str
            Prepared.
        states, adapted : HiddenStates, optional
            Of the same texts, where there is a probe, or an adapter.

        Raises
        ------
        InputError
            When there is a probe or an adapter and no states of it, or they lack a layer.
        """
        words = np.zeros(len(texts)) if self.lexicon is None else self.lexicon.raw_score(texts)
        columns = [self.head.raw_score(matrix), words]
        if self.probe is not None:
            columns.append(self.probe.raw_score(states))
        if self.adapter is not None:
            columns += [np.zeros(len(texts))] * (len(READERS) - 1 - len(columns))
            columns.append(self.adapter.raw_score(adapted))
        return np.column_stack(columns)

    def parts_of(self, vectors: Vectors, texts: Sequence[str], matrix: Float2d | None = None) -> Float2d:
        """`parts` of texts already read, by every reader that there is; ``matrix`` where it is known."""
        values = self.matrix(vectors) if matrix is None else matrix
        return self.parts(values, texts, self.states(vectors), self.adapted(vectors))

    def raw_score(self, vectors: Vectors, texts: Sequence[str]) -> Float1d:
        """Mixed log-odds of texts already read, shape (n_texts,)."""
        return mixed(self.parts_of(vectors, texts), self.mix)


def columns_of(*, probe: bool, adapter: bool) -> int:
    """How many readers have a column: all before the last that is there, and at least two."""
    return len(READERS) if adapter else 3 if probe else 2


def mixed(parts: Float2d, mix: Sequence[float]) -> Float1d:
    """Weighted sum of the readers' log-odds, shape (n_texts,)."""
    total: Float1d = parts[:, 0] * mix[0]
    for k in range(1, len(mix)):
        total = total + parts[:, k] * mix[k]
    return total
