"""Zero-shot baselines: published statistics of the same models, each in the direction of its paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.material import Columns, Indices

# What machine text has: likelier tokens, of lower rank, where the model is surer.
DIRECTIONS = {
    "stat-loglikelihood": 1.0,
    "stat-rank": -1.0,
    "stat-logrank": -1.0,
    "stat-entropy": -1.0,
    "stat-lrr": 1.0,
    "stat-fast-detectgpt": 1.0,
    "stat-binoculars": -1.0,
    "stat-dna-detectllm": -1.0,
    "stat-lastde": 1.0,
    "stat-where-unsure": 1.0,
    "stat-where-sure": 1.0,
}


@dataclass(frozen=True)
class ZeroShot:
    """One statistic as a contender."""

    columns: Columns
    expression: str

    def choose(self, train: Indices, folds: object) -> None:
        """Nothing."""

    def raw(self, train: Indices, test: Indices, chosen: None = None) -> npt.NDArray[np.float64]:  # noqa: ARG002
        """The statistic, turned so that machine is higher, shape (n_test,)."""
        column = [str(feature) for feature in self.columns.features].index(self.expression)
        sign = DIRECTIONS[self.expression.split()[0]]
        return sign * self.columns.matrix[test, column].astype(np.float64)


def zero_shot(columns: Columns) -> dict[str, ZeroShot]:
    """A contender for each statistic of the ``zeroshot`` space, by its expression."""
    return {str(feature): ZeroShot(columns, str(feature)) for feature in columns.features}
