"""Which candidates are worth an exact fit: one Newton step a candidate, judged on held-out texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ghostbuster.features.folds import Fold
from ghostbuster.features.scaling import ColumnScaler

Float1d = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

_COLUMNS = 512  # candidates at a time; bounds the copies


class Screen:
    """Every candidate's first guess at how far it would lower the held-out log-loss.

    For every fold, a candidate ``z`` joins the fold's model by one Newton step: Rao's score test gives its
    coefficient ``b = z~'r / z~'Dz~`` on the training texts, where ``r`` are the residuals, ``D`` is the
    curvature and ``z~`` the part of ``z`` that the chosen columns do not explain under ``D``. Its effect
    on the held-out texts, to second order ``b z~'r - b^2 z~'Dz~ / 2``,, is the guess. ``D`` is taken from the held-out
    predictions for all folds, so that each cross-product is computed once, on the texts of one fold, and
    summed.

    Parameters
    ----------
    X : float32 array of shape (n_texts, n_candidates)
    weight : array of shape (n_texts,)
    folds : sequence of (train, test)

    References
    ----------
    Rao, "Large sample tests of statistical hypotheses concerning several parameters", Mathematical
    Proceedings of the Cambridge Philosophical Society 44 (1948).
    """

    def __init__(self, X: Float32, weight: Float1d, folds: Sequence[Fold]) -> None:
        cell = np.full(X.shape[0], len(folds))  # texts that no fold tests come last
        for i in range(len(folds) - 1, -1, -1):
            cell[folds[i][1]] = i
        self._order = np.argsort(cell, kind="stable")  # a fold's held-out texts side by side
        edges = np.searchsorted(cell[self._order], np.arange(len(folds) + 2))
        self._cells = [slice(a, b) for a, b in pairwise(edges)]
        self._z: Float32 = np.empty(X.shape, dtype=np.float32, order="F")
        for first in range(0, X.shape[1], _COLUMNS):
            part = slice(first, first + _COLUMNS)
            scaler = ColumnScaler.fit(X[:, part], weight)
            self._z[:, part] = scaler.transform(X[self._order, part])
        self.weight = weight
        self._weights = np.add.reduceat(np.append(weight[self._order], 0.0), edges[:-1]) * (
            np.diff(edges) > 0
        )
        self._mean = self._z.mean(axis=0, dtype=np.float64)
        self._deviation = self._z.std(axis=0, dtype=np.float64)

    def correlations(self, candidate: int) -> Float1d:
        """Pearson correlation of every scaled candidate with one: (n_candidates,)."""
        product = (self._z.T @ self._z[:, candidate]).astype(np.float64) / self._z.shape[0]
        covariance = product - self._mean * self._mean[candidate]
        scale = self._deviation * self._deviation[candidate]
        correlations: Float1d = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
        return correlations

    def gains(self, residuals: Float1d, curvature: Float1d, chosen: Sequence[int], C: float) -> Float1d:
        """Guessed fall of the mean held-out log-loss by adding each candidate: (n_candidates,).

        Parameters
        ----------
        residuals : array of shape (n_texts, n_folds)
            Weighted residuals of every fold's model, 0 for texts that it neither trains nor tests on.
        curvature : array of shape (n_texts,)
            Weight times p (1 - p), with p from a model that did not see the text.
        chosen : sequence of int
            Candidates in the model.
        C : float
            Inverse strength of the penalty.
        """
        r, d = residuals[self._order], curvature[self._order]
        design = np.column_stack([np.ones(d.size), self._z[:, list(chosen)]])
        penalty = np.full(design.shape[1], 1 / C)
        penalty[0] = 1e-9 * d.sum()
        right = np.column_stack([d[:, None] * design, r]).astype(np.float32)
        parts = [
            _FoldPart(design[cell], d[cell], r[cell], held)
            for cell, held in zip(self._cells, self._weights, strict=True)
        ]
        gains = np.empty(self._z.shape[1])
        for first in range(0, gains.size, _COLUMNS):
            columns = self._z[:, first : first + _COLUMNS]
            cross = [(columns[cell].T @ right[cell]).astype(np.float64) for cell in self._cells]
            square = columns * columns
            squares = [(d[cell].astype(np.float32) @ square[cell]).astype(np.float64) for cell in self._cells]
            gains[first : first + _COLUMNS] = _mean_gain(parts, cross, squares, penalty, C)
        return gains


class _FoldPart:
    """Sums over the texts of one cell that no candidate takes part in."""

    def __init__(self, design: Float1d, curvature: Float1d, residuals: Float1d, weight: float) -> None:
        self.hessian = design.T @ (curvature[:, None] * design)
        self.gradient = design.T @ residuals  # (n_columns, n_folds)
        self.weight = weight


def _mean_gain(
    parts: Sequence[_FoldPart],
    cross: Sequence[Float1d],
    squares: Sequence[Float1d],
    penalty: Float1d,
    C: float,
) -> Float1d:
    """Mean over folds of each candidate's guess."""
    q = penalty.size
    hessian = np.sum([part.hessian for part in parts], axis=0)
    crosses, square = np.sum(cross, axis=0), np.sum(squares, axis=0)
    folds = [f for f in range(len(parts) - 1) if parts[f].weight > 0]
    total = np.zeros(squares[0].size)
    for f in folds:
        held, border = cross[f], crosses[:, :q] - cross[f][:, :q]
        explained = np.linalg.solve(hessian - parts[f].hessian + np.diag(penalty), border.T)
        score = crosses[:, q + f] - held[:, q + f]
        information = square - squares[f] + 1 / C - np.sum(border * explained.T, axis=1)
        b = score / np.maximum(information, 1e-9)
        slope = held[:, q + f] - parts[f].gradient[:, f] @ explained
        bend = squares[f] - 2 * np.sum(held[:, :q] * explained.T, axis=1)
        bend += np.sum(explained * (parts[f].hessian @ explained), axis=0)
        total += (b * slope - b**2 * np.maximum(bend, 0.0) / 2) / parts[f].weight
    return total / max(len(folds), 1)
