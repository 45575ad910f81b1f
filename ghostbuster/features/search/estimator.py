"""The feature search as a scikit-learn estimator: vectors and labels in, selected features out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ghostbuster.arrays import AnyFloat, Float1d, Float32, Vectors
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.search.columns import Columns, fill_columns
from ghostbuster.features.search.criteria import CRITERIA
from ghostbuster.features.search.inputs import Labelled, check_settings
from ghostbuster.features.search.selection import Problem, Rules, select_columns
from ghostbuster.features.spaces import candidates
from ghostbuster.folds import Fold, drawn_folds, fold_order, given_folds, source_folds

PENALTY_SHARE = 4.0
DEFAULT_FOLDS = 5
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
    select_across : {"source"} or None
        With ``"source"``, features are preferred whose effect is the same in every source: the folds leave
        one source out, columns are first centred by source, so that only differences within sources count,
        and a candidate is worth its mean gain over the sources less the standard error of that mean: the
        lower end of what a further source may gain. ``fit`` then needs ``sources``.
    cv : int or iterable of (train, test) text indices, optional
        Number of stratified folds, which never part a group, or the folds themselves; None is 5.
    random_state : int
        Seed of the folds; all else is deterministic.
    screen : int or None
        Candidates fitted exactly a round; a score test proposes them. None fits all of them: brute force.
    max_correlation : float
        Candidates that correlate more than this with a chosen feature are dropped; 1 keeps all.
    C : float or None
        Inverse strength of the L2 penalty, as scikit-learn's; None is ``PENALTY_SHARE`` over the number of
        texts. Such a penalty grows with the texts: it is there for sources that were not seen, to which the
        coefficients of a weaker one do not travel.
    max_memory : int
        Bytes for the candidates' values; where they need more, they are kept in a temporary file.

    Attributes
    ----------
    features_ : tuple of Feature
        In order of choice.
    history_ : tuple of Step
        The same with the criterion's values (log-loss with a minus sign); empty without a criterion.
    baseline_ : float
        The criterion of no feature at all; NaN without a criterion.
    shortlist_ : tuple of Feature
        Candidates that were fitted exactly, or among the most promising, in some round; all of ``features_``
        are among them.
    n_candidates_ : int
        How many features were tried: those of the space that are not constant.

    Notes
    -----
    Candidates are evaluated by as many threads as ``joblib.parallel_config(n_jobs=...)`` allows around
    ``fit``, one without it; they share the vectors, and the result is the same for any number.

    References
    ----------
    Verma et al., "Ghostbuster", NAACL 2024, arXiv:2305.15047.
    """

    def __init__(
        self,
        space: str = "default",
        max_features: int = 100,
        criterion: str | None = "log_loss",
        select_across: str | None = None,
        cv: int | Folds | None = 5,
        random_state: int = 0,
        screen: int | None = 8,
        max_correlation: float = 0.995,
        C: float | None = None,
        max_memory: int = 2**31,
    ) -> None:
        self.space = space
        self.max_features = max_features
        self.criterion = criterion
        self.select_across = select_across
        self.cv = cv
        self.random_state = random_state
        self.screen = screen
        self.max_correlation = max_correlation
        self.C = C
        self.max_memory = max_memory

    def fit(
        self,
        vectors: Vectors,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        sources: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose features.

        Parameters
        ----------
        vectors : Vectors of n_texts texts
        y : array-like of shape (n_texts,)
            0 human, 1 machine; between them under the criterion ``log_loss``.
        groups : array-like of shape (n_texts,), optional
            Texts of one group (a prompt, a pair) are never parted by a fold; not looked at where ``cv`` holds
            folds.
        sample_weight : array-like of shape (n_texts,), optional
        sources : array-like of shape (n_texts,), optional
            Where each text comes from; only looked at with ``select_across``.

        Raises
        ------
        SettingError
            When a parameter is out of range or names no row of its table, or folds do not fit.
        FeatureError
            When the space needs vectors that are not there.
        InputError
            When lengths differ, labels lie outside 0..1 or are of one class, weights are no weights, or
            sources are missing, too few, or have texts of one class only.
        """
        self._check_settings()
        labelled, folds = self._inputs(vectors.n_texts, y, groups, sample_weight, sources)
        features = candidates(self.space, vectors.channels)

        def evaluated(which: slice) -> Float32:
            return np.asarray(evaluate_all(features[which], vectors, dtype=np.float32, n_jobs=None))

        return self._choose(evaluated, features, labelled, folds)

    def fit_matrix(
        self,
        X: AnyFloat,
        features: Sequence[Feature],
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        sources: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose among columns evaluated before: ``fit`` without its first step.

        Parameters
        ----------
        X : array of shape (n_texts, n_features)
            As ``evaluate_all(features, vectors)`` makes it.
        features : sequence of Feature, length n_features
            What the columns are; ``space`` is not looked at.
        y, groups, sample_weight, sources
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
        labelled, folds = self._inputs(X.shape[0], y, groups, sample_weight, sources)
        return self._choose(
            lambda which: X[:, which].astype(np.float32, copy=False), features, labelled, folds
        )

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

    def _check_settings(self) -> None:
        counts = {"max_features": self.max_features, "screen": self.screen}
        check_settings(self.criterion, self.select_across, counts, self.C, self.max_correlation)

    def _choose(
        self,
        columns_of: Callable[[slice], Float32],
        features: Sequence[Feature],
        labelled: Labelled,
        folds: tuple[Fold, ...],
    ) -> Self:
        """Keep the candidates that vary, and search them."""
        order, cells = fold_order(folds, labelled.y.size)
        with Columns(order.size, len(features), self.max_memory) as columns:
            kept = [features[i] for i in fill_columns(columns, columns_of, labelled, order)]
            self.n_candidates_ = len(kept)
            if self.criterion is None:
                self._keep_all(kept)
                return self
            place = np.argsort(order)
            moved = tuple((np.sort(place[train]), np.sort(place[test])) for train, test in folds)
            problem = Problem(columns, labelled.y[order], labelled.weight[order], moved, cells)
            with threadpool_limits(1, user_api="blas"):  # its matrices are slim: threads wait for each other
                found = select_columns(problem, self._rules(order.size))
        self.baseline_ = found.baseline
        self.history_ = tuple(Step(kept[c.column], c.value) for c in found.chosen)
        self.shortlist_ = tuple(kept[i] for i in found.shortlist)
        self.features_ = tuple(step.feature for step in self.history_)
        return self

    def _inputs(
        self,
        n_texts: int,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None,
        sample_weight: npt.ArrayLike | None,
        sources: npt.ArrayLike | None,
    ) -> tuple[Labelled, tuple[Fold, ...]]:
        """Labels, weights and folds, checked before the costly part."""
        if self.select_across is not None and sources is None:
            raise InputError("select_across='source' needs sources; expected one a text: give them to fit")
        labelled = Labelled.checked(
            n_texts, y, sample_weight, None if self.select_across is None else sources
        )
        if self.criterion is not None and not CRITERIA[self.criterion].soft_labels:
            labelled.check_hard(self.criterion)
        return labelled, self._folds(labelled, groups)

    def _folds(self, labelled: Labelled, groups: npt.ArrayLike | None) -> tuple[Fold, ...]:
        if self.criterion is None:
            return ()
        if self.cv is not None and not isinstance(self.cv, int):
            folds = given_folds(self.cv, labelled.y)
        elif labelled.sources is not None:
            folds = source_folds(labelled.y, labelled.sources, groups)
        else:
            n_folds = DEFAULT_FOLDS if self.cv is None else self.cv
            folds = drawn_folds(labelled.y, groups, n_folds, self.random_state)
        if self.criterion == "auroc" and any(np.unique(labelled.y[test]).size == 1 for _, test in folds):
            raise SettingError("a fold tests on one class only, where auroc is undefined; use log_loss")
        return folds

    def _rules(self, n_texts: int) -> Rules:
        C = PENALTY_SHARE / n_texts if self.C is None else self.C
        criterion, caution = CRITERIA[str(self.criterion)], float(self.select_across is not None)
        return Rules(criterion, self.max_features, self.screen, self.max_correlation, C, caution)

    def _keep_all(self, features: list[Feature]) -> None:
        if len(features) > self.max_features:
            raise SettingError(
                f"criterion None keeps all {len(features)} candidates of space {self.space!r}; "
                f"raise max_features from {self.max_features}, or name a criterion"
            )
        self.baseline_, self.history_ = float("nan"), ()
        self.features_ = self.shortlist_ = tuple(features)
