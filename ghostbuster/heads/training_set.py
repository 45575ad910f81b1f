"""Training set of a head: features, labels, weights and groups, validated once; grouped folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Bool1d, Float1d, Float2d, Int1d
from ghostbuster.errors import InputError
from ghostbuster.folds import Folds, grouped_folds, is_machine
from ghostbuster.heads.validation import finite_matrix


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Features and labels of the texts a head is trained on.

    Parameters
    ----------
    X : array of shape (n_texts, n_features)
    y : array of shape (n_texts,)
        Probability of machine: 0, 1, or a soft label between.
    weight : array of shape (n_texts,)
        Mean 1, so that a head's settings do not depend on the scale of weights.
    groups : array of shape (n_texts,), or None
    """

    X: Float2d
    y: Float1d
    weight: Float1d
    groups: npt.NDArray[np.generic] | None = None

    @classmethod
    def checked(
        cls,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """A training set of what a user gave.

        Raises
        ------
        InputError
            When ``X`` is no finite matrix, a length differs, a label leaves [0, 1], a class is missing, or a
            weight is negative or all are 0.
        """
        matrix = finite_matrix(X)
        labels = np.asarray(y)
        if labels.dtype.kind not in "fiub":
            raise InputError(f"Unknown label type: y holds {labels.dtype}; expected numbers from 0 to 1")
        labels = labels.astype(np.float64)
        n = matrix.shape[0]
        if n == 0:
            raise InputError("X has 0 texts; expected human and machine ones")
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        marks = None if groups is None else np.asarray(groups)
        for name, row in (("y", labels), ("sample_weight", weight), ("groups", marks)):
            if row is not None and row.shape != (n,):
                raise InputError(f"{name} has shape {row.shape}; expected ({n},), one a text")
        if not np.all((labels >= 0) & (labels <= 1)):
            raise InputError("y leaves [0, 1]; expected 0 (human), 1 (machine) or a probability between")
        machine = is_machine(labels)
        if machine.all() or not machine.any():
            raise InputError("y holds one class only; expected human (0) and machine (1) texts")
        if not np.all(np.isfinite(weight) & (weight >= 0)) or weight.sum() == 0:
            raise InputError("sample_weight is negative, not finite or zero throughout; expected 0 or more")
        return cls(matrix, labels, weight / weight.mean(), marks)

    @property
    def is_soft(self) -> bool:
        """Whether some label is neither 0 nor 1."""
        return bool(np.any((self.y > 0) & (self.y < 1)))

    def take(self, rows: Int1d) -> TrainingSet:
        """The chosen texts."""
        return TrainingSet(self.X[rows], self.y[rows], self.weight[rows])

    def folds(self, n_folds: int, seed: int) -> Folds:
        """At most ``n_folds`` grouped folds, fewer where classes or groups are few; none below two."""
        hard = is_machine(self.y).astype(np.intp)
        most = min(n_folds, int(np.bincount(hard).min()))
        if self.groups is not None:
            most = min(most, np.unique(self.groups).size)
        return grouped_folds(hard, self.groups, most, seed) if most > 1 else []


def log_loss(y: Float1d, raw: Float1d, weight: Float1d) -> float:
    """Weighted mean cross-entropy of log-odds ``raw`` against soft labels ``y``, in nats."""
    losses = np.logaddexp(0.0, raw) - y * raw
    return float(np.average(losses, weights=weight))


def certain_labels(matrix: Any, y: Float1d, weights: Float1d) -> tuple[Any, Bool1d, Float1d]:
    """Soft labels as hard ones: probability y becomes a machine row of weight y and a human one of 1 - y.

    The log loss is linear in its label, so the loss is the same.
    """
    machine, human = np.flatnonzero(y > 0), np.flatnonzero(y < 1)
    if not np.intersect1d(machine, human).size:
        return matrix, y > 0, weights
    rows = np.concatenate([machine, human])
    shares = np.concatenate([weights[machine] * y[machine], weights[human] * (1 - y[human])])
    return matrix[rows], np.arange(rows.size) < machine.size, shares
