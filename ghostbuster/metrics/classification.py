"""Metrics of a detector: AUROC, TPR at a fixed FPR, F1, expected calibration error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d
from ghostbuster.errors import InputError, SettingError
from ghostbuster.metrics.intervals import Estimate, bootstrap, check_scores, clopper_pearson, wilson

__all__ = [
    "Estimate",
    "auroc",
    "bootstrap",
    "clopper_pearson",
    "expected_calibration_error",
    "f1",
    "threshold_at_fpr",
    "tpr_at_fpr",
    "wilson",
]


def auroc(y: npt.ArrayLike, score: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Probability that a machine text scores above a human one; a tie counts half.

    Parameters
    ----------
    y : array-like of shape (n_texts,), 0 human, 1 machine
    score : array-like of shape (n_texts,)
        The higher, the more likely machine.
    sample_weight : array-like of shape (n_texts,), optional

    Raises
    ------
    InputError
        When a class is missing, lengths differ, or a value is not finite.

    References
    ----------
    Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
    Other", Annals of Mathematical Statistics 18 (1947): the area is U / (n_human * n_machine).
    """
    machine, values = check_scores(y, score)
    weight = np.ones(values.size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != values.shape:
        raise InputError(f"sample_weight has shape {weight.shape}; expected {values.shape}, one a text")
    _, level = np.unique(values, return_inverse=True)
    human_at = np.bincount(level, weights=weight * ~machine)
    machine_at = np.bincount(level, weights=weight * machine)
    human_below = np.cumsum(human_at) - human_at
    return float(machine_at @ (human_below + human_at / 2) / (human_at.sum() * machine_at.sum()))


def tpr_at_fpr(y: npt.ArrayLike, score: npt.ArrayLike, fpr: float = 0.01) -> float:
    """Share of machine texts found at a threshold that calls at most ``fpr`` of the human ones machine.

    Nothing is interpolated: the threshold is the lowest whose measured false-positive rate is <= ``fpr``,
    so ties between the classes count against the detector.

    Parameters
    ----------
    y, score : as in ``auroc``
    fpr : float in [0, 1)

    Raises
    ------
    InputError
        As ``auroc``.
    SettingError
        When ``fpr`` is out of range.
    """
    machine, values = check_scores(y, score)
    if not 0 <= fpr < 1:
        raise SettingError(f"fpr is {fpr!r}; expected a rate from 0 to below 1")
    return float(np.mean(values[machine] > threshold_at_fpr(values[~machine], fpr)))


def threshold_at_fpr(human: Float1d, rate: float) -> float:
    """The lowest threshold that at most ``rate`` of the human scores lie above.

    Parameters
    ----------
    human : array of shape (n_human,)
        Scores of human texts, one at least.
    rate : float in [0, 1)
        False-positive rate.
    """
    allowed = int(np.floor(rate * human.size + 1e-9))  # 0.05 * 20 is 1 whatever floats say
    return float(np.sort(human)[human.size - 1 - allowed])


def f1(y: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Harmonic mean of precision and recall for machine, 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    y, predicted : array-like of shape (n_texts,), 0 human, 1 machine
        ``predicted`` may also be bool.

    Raises
    ------
    InputError
        When a class is missing from ``y``, lengths differ, or ``predicted`` holds anything but 0 and 1.
    """
    machine, said = check_scores(y, predicted)
    if not np.isin(said, (0, 1)).all():
        raise InputError(
            "predicted holds values other than 0 and 1; compare the scores with a threshold first"
        )
    hits = float(np.sum(said[machine]))
    return 2 * hits / float(machine.sum() + said.sum())


def expected_calibration_error(
    y: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 15, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Mean distance between stated probability and observed frequency, over bins of equal width.

    Parameters
    ----------
    y : array-like of shape (n_texts,), 0 human, 1 machine
    p : array-like of shape (n_texts,)
        Probability of machine.
    n_bins : int
    sample_weight : array-like of shape (n_texts,), optional

    Raises
    ------
    InputError
        As ``auroc``, and when ``p`` leaves [0, 1].

    References
    ----------
    Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    machine, stated = check_scores(y, p)
    if stated.min() < 0 or stated.max() > 1:
        raise InputError(
            f"p runs from {stated.min():g} to {stated.max():g}; expected probabilities in [0, 1]"
        )
    which = np.minimum((stated * n_bins).astype(np.intp), n_bins - 1)
    weight = np.ones(stated.size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    gap = np.bincount(which, weights=weight * (machine - stated), minlength=n_bins)
    return float(np.abs(gap).sum() / weight.sum())
