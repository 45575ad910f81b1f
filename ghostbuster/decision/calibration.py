"""Probability calibration: raw scores to probabilities, by Platt scaling or isotonic regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.folds import Folds, is_machine
from ghostbuster.metrics.classification import expected_calibration_error

Method = Literal["auto", "sigmoid", "isotonic", "smooth"]
METHODS = ("auto", "sigmoid", "isotonic", "smooth")

ENOUGH_FOR_CURVE = 1000
"""Texts of the rarer class from which ``auto`` follows a curve (Niculescu-Mizil and Caruana, ICML 2005)."""

BINS = 40
"""Quantile bins that the smooth curve goes through, before those that fall are pooled."""
TABULATED = 400
"""Points at which the smooth curve is kept."""

FAINTEST_SLOPE = 0.01
"""Log-odds gained at least per standard deviation of the raw score, so that order is kept."""

MOST_LOG_ODDS = 20.0  # odds beyond 1 to 485 million cannot be known
_STEPS = 100
_APART = 1e-12  # share of all scores' range below which two are one
_SETTLED = 1e-10


class Calibration:
    """An increasing map from raw score to probability, strictly inside (0, 1).

    Sigmoid: log-odds are a line in the raw score, fitted to smoothed targets (Platt). Isotonic: log-odds
    follow the steps of the best increasing map (pool adjacent violators), with a small slope so that texts
    on one step keep their order. Smooth: an increasing curve without steps, a monotone cubic through the
    shares of quantile bins, of which those that fall are pooled; kept as a table. Each is extended beyond the
    scores it was fitted on without a jump.

    Attributes
    ----------
    method_ : {"sigmoid", "isotonic", "smooth"}
    slope_, intercept_ : float
        Of the line; for isotonic and smooth the faint slope.
    knots_, log_odds_ : arrays of shape (n_knots,)
        What is added to the line, linear between knots; none for sigmoid.

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999; Lin, Lin and Weng, "A Note on Platt's
    Probabilistic Outputs for Support Vector Machines", Machine Learning 68 (2007); Zadrozny and Elkan,
    "Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002; Fritsch and
    Carlson, "Monotone Piecewise Cubic Interpolation", SIAM Journal on Numerical Analysis 17 (1980).
    """

    method_: str
    slope_: float
    intercept_: float
    knots_: Float1d
    log_odds_: Float1d

    def fit(
        self,
        raw: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        method: Method = "auto",
    ) -> Self:
        """Learn the map from scores of texts that the head has not seen.

        Parameters
        ----------
        raw : array of shape (n_texts,)
            Log-odds-like scores.
        y : array of shape (n_texts,)
            Probability of machine; 0 and 1 are certain labels.
        sample_weight : array of shape (n_texts,), optional
        method : {"auto", "sigmoid", "isotonic", "smooth"}
            ``auto`` is smooth from ``ENOUGH_FOR_CURVE`` texts of the rarer class, else sigmoid.

        Raises
        ------
        InputError
            When lengths differ, a value cannot be used, or a class is missing.
        SettingError
            When ``method`` is unknown.
        """
        if method not in METHODS:
            raise SettingError(f"method={method!r}; expected one of {', '.join(map(repr, METHODS))}")
        scores, labels, weight = _checked(raw, y, sample_weight)
        auto = "smooth" if min(labels.sum(), (1 - labels).sum()) >= ENOUGH_FOR_CURVE else "sigmoid"
        self.method_ = auto if method == "auto" else method
        low, high = smoothed_targets(labels, weight)
        spread = max(float(np.sqrt(np.average((scores - scores.mean()) ** 2))), _SETTLED)
        faint = FAINTEST_SLOPE / spread
        if self.method_ != "sigmoid":
            follow = _isotonic if self.method_ == "isotonic" else _smooth
            knots, shares = follow(scores, labels, weight)
            shares = np.clip(shares, low, high)
            self.slope_, self.intercept_ = faint, -faint * float(np.average(scores, weights=weight))
            self.knots_, self.log_odds_ = knots, np.log(shares) - np.log1p(-shares)
            if self.method_ == "smooth":
                self.knots_, self.log_odds_ = _curve(self.knots_, self.log_odds_)
        else:
            self.slope_, self.intercept_ = _fit_line(scores, low + labels * (high - low), weight, faint)
            self.knots_ = self.log_odds_ = np.empty(0)
        return self

    def probability(self, raw: npt.ArrayLike) -> Float1d:
        """Probability of machine, in (0, 1), shape (n_texts,); the higher ``raw``, the higher."""
        return _expit(self.log_odds(raw))

    def log_odds(self, raw: npt.ArrayLike) -> Float1d:
        """Log-odds of machine (nats), shape (n_texts,); not clipped, so that no two scores become equal."""
        scores = np.asarray(raw, dtype=np.float64)
        with np.errstate(over="ignore"):  # infinite log-odds are clipped like all beyond the most
            line: Float1d = self.slope_ * scores + self.intercept_
        return line + np.interp(scores, self.knots_, self.log_odds_) if self.knots_.size else line

    def state(self) -> dict[str, Any]:
        """Plain numbers, strings and arrays that ``from_state`` reads."""
        return {
            "method": self.method_,
            "slope": self.slope_,
            "intercept": self.intercept_,
            "knots": self.knots_,
            "log_odds": self.log_odds_,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The calibration that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing or the map does not rise.
        """
        made = cls()
        try:
            made.method_ = str(state["method"])
            made.slope_, made.intercept_ = float(state["slope"]), float(state["intercept"])
            made.knots_ = np.array(state["knots"], dtype=np.float64)
            made.log_odds_ = np.array(state["log_odds"], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"calibration cannot be restored ({error}); calibrate again") from None
        falls = np.any(np.diff(made.knots_) < 0) or np.any(np.diff(made.log_odds_) < 0) or not made.slope_ > 0
        if falls or made.knots_.shape != made.log_odds_.shape:
            raise ArtifactError("calibration does not rise with the score; calibrate again")
        return made


