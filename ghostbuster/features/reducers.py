"""Reducers: a text's vector to one number. To add one, add its row; never change what a row means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.features.ragged import Ragged, segment_sums

TOP = 25
WINDOW_DOUBLINGS = 4
WINDOW = 2**WINDOW_DOUBLINGS  # units, a short clause; a text of fewer is one window


@dataclass(frozen=True, slots=True)
class Reducer:
    """One vector to one finite number a text.

    Parameters
    ----------
    name : str
        As written in an expression.
    apply : callable
        Ragged vector without empty texts to (n_texts,).
    formula : str
        What it computes, for developers.
    words : str
        The same for readers of a verdict, with ``{}`` for the vector.
    depends_on_length : bool
        Its size depends on how long the text is, not only on how it is written.
    empty : float
        Value of a text without units.
    """

    name: str
    apply: Callable[[Ragged], Float1d]
    formula: str
    words: str
    depends_on_length: bool = False
    empty: float = 0.0


def _largest(x: Ragged) -> Float1d:
    largest: Float1d = np.maximum.reduceat(x.values, x.layout.starts)
    return largest


def _smallest(x: Ragged) -> Float1d:
    smallest: Float1d = np.minimum.reduceat(x.values, x.layout.starts)
    return smallest


def _mean_of_top(x: Ragged) -> Float1d:
    n = np.minimum(x.layout.lengths, TOP)
    return x.ordered_mean(x.layout.ends - n, n)


def _length(x: Ragged) -> Float1d:
    return x.layout.lengths.astype(np.float64)


def _over_variance(x: Ragged, moment: Float1d, power: float) -> Float1d:
    """Standardised moment; 0 for a text whose units are all the same."""
    scale = np.where(x.varies, x.variance, 1.0) ** power
    return np.where(x.varies, moment / scale, 0.0)


def _skewness(x: Ragged) -> Float1d:
    return _over_variance(x, x.sum(x.squares * x.deviations) / x.layout.lengths, 1.5)


def _excess_kurtosis(x: Ragged) -> Float1d:
    fourth = _over_variance(x, x.sum(x.squares * x.squares) / x.layout.lengths, 2.0)
    return np.where(x.varies, fourth - 3.0, 0.0)


def _autocorrelation(x: Ragged) -> Float1d:
    neighbours = np.zeros_like(x.values)
    np.multiply(x.deviations[:-1], x.deviations[1:], out=neighbours[:-1])
    neighbours[x.layout.ends - 1] = 0.0  # the last unit's neighbour is in another text
    return _over_variance(x, x.sum(neighbours) / x.layout.lengths, 1.0)


def _over_windows(x: Ragged, choose: np.ufunc) -> Float1d:
    """Mean over all windows of the smallest or largest unit of each."""
    best = x.single
    for doubling in range(WINDOW_DOUBLINGS):
        if best.size <= 2**doubling:
            break
        best = choose(best[: -(2**doubling)], best[2**doubling :])
    values: Float1d = choose.reduceat(x.values, x.layout.starts)
    long = x.layout.lengths >= WINDOW
    if long.any():
        n = x.layout.lengths[long] - WINDOW + 1
        first = x.layout.starts[long]
        values[long] = segment_sums(best, first, first + n) / n
    return values


REDUCERS: dict[str, Reducer] = {
    reducer.name: reducer
    for reducer in (
        # Ghostbuster's own (Verma et al. 2024)
        Reducer("s-max", _largest, "largest unit", "highest value of {}", depends_on_length=True),
        Reducer("s-min", _smallest, "smallest unit", "lowest value of {}", depends_on_length=True),
        Reducer("s-avg", lambda x: x.mean, "mean", "average {}"),
        Reducer(
            "s-avg-top-25",
            _mean_of_top,
            "mean of the 25 largest, of all if fewer",
            "25 highest values of {}",
            depends_on_length=True,
        ),
        Reducer("s-len", _length, "number of units", "length in tokens", depends_on_length=True),
        Reducer("s-var", lambda x: x.variance, "population variance", "variation of {}"),
        Reducer(
            "s-l2",
            lambda x: np.sqrt(x.mean_square * x.layout.lengths),
            "root of the sum of squares",
            "total size of {}",
            depends_on_length=True,
        ),
        # free of length
        Reducer("s-std", lambda x: np.sqrt(x.variance), "population standard deviation", "variation of {}"),
        Reducer("s-rms", lambda x: np.sqrt(x.mean_square), "root mean square", "usual size of {}"),
        Reducer(
            "s-skew",
            _skewness,
            "third standardised moment; 0 where all units are the same",
            "lopsidedness of {}",
        ),
        Reducer(
            "s-kurt",
            _excess_kurtosis,
            "fourth standardised moment - 3; 0 where all units are the same",
            "rare extremes of {}",
        ),
        Reducer(
            "s-autocorr",
            _autocorrelation,
            "correlation of neighbours: sum d_t d_(t+1) / sum d_t^2",
            "likeness of neighbours in {}",
        ),
        Reducer(
            "s-p05",
            lambda x: x.quantile(0.05),
            "5th percentile, linear between neighbours",
            "lowest twentieth of {}",
        ),
        Reducer("s-p10", lambda x: x.quantile(0.10), "10th percentile", "lowest tenth of {}"),
        Reducer("s-p25", lambda x: x.quantile(0.25), "25th percentile", "lower quarter of {}"),
        Reducer("s-p50", lambda x: x.quantile(0.50), "median", "typical {}"),
        Reducer("s-p75", lambda x: x.quantile(0.75), "75th percentile", "upper quarter of {}"),
        Reducer("s-p90", lambda x: x.quantile(0.90), "90th percentile", "highest tenth of {}"),
        Reducer("s-p95", lambda x: x.quantile(0.95), "95th percentile", "highest twentieth of {}"),
        Reducer(
            "s-avg-top-quarter",
            lambda x: x.quarters[1],
            "mean of the largest quarter, rounded up",
            "highest quarter of {}",
        ),
        Reducer(
            "s-avg-bottom-quarter",
            lambda x: x.quarters[0],
            "mean of the smallest quarter, rounded up",
            "lowest quarter of {}",
        ),
        Reducer(
            "s-win-min",
            lambda x: _over_windows(x, np.minimum),
            "mean, over all windows of 16 neighbouring units, of the window's smallest",
            "low points, clause by clause, of {}",
        ),
        Reducer(
            "s-win-max",
            lambda x: _over_windows(x, np.maximum),
            "mean, over all windows of 16 neighbouring units, of the window's largest",
            "high points, clause by clause, of {}",
        ),
    )
}
