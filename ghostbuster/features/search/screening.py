"""Screen candidates by Rao's score test: one Newton step each, judged on held-out texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d, Float2d, Float32
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.search.columns import Columns

_CACHED = 262_144  # float32 cells of some columns: 1 MiB, which stays in a core's cache
_SOLVED = 1024  # candidates whose equations are solved together


@dataclass(frozen=True, slots=True)
class Present:
    """The models that a candidate would join.

    Parameters
    ----------
    residuals : array of shape (n_texts, n_folds)
        Weighted residuals of every fold's model, 0 for texts that it neither trains nor tests on.
    curvature : array of shape (n_texts,)
        Weight times p (1 - p), with p from a model that did not see the text.
    chosen : float64 array of shape (n_texts, n_chosen)
        Scaled columns in the models.
    C : float
        Inverse strength of the penalty.
    """

    residuals: Float2d
    curvature: Float1d
    chosen: Float2d
    C: float


class Screen:
    """Estimates by how much each candidate would lower the held-out log-loss.

    For every fold, a candidate ``z`` joins the fold's model by one Newton step: Rao's score test gives its
    coefficient ``b = z~'r / z~'Dz~`` on the training texts, where ``r`` are the residuals, ``D`` is the
    curvature and ``z~`` the part of ``z`` that the chosen columns do not explain under ``D``. The estimate is
    its second-order effect on the held-out texts, ``b z~'r - b^2 z~'Dz~ / 2``. ``D`` is taken from the
    held-out predictions for all folds, so that each cross-product is computed once, on the texts of one fold,
    and summed.

    Parameters
    ----------
    columns : Columns
        Of n_texts texts in the order of ``fold_order``.
    weight : array of shape (n_texts,)
    cells : sequence of slice
        As ``fold_order`` gives them.

    References
    ----------
    Rao, "Large sample tests of statistical hypotheses concerning several parameters", Mathematical
    Proceedings of the Cambridge Philosophical Society 44 (1948).
    """

    def __init__(self, columns: Columns, weight: Float1d, cells: Sequence[slice]) -> None:
        self._columns, self._cells, self.weight = columns, tuple(cells), weight
        self._held = np.array([weight[cell].sum() for cell in cells])
        self._width = max(1, _CACHED // max(columns.n_texts, 1))
        self._middle = np.empty(columns.n_columns)
        self._scale = np.empty(columns.n_columns)
        for which, block in columns.blocks(self._width):
            scaler = ColumnScaler.fit(block, weight)
            self._middle[which], self._scale[which] = scaler.mean, scaler.scale
            self._clip = np.float32(scaler.clip)

    def scaled(self, candidates: Sequence[int]) -> Float2d:
        """The chosen candidates on one scale, float64 of shape (n_texts, n_chosen)."""
        which = list(candidates)
        scaler = ColumnScaler(self._middle[which], self._scale[which], float(self._clip))
        return scaler.transform(self._columns.take(which))

    def _scaled_block(self, which: slice, block: Float32) -> Float32:
        scaled = np.subtract(block, self._middle[which].astype(np.float32), order="F")
        scaled *= (1.0 / self._scale[which]).astype(np.float32)
        return np.clip(scaled, -self._clip, self._clip, out=scaled)

    def gains(self, present: Present) -> Float1d:
        """Estimated decrease of the mean held-out log-loss by adding each candidate: (n_candidates,)."""
        fold_parts = _fold_parts(present, self._cells, self._held)
        d = present.curvature.astype(np.float32)
        design = np.column_stack([np.ones(d.size), present.chosen])
        right = np.column_stack([d[:, None] * design, present.residuals]).astype(np.float32)
        n_cells, gains = len(self._cells), np.empty(self._columns.n_columns)
        width = self._width * max(1, min(_SOLVED, self._columns.block) // self._width)
        for whole, wide in self._columns.blocks(width):
            cross = np.empty((n_cells, wide.shape[1], right.shape[1]))
            squares = np.empty((n_cells, wide.shape[1]))
            for first in range(0, wide.shape[1], self._width):
                part = slice(first, first + self._width)
                z = self._scaled_block(
                    slice(whole.start + first, min(whole.start + first + self._width, whole.stop)),
                    wide[:, part],
                )
                square = z * z
                for i, cell in enumerate(self._cells):
                    cross[i, part] = z[cell].T @ right[cell]
                    squares[i, part] = d[cell] @ square[cell]
            gains[whole] = _mean_gain(fold_parts, cross, squares, present.C)
        return gains


class _FoldPart:
    """What the estimate for one fold needs and no candidate changes."""

    def __init__(self, hessian_in: Float2d, hessian_out: Float2d, gradient: Float1d, held: float) -> None:
        from scipy.linalg import cho_factor

        self.factor = cho_factor(hessian_in)
        self.hessian_out = hessian_out
        self.gradient = gradient
        self.held = held


def _fold_parts(present: Present, cells: Sequence[slice], held: Float1d) -> list[_FoldPart | None]:
    """One a fold; None where it holds nothing out that counts."""
    d = present.curvature
    design = np.column_stack([np.ones(d.size), present.chosen])
    hessians = [design[cell].T @ (d[cell, None] * design[cell]) for cell in cells]
    penalty = np.full(design.shape[1], 1 / present.C)
    penalty[0] = 1e-9 * d.sum()
    whole = np.sum(hessians, axis=0) + np.diag(penalty)
    return [
        _FoldPart(
            whole - hessians[f],
            hessians[f],
            design[cells[f]].T @ present.residuals[cells[f], f],
            float(held[f]),
        )
        if held[f] > 0
        else None
        for f in range(len(cells) - 1)
    ]


def _mean_gain(parts: Sequence[_FoldPart | None], cross: Float2d, squares: Float2d, C: float) -> Float1d:
    """Mean over folds of each candidate's estimate.

    ``cross`` is (n_cells, n_candidates, 1 + n_chosen + n_folds): products with the design under the
    curvature, then with each fold's residuals; ``squares`` (n_cells, n_candidates).
    """
    from scipy.linalg import cho_solve

    q = cross.shape[2] - len(parts)
    crosses, square = cross.sum(axis=0), squares.sum(axis=0)
    total = np.zeros(square.size)
    for f, part in enumerate(parts):
        if part is None:
            continue
        held, border = cross[f], crosses[:, :q] - cross[f][:, :q]
        explained = cho_solve(part.factor, border.T)
        score = crosses[:, q + f] - held[:, q + f]
        information = square - squares[f] + 1 / C - np.sum(border * explained.T, axis=1)
        b = score / np.maximum(information, 1e-9)
        slope = held[:, q + f] - part.gradient @ explained
        bend = squares[f] - 2 * np.sum(held[:, :q] * explained.T, axis=1)
        bend += np.sum(explained * (part.hessian_out @ explained), axis=0)
        total += (b * slope - b**2 * np.maximum(bend, 0.0) / 2) / part.held
    return total / max(sum(part is not None for part in parts), 1)