def _isotonic(scores: Float1d, labels: Float1d, weight: Float1d) -> tuple[Float1d, Float1d]:
    """Scores at the ends of the best rising map's steps, and the share of machine texts on each."""
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weight)
    return np.asarray(steps.X_thresholds_, dtype=np.float64), np.asarray(steps.y_thresholds_)


def _smooth(scores: Float1d, labels: Float1d, weight: Float1d) -> tuple[Float1d, Float1d]:
    """Mean score and share of machine texts of quantile bins, those that fall pooled: both rise.

    A bin's share is drawn towards the share of all by one text of each class, so that a pure one claims no
    certainty.
    """
    counted = weight > 0
    scores, labels, weight = scores[counted], labels[counted], weight[counted]
    order = np.argsort(scores, kind="stable")
    passed = np.cumsum(weight[order])
    which = np.minimum((passed - weight[order] / 2) * BINS / passed[-1], BINS - 1).astype(np.intp)
    _, first = np.unique(scores[order], return_index=True)
    tied = np.searchsorted(first, np.arange(order.size), side="right") - 1
    which = which[first][tied]  # ties stay together
    pools: list[tuple[float, float, float]] = []  # weight, weight times score, weight of machine texts
    for one in np.unique(which):
        rows = order[which == one]
        held = weight[rows]
        pools.append((float(held.sum()), float(held @ scores[rows]), float(held @ labels[rows])))
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            last, before = pools.pop(), pools.pop()
            pools.append((last[0] + before[0], last[1] + before[1], last[2] + before[2]))
    return np.array([pool[1] / pool[0] for pool in pools]), np.array([_share(pool) for pool in pools])


def _share(pool: tuple[float, float, float]) -> float:
    return (pool[2] + 1) / (pool[0] + 2)


def _curve(knots: Float1d, log_odds: Float1d) -> tuple[Float1d, Float1d]:
    """A monotone cubic through the points, at `TABULATED` scores and the points themselves."""
    from scipy.interpolate import PchipInterpolator

    apart = np.diff(knots, prepend=-np.inf) > _APART * np.ptp(knots)  # a slope between twins overflows
    knots, log_odds = knots[apart], log_odds[apart]
    if knots.size < 3:  # noqa: PLR2004 - a line
        return knots, log_odds
    at = np.unique(np.concatenate([knots, np.linspace(knots[0], knots[-1], TABULATED)]))
    return at, np.maximum.accumulate(PchipInterpolator(knots, log_odds)(at))


