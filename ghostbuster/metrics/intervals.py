"""Confidence intervals: Wilson and Clopper-Pearson for shares, bootstrap for metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Bool1d, Float1d, Int1d
from ghostbuster.errors import InputError, SettingError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def wilson(k: int, n: int, confidence: float = 0.95) -> Estimate:
    """Wilson interval of a share, ``k`` of ``n``: its coverage is ``confidence`` on average.

    Raises
    ------
    SettingError
        When not 0 <= k <= n with n > 0, or ``confidence`` is not within (0, 1).

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
    """
    _check_share(k, n, confidence)
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    share = k / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Estimate(share, 0.0 if k == 0 else float(middle - half), 1.0 if k == n else float(middle + half))


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> Estimate:
    """Exact (Clopper-Pearson) interval of a share, ``k`` of ``n``: coverage is never below ``confidence``.

    Raises
    ------
    SettingError
        As ``wilson``.

    References
    ----------
    Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
    Biometrika 26 (1934).
    """
    _check_share(k, n, confidence)
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return Estimate(k / n, low, high)


def bootstrap(
    metric: Callable[[npt.NDArray[np.generic], npt.NDArray[np.generic]], float],
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """A metric with its percentile bootstrap interval; whole groups are resampled, with replacement.

    Texts of one prompt or document are no independent evidence, so a group is drawn or left as one.
    A resample that lacks one of the classes is drawn again.

    Parameters
    ----------
    metric : callable
        ``metric(y, score)`` gives a float: ``auroc``, or ``tpr_at_fpr`` through ``functools.partial``.
    y, score : as in ``auroc``
    groups : array-like of shape (n_texts,), optional
        Without it every text is a group.
    n_resamples, seed : int
    confidence : float

    Raises
    ------
    InputError
        As ``auroc``; also when ``groups`` has another length.
    SettingError
        When ``n_resamples`` is below 1 or ``confidence`` is not within (0, 1).

    References
    ----------
    Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979).
    """
    machine, values = check_scores(y, score)
    if n_resamples < 1 or not 0 < confidence < 1:
        raise SettingError(
            f"n_resamples={n_resamples}, confidence={confidence}; expected 1 or more, and (0, 1)"
        )
    hard = machine.astype(np.intp)
    found = [metric(hard[rows], values[rows]) for rows in resamples(hard, groups, n_resamples, seed)]
    low, high = np.quantile(found, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Estimate(float(metric(hard, values)), float(low), float(high))


def resamples(hard: Int1d, groups: npt.ArrayLike | None, n_resamples: int, seed: int) -> Iterator[Int1d]:
    """Row indices of each resample that ``bootstrap`` draws.

    Parameters
    ----------
    hard : array of shape (n_texts,), 0 human, 1 machine
    groups : array-like of shape (n_texts,), optional
    n_resamples, seed : int

    Raises
    ------
    InputError
        When ``groups`` has another length.
    """
    order, starts, counts = _by_group(groups, hard.size)
    rng = np.random.default_rng(seed)
    for _ in range(n_resamples):
        yield _draw(rng, hard, order, starts, counts)


def _by_group(groups: npt.ArrayLike | None, n_texts: int) -> tuple[Int1d, Int1d, Int1d]:
    """Rows ordered by group, where each group starts among them, and its size."""
    labels = np.arange(n_texts) if groups is None else np.asarray(groups)
    if labels.shape != (n_texts,):
        raise InputError(f"groups has shape {labels.shape}; expected ({n_texts},), one a text")
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order: Int1d = np.argsort(codes, kind="stable")
    starts: Int1d = np.cumsum(counts) - counts
    return order, starts, counts


def _draw(rng: np.random.Generator, hard: Int1d, order: Int1d, starts: Int1d, counts: Int1d) -> Int1d:
    """Rows of as many groups as there are, drawn with replacement, with both classes among them."""
    while True:  # at worst every second draw lacks a class
        drawn = rng.integers(counts.size, size=counts.size)
        sizes = counts[drawn]
        ends = np.cumsum(sizes)
        rows: Int1d = order[np.repeat(starts[drawn] - (ends - sizes), sizes) + np.arange(ends[-1])]
        if 0 < hard[rows].sum() < rows.size:
            return rows


def check_scores(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Bool1d, Float1d]:
    """Validate labels and scores: which texts are machine, shape (n_texts,), and their scores.

    Raises
    ------
    InputError
        When a class is missing, lengths differ, or a value is not finite.
    """
    labels, values = np.asarray(y), np.asarray(score, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != values.shape:
        raise InputError(
            f"y has shape {labels.shape}, score {values.shape}; expected one dimension and one length"
        )
    if not np.isin(labels, (0, 1)).all():
        raise InputError("y holds labels other than 0 (human) and 1 (machine)")
    machine = labels.astype(bool)
    if machine.all() or not machine.any():
        raise InputError("y holds one class only; expected human (0) and machine (1) texts")
    if not np.isfinite(values).all():
        raise InputError("score holds NaN or infinity; expected finite numbers")
    return machine, values


def _check_share(k: int, n: int, confidence: float) -> None:
    if not (n > 0 and 0 <= k <= n):
        raise SettingError(f"{k} of {n} is no share; expected 0 <= k <= n with n above 0")
    if not 0 < confidence < 1:
        raise SettingError(f"confidence is {confidence!r}; expected a number between 0 and 1")
