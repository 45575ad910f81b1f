"""ROC curve, calibration bins and histograms of an evaluation, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Bool1d, Float1d
from ghostbuster.metrics.intervals import Estimate, check_scores, resamples, wilson

N_RESAMPLES = 1000
N_BINS = 10
"""Bins of probability, equally wide, of the calibration plot."""
N_BARS = 20
"""Bars of a histogram, equally wide."""
LENGTHS = (100, 250, 500, 1000)
"""Tokens at which one class of length ends and the next begins."""

# Few false alarms are what matters: half of the grid lies below 10 %.
FPR_GRID = np.unique(np.concatenate(([0.0], np.geomspace(0.001, 0.1, 41), np.linspace(0.1, 1.0, 46))))


@dataclass(frozen=True)
class Curve:
    """ROC curve: true-positive rate at each false-positive rate, with a bootstrap band.

    Attributes
    ----------
    fpr, tpr, low, high : tuple of float
        The band holds the curve at one false-positive rate with 95 % confidence, not the whole curve at once.
    """

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """Calibration bin: texts of about one stated probability.

    Attributes
    ----------
    stated : float
        Their mean probability.
    observed : Estimate
        Share of machine texts among them, Wilson's interval.
    n_texts : int
    """

    stated: float
    observed: Estimate
    n_texts: int


@dataclass(frozen=True)
class Curves:
    """All that the plots of one evaluation show.

    Attributes
    ----------
    roc : Curve or None
        None where only one class was judged.
    calibration : tuple of Bin
        Bins that hold a text, by rising probability; none where only one class was judged.
    edges : tuple of float
        Of the histograms' bars.
    human, machine : tuple of int
        Texts of each class in each bar.
    """

    roc: Curve | None
    calibration: tuple[Bin, ...]
    edges: tuple[float, ...]
    human: tuple[int, ...]
    machine: tuple[int, ...]

    def plain(self) -> dict[str, Any]:
        """As dicts, lists and numbers, fit for JSON."""
        return asdict(self)


def curves(
    labels: Sequence[int], probabilities: npt.ArrayLike, groups: Sequence[str] | None = None, seed: int = 0
) -> Curves:
    """Compute the curves of verdicts on labelled texts.

    Parameters
    ----------
    labels : sequence of int, length n_texts
        0 human, 1 machine.
    probabilities : array-like of shape (n_texts,)
        Of machine; NaN for a text that was not judged, which is left out.
    groups : sequence of str, length n_texts, optional
        Texts that share one are drawn together.
    seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        When lengths differ.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    judged = np.isfinite(p)
    machine, scores = np.asarray(labels)[judged] == 1, p[judged]
    both = machine.any() and not machine.all()
    if both:
        machine, scores = check_scores(np.asarray(labels)[judged], p[judged])
    drawn = None if groups is None else np.asarray(groups)[judged]
    edges = np.linspace(0.0, 1.0, N_BARS + 1)
    return Curves(
        _roc(machine, scores, drawn, seed) if both else None,
        _calibration(machine, scores) if both else (),
        tuple(edges.tolist()),
        tuple(np.histogram(scores[~machine], edges)[0].tolist()),
        tuple(np.histogram(scores[machine], edges)[0].tolist()),
    )


def tpr_at(human: Float1d, machine: Float1d, fpr: Float1d) -> Float1d:
    """Share of machine texts above the lowest threshold that at most ``fpr`` of the human ones exceed.

    As ``classification.tpr_at_fpr``, at many rates at once: nothing is interpolated.

    Parameters
    ----------
    human, machine : array of shape (n_human,), (n_machine,)
        Scores.
    fpr : array of shape (n_rates,)

    Returns
    -------
    array of shape (n_rates,)
    """
    allowed = np.floor(fpr * human.size + 1e-9).astype(np.intp)  # 0.05 * 20 is 1 whatever floats say
    falling = np.append(np.sort(human)[::-1], -np.inf)  # all may be accused: every machine text is found
    above = machine.size - np.searchsorted(np.sort(machine), falling[allowed], side="right")
    shares: Float1d = above / machine.size
    return shares


def length_class(n_tokens: int) -> str:
    """Name of the length class of a text of so many tokens."""
    for low, high in zip((0, *LENGTHS), LENGTHS, strict=False):
        if n_tokens < high:
            return f"{low:,} to {high - 1:,} tokens" if low else f"below {high:,} tokens"
    return f"{LENGTHS[-1]:,} tokens or more"


LENGTH_CLASSES = tuple(length_class(n) for n in (0, *LENGTHS))
"""Every class of length, shortest first."""


def _roc(machine: Bool1d, scores: Float1d, groups: Any, seed: int) -> Curve:
    drawn = [
        tpr_at(scores[rows][~machine[rows]], scores[rows][machine[rows]], FPR_GRID)
        for rows in resamples(machine.astype(np.intp), groups, N_RESAMPLES, seed)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    found = tpr_at(scores[~machine], scores[machine], FPR_GRID)
    return Curve(*(tuple(values.tolist()) for values in (FPR_GRID, found, low, high)))


def _calibration(machine: Bool1d, p: Float1d) -> tuple[Bin, ...]:
    which = np.minimum((p * N_BINS).astype(np.intp), N_BINS - 1)
    made = []
    for k in range(N_BINS):
        rows = which == k
        if rows.any():
            n = int(rows.sum())
            made.append(Bin(float(p[rows].mean()), wilson(int(machine[rows].sum()), n), n))
    return tuple(made)
