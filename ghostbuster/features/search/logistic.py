"""L2-penalised logistic regression by Newton's method: one model, or many that add one column each.

Minimises ``sum_i w_i [log(1 + exp(z_i)) - y_i z_i] + ||b||^2 / (2 C)`` over the intercept (unpenalised) and
the coefficients ``b``; ``y`` may lie between 0 and 1. Designs carry a first column of ones for the intercept.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d, Float2d

GRADIENT_TOLERANCE = 1e-7  # of the total weight
_MAX_NEWTON, _MAX_CHORD, _MAX_HALVINGS = 100, 12, 40
BLAS_BYTES = 2**27  # more than the 32 MiB that it takes, wherever they lie


def sigmoid(log_odds: Float1d) -> Float1d:
    """``1 / (1 + exp(-z))`` without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * log_odds))


def fit_logistic(
    design: Float2d, y: Float1d, weight: Float1d, C: float, start: Float1d | None = None
) -> Float1d:
    """Newton's method with step halving.

    Parameters
    ----------
    design : array of shape (n_texts, n_columns), the first column all ones
    y, weight : arrays of shape (n_texts,)
    C : float
        Inverse strength of the penalty.
    start : array of shape (n_columns,), optional
        Start values; zeros by default.

    Returns
    -------
    array of shape (n_columns,), intercept first
    """
    penalty = _penalty(design.shape[1], C)
    coefficients = np.zeros(design.shape[1]) if start is None else start.copy()
    log_odds = design @ coefficients
    objective = _objective(log_odds, y, weight, penalty, coefficients)
    for _ in range(_MAX_NEWTON):
        p = sigmoid(log_odds)
        gradient = design.T @ (weight * (y - p)) - penalty * coefficients
        if np.abs(gradient).max() <= GRADIENT_TOLERANCE * weight.sum():
            break
        step = np.linalg.solve(_hessian(design, weight * p * (1 - p), penalty), gradient)
        along = design @ step
        for _ in range(_MAX_HALVINGS):
            tried = _objective(log_odds + along, y, weight, penalty, coefficients + step)
            if tried < objective:
                break
            step, along = step / 2, along / 2
        else:
            break  # as low as rounding lets it
        coefficients, log_odds, objective = coefficients + step, log_odds + along, tried
    return coefficients


def fit_each(
    design: Float2d, columns: Float2d, y: Float1d, weight: Float1d, C: float, start: Float1d
) -> Float2d:
    """One model a candidate column: ``design`` and that column.

    All models begin at the fit without a candidate and first share its Hessian (the chord method: a matrix
    product an iteration for all of them together); those that it does not settle go on with Newton's.

    Parameters
    ----------
    design : array of shape (n_texts, n_columns), the first column all ones
    columns : array of shape (n_texts, n_candidates)
    y, weight : arrays of shape (n_texts,)
    C : float
    start : array of shape (n_columns,)
        Fit of ``design`` alone.

    Returns
    -------
    array of shape (n_columns + 1, n_candidates), intercept first, the candidate's coefficient last
    """
    found, settled = _chord(design, columns, y, weight, C, start)
    for i in np.flatnonzero(~settled):
        whole = np.column_stack([design, columns[:, i]])
        found[:, i] = fit_logistic(whole, y, weight, C, np.append(start, 0.0))
    return found


def _chord(
    design: Float2d, columns: Float2d, y: Float1d, weight: Float1d, C: float, start: Float1d
) -> tuple[Float2d, npt.NDArray[np.bool_]]:
    """Coefficients of every candidate's model, and which of them are exact."""
    from scipy.linalg import cho_factor, cho_solve

    penalty = _penalty(design.shape[1], C)
    p = sigmoid(design @ start)
    curvature = weight * p * (1 - p)
    check_blas_memory()
    factor = cho_factor(_hessian(design, curvature, penalty))
    border = design.T @ (curvature[:, None] * columns)
    solved = cho_solve(factor, border)
    schur = curvature @ columns**2 + 1 / C - np.sum(border * solved, axis=0)
    found = np.zeros((start.size + 1, columns.shape[1]))
    found[:-1] = start[:, None]
    settled = np.zeros(columns.shape[1], dtype=np.bool_)
    for _ in range(_MAX_CHORD):
        left = np.flatnonzero(~settled)
        log_odds = design @ found[:-1, left] + columns[:, left] * found[-1, left]
        residuals = weight[:, None] * (y[:, None] - sigmoid(log_odds))
        top = design.T @ residuals - penalty[:, None] * found[:-1, left]
        last = np.sum(columns[:, left] * residuals, axis=0) - found[-1, left] / C
        worst = np.maximum(np.abs(top).max(axis=0), np.abs(last))
        settled[left] = worst <= GRADIENT_TOLERANCE * weight.sum()
        if settled.all() or not np.isfinite(worst).all():
            break
        inner = cho_solve(factor, top)
        step = (last - np.sum(border[:, left] * inner, axis=0)) / schur[left]
        found[:-1, left] += inner - solved[:, left] * step
        found[-1, left] += step
    return found, settled


def _penalty(n_columns: int, C: float) -> Float1d:
    penalty = np.full(n_columns, 1 / C)
    penalty[0] = 0.0
    return penalty


def _hessian(design: Float2d, curvature: Float1d, penalty: Float1d) -> Float2d:
    hessian: Float2d = design.T @ (curvature[:, None] * design)
    hessian[np.diag_indices_from(hessian)] += penalty + 1e-12 * curvature.sum()  # an intercept sure of itself
    return hessian


def _objective(
    log_odds: Float1d, y: Float1d, weight: Float1d, penalty: Float1d, coefficients: Float1d
) -> float:
    loss = weight @ (np.logaddexp(0.0, log_odds) - y * log_odds)
    return float(loss + 0.5 * penalty @ coefficients**2)


@cache
def check_blas_memory() -> None:
    """Check once that there is memory for OpenBLAS's work space: without it, OpenBLAS retries for ever.

    Raises
    ------
    MemoryError
        When there is none.
    """
    np.empty(BLAS_BYTES, np.uint8)
