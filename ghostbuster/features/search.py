"""The search as an estimator: vectors and labels in, chosen features out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.criteria import CRITERIA
from ghostbuster.features.evaluation import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.folds import Fold, drawn_folds, given_folds
from ghostbuster.features.selection import Rules, select_columns
from ghostbuster.features.space import candidates
from ghostbuster.names import did_you_mean
from ghostbuster.scores import Vectors

Float1d = npt.NDArray[np.float64]

PENALTY_SHARE = 4.0
Folds = Iterable[tuple[npt.ArrayLike, npt.ArrayLike]]


@dataclass(frozen=True, slots=True)
class Step:
    """A chosen feature, and the mean held-out criterion with it and all chosen before."""

    feature: Feature
    value: float


class FeatureSearch(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Chooses, one after another, the features that best tell machine-written texts apart on held-out texts.

    Greedy forward selection with L2-penalised logistic regression, after Ghostbuster, on folds that are drawn
    once. Columns are scaled inside each fold (``ColumnScaler``).

    Parameters
    ----------
    space : str
        Candidates: a row of ``SPACES``.
    max_features : int
        Stop at so many.
    criterion : {"log_loss", "auroc", "accuracy"} or None
        Its mean over folds decides (log-loss: the lower the better). None keeps every candidate that is not
        constant, without a search.
    n_folds : int
        Stratified folds, which never part a group.
    random_state : int
        Seed of the folds; all else is deterministic.
    cv : iterable of (train, test) text indices, optional
        Folds in place of ``n_folds``, such as those that leave one source out.
    screen : int or None
        Candidates fitted exactly a round; a score test proposes them. None fits all of them: brute force.
    tolerance : float
        Least improvement of the criterion; the search stops below it.
    max_correlation : float
        Candidates that correlate more than this with a chosen feature are dropped; 1 keeps all.
    C : float or None
        Inverse strength of the L2 penalty, as scikit-learn's; None is ``PENALTY_SHARE`` over the number of
        texts. Such a penalty grows with the texts: it is there for sources that were not seen, to which the
        coefficients of a weaker one do not travel.

    Attributes
    ----------
    features_ : tuple of Feature
        In order of choice.
    history_ : tuple of Step
        The same with the criterion's values (log-loss with a minus sign); empty without a criterion.
    baseline_ : float
        The criterion of no feature at all; NaN without a criterion.
    n_candidates_ : int
        How many features were tried: those of the space that are not constant.

    References
    ----------
    Verma et al., "Ghostbuster", NAACL 2024, arXiv:2305.15047.
    """

    def __init__(
        self,
        space: str = "default",
        max_features: int = 100,
        criterion: str | None = "log_loss",
        n_folds: int = 5,
        random_state: int = 0,
        cv: Folds | None = None,
        screen: int | None = 8,
        tolerance: float = 0.0,
        max_correlation: float = 0.995,
        C: float | None = None,
    ) -> None:
        self.space = space
        self.max_features = max_features
        self.criterion = criterion
        self.n_folds = n_folds
        self.random_state = random_state
        self.cv = cv
        self.screen = screen
        self.tolerance = tolerance
        self.max_correlation = max_correlation
        self.C = C

    def fit(
        self,
        vectors: Vectors,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose features.

        Parameters
        ----------
        vectors : Vectors of n_texts texts
        y : array-like of shape (n_texts,)
            0 human, 1 machine; between them under the criterion ``log_loss``.
        groups : array-like of shape (n_texts,), optional
            Texts of one group (a prompt, a pair) are never parted by a fold; not looked at with ``cv``.
        sample_weight : array-like of shape (n_texts,), optional

        Raises
        ------
        SettingError
            When a parameter is out of range or names no row of its table, or folds do not fit.
        FeatureError
            When the space needs vectors that are not there.
        InputError
            When lengths differ, labels lie outside 0..1 or are of one class, or weights are no weights.
        """
        self._check_settings()
        _labels(y, vectors.n_texts)  # fails before the costly part
        features = candidates(self.space, vectors.channels)
        X = evaluate_all(features, vectors, dtype=np.float32)
        return self.fit_matrix(X, features, y, groups, sample_weight)

    def fit_matrix(
        self,
        X: npt.NDArray[np.floating],
        features: Sequence[Feature],
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose among columns evaluated before: ``fit`` without its first step.

        Parameters
        ----------
        X : array of shape (n_texts, n_features)
            As ``evaluate_all(features, vectors)`` makes it.
        features : sequence of Feature, length n_features
            What the columns are; ``space`` is not looked at.
        y, groups, sample_weight
            As in ``fit``.

        Raises
        ------
        InputError, SettingError
            As in ``fit``.
        """
        self._check_settings()
        if X.ndim != 2 or X.shape[1] != len(features):  # noqa: PLR2004
            raise InputError(
                f"matrix has shape {X.shape}; expected one column for each of {len(features)} features"
            )
        labels = _labels(y, X.shape[0])
        weight = _weights(sample_weight, labels.size)
        varying = np.flatnonzero(_varies(X)).tolist()
        self.n_candidates_ = len(varying)
        if self.criterion is None:
            self._keep_all([features[i] for i in varying])
            return self
        criterion = CRITERIA[self.criterion]
        if not criterion.soft_labels and not np.isin(labels, (0, 1)).all():
            raise SettingError(
                f"criterion {self.criterion!r} wants labels 0 and 1; use log_loss for soft labels"
            )
        folds = self._folds(labels, groups)
        C = PENALTY_SHARE / labels.size if self.C is None else self.C
        rules = Rules(criterion, self.max_features, self.screen, self.tolerance, self.max_correlation, C)
        columns = np.asfortranarray(X[:, varying], dtype=np.float32)
        with threadpool_limits(1, user_api="blas"):  # its matrices are slim: threads wait for each other
            self.baseline_, chosen = select_columns(columns, labels, weight, folds, rules)
        self.history_ = tuple(Step(features[varying[c.column]], c.value) for c in chosen)
        self.features_ = tuple(step.feature for step in self.history_)
        return self

    def transform(self, vectors: Vectors) -> Float1d:
        """The chosen features of other texts: float64 of shape (n_texts, n_chosen).

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        FeatureError
            When a vector is missing.
        """
        check_is_fitted(self, "features_")
        return np.ascontiguousarray(evaluate_all(self.features_, vectors), dtype=np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Expressions of the chosen features; ``input_features`` is scikit-learn's and not looked at."""
        check_is_fitted(self, "features_")
        return np.array([str(feature) for feature in self.features_], dtype=object)

    def _folds(self, labels: Float1d, groups: npt.ArrayLike | None) -> tuple[Fold, ...]:
        if self.cv is None:
            folds = drawn_folds(labels, groups, self.n_folds, self.random_state)
        else:
            folds = given_folds(self.cv, labels)
        if self.criterion == "auroc" and any(np.unique(labels[test]).size == 1 for _, test in folds):
            raise SettingError("a fold tests on one class only, where auroc is undefined; use log_loss")
        return folds

    def _keep_all(self, features: list[Feature]) -> None:
        if len(features) > self.max_features:
            raise SettingError(
                f"criterion None keeps all {len(features)} candidates of space {self.space!r}; "
                f"raise max_features from {self.max_features}, or name a criterion"
            )
        self.baseline_, self.history_, self.features_ = float("nan"), (), tuple(features)

    def _check_settings(self) -> None:
        if self.criterion is not None and self.criterion not in CRITERIA:
            raise SettingError(f"no criterion {self.criterion!r}; {did_you_mean(self.criterion, CRITERIA)}")
        for name, value, least in (("max_features", self.max_features, 1), ("screen", self.screen, 1)):
            if value is not None and value < least:
                raise SettingError(f"{name} is {value}; expected at least {least}")
        if self.C is not None and not self.C > 0:
            raise SettingError(f"C is {self.C}; expected a positive number")
        if not 0 < self.max_correlation <= 1:
            raise SettingError(
                f"max_correlation is {self.max_correlation}; expected more than 0 and at most 1"
            )
        if not self.tolerance >= 0:
            raise SettingError(f"tolerance is {self.tolerance}; expected 0 or more")


def _labels(y: npt.ArrayLike, n_texts: int) -> Float1d:
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (n_texts,):
        raise InputError(f"labels have shape {labels.shape}; expected ({n_texts},), one a text")
    if not np.all((labels >= 0) & (labels <= 1)):
        raise InputError("labels lie outside 0..1; expected 0 for human, 1 for machine, or a probability")
    if np.all(labels == labels[:1]):
        raise InputError("labels are all the same; expected both human and machine texts")
    return labels


def _weights(sample_weight: npt.ArrayLike | None, n_texts: int) -> Float1d:
    """Weights of mean 1."""
    weight = np.ones(n_texts) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_texts,):
        raise InputError(f"sample_weight has shape {weight.shape}; expected ({n_texts},), one a text")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() == 0:
        raise InputError("sample_weight holds a negative number, NaN or infinity, or only noughts")
    return weight * (n_texts / float(weight.sum()))


def _varies(X: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Columns whose values differ by more than float32 rounding."""
    low, high = X.min(axis=0), X.max(axis=0)
    varies: npt.NDArray[np.bool_] = (high - low) > 1e-6 * np.maximum(np.abs(low), np.abs(high))
    return varies
