"""Ensembles: combine several detectors' predictions by mean rank, weighted mean, or mean log-odds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ghostbuster.arrays import Float1d, Float2d
from ghostbuster.errors import InputError, SettingError
from ghostbuster.registry import lookup

FARTHEST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""
_SHOWN = 5  # ids that an error lists


def combine(
    predictions: Mapping[str, pd.Series[float]] | Sequence[pd.Series[float]],
    method: str = "rank",
    weights: Sequence[float] | None = None,
    *,
    skip_blank: bool = False,
) -> pd.Series[float]:
    """One prediction a text of the predictions of several detectors, matched by id.

    Parameters
    ----------
    predictions : mapping of str to Series, or sequence of Series, length n_detectors
        Higher for machine; the index holds the texts' ids, the keys of a mapping name them in errors.
    method : {"rank", "mean", "logit"}
        ``rank``: each detector's predictions become ranks from 1, ties all the lowest of theirs (pandas'
        ``rank(method="min")``), divided by the number of texts: whatever the detectors' scales. The weighted
        mean of these lies in (0, 1] and tells an order, not a probability. ``mean``: weighted mean of
        probabilities. ``logit``: the probability whose log-odds are the weighted mean of log-odds.
    weights : sequence of float, length n_detectors, optional
        Not negative, not all 0; only their ratio counts. Equal by default.
    skip_blank : bool
        Leave a detector that says nothing of a text (NaN) out of that text's mean instead of refusing it.

    Returns
    -------
    Series
        Indexed and ordered as the first; NaN where every detector was left out.

    Raises
    ------
    InputError
        When there are fewer than two predictions, an id is missing in one or there twice, or a value is
        blank, infinite, or no probability where one is needed.
    SettingError
        When the method is unknown or the weights do not fit.
    """
    named = _named(predictions)
    make = lookup(METHODS, method, "method")
    shares = _shares(weights, len(named))
    ids = _matched_ids(named)
    matrix = np.column_stack(
        [_values(name, series.reindex(ids), method, skip_blank) for name, series in named.items()]
    )
    return pd.Series(make(matrix, shares), index=ids, name=method)


def _named(
    predictions: Mapping[str, pd.Series[float]] | Sequence[pd.Series[float]],
) -> dict[str, pd.Series[float]]:
    """Predictions by a name that errors can use."""
    if isinstance(predictions, Mapping):
        named = dict(predictions)
    else:
        named = {f"prediction {i}": series for i, series in enumerate(predictions, start=1)}
    if len(named) < 2:  # noqa: PLR2004 - two make an ensemble
        raise InputError(f"got {len(named)} set of predictions; expected two or more to combine")
    return named


def _shares(weights: Sequence[float] | None, n_detectors: int) -> Float1d:
    """Weights that sum to 1."""
    given: Float1d = np.ones(n_detectors) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (n_detectors,):
        raise SettingError(f"got {given.size} weights; expected {n_detectors}, one a set of predictions")
    if not np.all(np.isfinite(given) & (given >= 0)) or given.sum() == 0:
        raise SettingError(f"weights {given.tolist()}; expected numbers of 0 or more, not all 0")
    return np.asarray(given / given.sum())


def _matched_ids(named: Mapping[str, pd.Series[float]]) -> pd.Index[str]:
    """Ids of the first, once it is sure that all have these and each once."""
    for name, series in named.items():
        twice = series.index[series.index.duplicated()].unique()
        if len(twice):
            raise InputError(f"{name} has {_listed(twice)} more than once: keep one row an id")
    (first, ids), *others = ((name, series.index) for name, series in named.items())
    for name, index in others:
        for have, lack, ours, theirs in ((first, name, ids, index), (name, first, index, ids)):
            missing = ours[~ours.isin(theirs)]
            if len(missing):
                raise InputError(f"{lack} lacks {_listed(missing)}, which {have} has: predict the same texts")
    return ids


def _listed(ids: pd.Index[str]) -> str:
    shown = ", ".join(repr(one) for one in ids[:_SHOWN].tolist())
    return f"id {shown}" + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")


def _values(name: str, series: pd.Series[float], method: str, skip_blank: bool) -> Float1d:
    """Values as the method takes them."""
    values: Float1d = np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    blank, infinite = np.isnan(values), np.isinf(values)
    outside = ~blank & ((values < 0) | (values > 1)) & (method != "rank")
    remedies = (
        (blank & (not skip_blank), "nothing", "a number; drop the text everywhere, or leave blanks out"),
        (infinite, "an infinite number", "a finite one"),
        (outside, "no probability", "0 to 1, or combine by rank"),
    )
    for bad, held, expected in remedies:
        if bad.any():
            culprit = series.index[bad][0]
            raise InputError(f"{name} holds {held} for id {culprit!r}; expected {expected}")
    return values


def _mean(values: Float2d, shares: Float1d) -> Float1d:
    """Weighted mean a row of the values that are there, NaN where none with a weight is."""
    there = ~np.isnan(values)
    total = there @ shares
    sums = np.where(there, values, 0.0) @ shares
    mean: Float1d = np.full(total.shape, np.nan)
    np.divide(sums, total, out=mean, where=total > 0)
    return mean


def _mean_rank(values: Float2d, shares: Float1d) -> Float1d:
    frame = pd.DataFrame(values)
    return _mean((frame.rank(method="min") / frame.count()).to_numpy(), shares)


def _mean_logit(values: Float2d, shares: Float1d) -> Float1d:
    inside = np.clip(values, FARTHEST, 1 - FARTHEST)
    mean = _mean(np.log(inside) - np.log1p(-inside), shares)
    probability: Float1d = 1 / (1 + np.exp(-mean))
    return probability


METHODS: dict[str, Callable[[Float2d, Float1d], Float1d]] = {
    "rank": _mean_rank,
    "mean": _mean,
    "logit": _mean_logit,
}
"""Values (n_texts, n_detectors) and shares (n_detectors,) to one value a text."""