def held_out_error(raw: Float1d, y: Float1d, weight: Float1d, folds: Folds) -> float:
    """Expected calibration error of probabilities by maps that were not fitted on a text's fold.

    Parameters
    ----------
    raw : array of shape (n_texts,)
        Held-out scores.
    y : array of shape (n_texts,), probability of machine
    weight : array of shape (n_texts,)
        The error is that of texts so weighted.
    folds : list of (train, test) index arrays
        Sources left out, for an error on sources that nothing was fitted on.
    """
    stated = np.full(raw.size, np.nan)
    for train, test in folds:
        stated[test] = Calibration().fit(raw[train], y[train], weight[train]).probability(raw[test])
    known = np.isfinite(stated)
    return expected_calibration_error(is_machine(y[known]), stated[known], sample_weight=weight[known])


def smoothed_targets(labels: Float1d, weight: Float1d) -> tuple[float, float]:
    """Smoothed targets of human and machine texts: 1 / (n_human + 2), (n_machine + 1) / (n_machine + 2).

    They are posterior means under a uniform prior (Platt, 1999), so that a clean separation claims no
    certainty.
    """
    n_machine = float(weight @ labels)
    n_human = float(weight.sum()) - n_machine
    return 1 / (n_human + 2), (n_machine + 1) / (n_machine + 2)


def _fit_line(scores: Float1d, target: Float1d, weight: Float1d, least_slope: float) -> tuple[float, float]:
    """Slope and intercept of least weighted cross-entropy, by damped Newton steps."""
    middle = float(np.average(scores, weights=weight))
    spread = float(np.sqrt(np.average((scores - middle) ** 2, weights=weight))) or 1.0
    scaled = (scores - middle) / spread
    design = np.stack([scaled, np.ones_like(scaled)])
    line, loss = np.zeros(2), np.inf
    for _ in range(_STEPS):
        line, before = _newton_step(design, target, weight, line), loss
        loss = _loss(design, target, weight, line)
        if before - loss < _SETTLED * weight.sum():
            break
    slope = max(float(line[0]) / spread, least_slope)
    if slope > line[0] / spread:  # scores that do not rise with the label: only the base rate is left
        share = float(np.average(target, weights=weight))
        return slope, float(np.log(share) - np.log1p(-share)) - slope * middle
    return slope, float(line[1]) - slope * middle


def _newton_step(design: Float1d, target: Float1d, weight: Float1d, line: Float1d) -> Float1d:
    """One Newton step, halved until the loss falls."""
    p = _expit(line @ design)
    gradient = design @ (weight * (p - target))
    hessian = (design * (weight * p * (1 - p))) @ design.T + 1e-9 * weight.sum() * np.eye(2)
    step = np.linalg.solve(hessian, gradient)
    start = _loss(design, target, weight, line)
    for _ in range(_STEPS):
        if _loss(design, target, weight, line - step) <= start:
            return np.asarray(line - step)
        step = step / 2
    return line


def _expit(log_odds: Float1d) -> Float1d:
    """Probabilities strictly inside (0, 1)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -MOST_LOG_ODDS, MOST_LOG_ODDS))))


def _loss(design: Float1d, target: Float1d, weight: Float1d, line: Float1d) -> float:
    log_odds = line @ design
    return float(weight @ (np.logaddexp(0.0, log_odds) - target * log_odds))


def _checked(
    raw: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> tuple[Float1d, Float1d, Float1d]:
    """Scores, labels and weights (mean 1) of one length, finite, with both classes."""
    scores, labels = np.asarray(raw, dtype=np.float64), np.asarray(y, dtype=np.float64)
    weight = np.ones(scores.size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if scores.ndim != 1 or labels.shape != scores.shape or weight.shape != scores.shape:
        raise InputError(
            f"raw, y and sample_weight have shapes {scores.shape}, {labels.shape} and {weight.shape}; "
            "expected one dimension and one length"
        )
    if not np.isfinite(scores).all():
        raise InputError("raw holds NaN or infinity; expected finite scores")
    if not np.all((labels >= 0) & (labels <= 1)):
        raise InputError("y leaves [0, 1]; expected 0 (human), 1 (machine) or a probability between")
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        raise InputError("sample_weight holds a negative or no finite number; expected weights above 0")
    if not weight @ labels or not weight @ (1 - labels):
        raise InputError("y holds one class only; expected human (0) and machine (1) texts")
    return scores, labels, weight / weight.mean()
