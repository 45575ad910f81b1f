"""Percentile of each feature's value among those of human training texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d

STEPS = 101
"""Quantiles kept of each feature: one a per cent."""


@dataclass(frozen=True, eq=False)
class Percentiles:
    """Quantiles of each feature over the human training texts.

    Attributes
    ----------
    quantiles : array of shape (STEPS, n_features)
        From the smallest value to the largest, at equal steps of the share of texts.
    """

    quantiles: AnyArray

    @classmethod
    def fit(cls, human: AnyArray) -> Percentiles:
        """From the features of human training texts, shape (n_human, n_features)."""
        quantiles = np.quantile(human, np.linspace(0, 1, STEPS), axis=0)
        return cls(quantiles.astype(np.float32))

    def of(self, matrix: AnyArray) -> Float1d:
        """Share of human texts with a lower value, in per cent: shape (n_texts, n_features).

        Linear between the kept quantiles; where several are equal, the middle of their shares.
        """
        at = np.linspace(0, 100, self.quantiles.shape[0])
        made = np.empty(matrix.shape)
        for j in range(matrix.shape[1]):
            column = self.quantiles[:, j].astype(np.float64)
            values = matrix[:, j].astype(np.float32).astype(np.float64)
            low = np.searchsorted(column, values, "left")
            high = np.searchsorted(column, values, "right")
            tied = (at[np.minimum(low, at.size - 1)] + at[np.maximum(high - 1, 0)]) / 2
            made[:, j] = np.where(high > low, tied, np.interp(values, column, at))
        return made
