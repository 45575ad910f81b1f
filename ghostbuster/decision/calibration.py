"""Probability calibration: raw scores to probabilities, by Platt scaling or isotonic regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d
from ghostbuster.errors import ArtifactError, InputError, SettingError

Method = Literal["auto", "sigmoid", "isotonic"]

ENOUGH_FOR_ISOTONIC = 1000
"""Texts of the rarer class from which ``auto`` takes isotonic (Niculescu-Mizil and Caruana, ICML 2005)."""

FAINTEST_SLOPE = 0.01
"""Log-odds gained at least per standard deviation of the raw score, so that order is kept."""

MOST_LOG_ODDS = 20.0  # odds beyond 1 to 485 million cannot be known
_STEPS = 100
_SETTLED = 1e-10


class Calibration:
    """An increasing map from raw score to probability, strictly inside (0, 1).

    Sigmoid: log-odds are a line in the raw score, fitted to smoothed targets (Platt). Isotonic: log-odds
    follow the steps of the best increasing map (pool adjacent violators), with a small slope so that texts
    on one step keep their order. Either is extended beyond the scores it was fitted on without a jump.

    Attributes
    ----------
    method_ : {"sigmoid", "isotonic"}
    slope_, intercept_ : float
        Of the line; for isotonic the faint slope.
    knots_, log_odds_ : arrays of shape (n_knots,)
        What is added to the line, linear between knots; none for sigmoid.

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999; Lin, Lin and Weng, "A Note on Platt's
    Probabilistic Outputs for Support Vector Machines", Machine Learning 68 (2007); Zadrozny and Elkan,
    "Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002.
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
        method : {"auto", "sigmoid", "isotonic"}
            ``auto`` is isotonic from ``ENOUGH_FOR_ISOTONIC`` texts of the rarer class.

        Raises
        ------
        InputError
            When lengths differ, a value cannot be used, or a class is missing.
        SettingError
            When ``method`` is unknown.
        """
        if method not in ("auto", "sigmoid", "isotonic"):
            raise SettingError(f"method={method!r}; expected 'auto', 'sigmoid' or 'isotonic'")
        scores, labels, weight = _checked(raw, y, sample_weight)
        rarer = min(labels.sum(), (1 - labels).sum())
        isotonic = method == "isotonic" or (method == "auto" and rarer >= ENOUGH_FOR_ISOTONIC)
        self.method_ = "isotonic" if isotonic else "sigmoid"
        low, high = smoothed_targets(labels, weight)
        spread = max(float(np.sqrt(np.average((scores - scores.mean()) ** 2))), _SETTLED)
        faint = FAINTEST_SLOPE / spread
        if isotonic:
            self._fit_isotonic(scores, labels, weight, np.array([low, high]), faint)
        else:
            target = low + labels * (high - low)
            self.slope_, self.intercept_ = _fit_line(scores, target, weight, faint)
            self.knots_ = self.log_odds_ = np.empty(0)
        return self

    def probability(self, raw: npt.ArrayLike) -> Float1d:
        """Probability of machine, in (0, 1), shape (n_texts,); the higher ``raw``, the higher."""
        scores = np.asarray(raw, dtype=np.float64)
        with np.errstate(over="ignore"):  # infinite log-odds are clipped like all beyond the most
            log_odds = self.slope_ * scores + self.intercept_
        if self.knots_.size:
            log_odds = log_odds + np.interp(scores, self.knots_, self.log_odds_)
        return _expit(log_odds)

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

    def _fit_isotonic(
        self, scores: Float1d, labels: Float1d, weight: Float1d, ends: Float1d, faint: float
    ) -> None:
        from sklearn.isotonic import IsotonicRegression

        steps = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weight)
        shares = np.clip(steps.y_thresholds_, ends[0], ends[1])
        middle = float(np.average(scores, weights=weight))
        self.slope_, self.intercept_ = faint, -faint * middle
        self.knots_ = np.asarray(steps.X_thresholds_, dtype=np.float64)
        self.log_odds_ = np.log(shares) - np.log1p(-shares)


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
