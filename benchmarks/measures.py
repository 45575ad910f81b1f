"""Metrics of a classifier's scores, each with its 95 % confidence interval."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.metrics.classification import auroc, f1, tpr_at_fpr
from ghostbuster.metrics.intervals import Estimate, bootstrap, wilson

METRICS = ("auroc", "tpr", "f1", "fpr")
FPR = 0.01
RESAMPLES = 500
MEAN_RESAMPLES = 2000  # a mean is cheap
Figures = dict[str, Estimate]


def _f1_at_half(y: npt.NDArray[Any], probability: npt.NDArray[Any]) -> float:
    return f1(y, probability >= 0.5)


BOOTSTRAPPED = {"auroc": auroc, "tpr": partial(tpr_at_fpr, fpr=FPR), "f1": _f1_at_half}


def apart(got: npt.ArrayLike, want: npt.ArrayLike) -> dict[str, float]:
    """Largest and mean absolute difference; NaN where there is nothing to compare."""
    off = np.abs(np.asarray(got, float) - np.asarray(want, float))
    if not off.size:
        return {"largest": float("nan"), "mean": float("nan")}
    return {"largest": float(off.max()), "mean": float(off.mean())}


def measure(
    y: npt.NDArray[np.intp],
    probability: npt.NDArray[np.float64],
    called: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.intp],
    judged: npt.NDArray[np.bool_] | None = None,
) -> Figures:
    """AUROC, true-positive rate at 1 % of these human texts, F1 at probability 0.5, false-positive rate.

    Parameters
    ----------
    y : array of shape (n_texts,)
    probability : array of shape (n_texts,)
    called : array of shape (n_texts,)
        Whether the probability reaches the threshold promised for 1 % of human texts.
    groups : array of shape (n_texts,)
        The bootstrap draws whole groups. The intervals of ``fpr`` and ``found`` are Wilson's, over texts.
    judged : array of shape (n_texts,), optional
        Texts long enough for a verdict: ``fpr`` and ``found`` (machine texts called so) count these alone.

    Returns
    -------
    dict of Estimate
        Only ``fpr`` where there are human texts alone; no ``fpr`` or ``found`` of no text.
    """
    human = y == 0
    long_enough = np.ones_like(human) if judged is None else judged
    figures = {
        name: wilson(int(called[rows].sum()), int(rows.sum()))
        for name, rows in (("fpr", human & long_enough), ("found", ~human & long_enough))
        if rows.any()
    }
    if human.all():
        return figures
    found = {
        name: bootstrap(metric, y, probability, groups, n_resamples=RESAMPLES)
        for name, metric in BOOTSTRAPPED.items()
    }
    return found | figures


def redrawn(n: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """Places of ``n`` texts or sources drawn with replacement, shape (MEAN_RESAMPLES, n)."""
    return np.random.default_rng(seed).integers(n, size=(MEAN_RESAMPLES, n))


def mean_with_interval(values: npt.NDArray[np.float64], draws: npt.NDArray[np.intp]) -> Estimate:
    """Mean of one value a place, with its percentile interval (95 %) over the draws."""
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high))


def plain(figures: Figures) -> dict[str, dict[str, float]]:
    """For JSON."""
    return {name: asdict(estimate) for name, estimate in figures.items()}
