"""Logistic regression heads (ridge, elastic net); cross-validation chooses the penalty."""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from ghostbuster.arrays import Float1d, Float2d, Int1d
from ghostbuster.errors import SettingError
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.heads.trained import TrainedLogistic
from ghostbuster.heads.training_set import TrainingSet, log_loss

PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4)
"""Strengths tried, strongest first, per text: the objective is mean log loss + penalty * norm."""

FALLBACK = 0.01  # where there are too few texts to hold any out


class LogisticHead(TrainedLogistic, BaseEstimator):  # type: ignore[misc]
    """Penalised logistic regression whose strength is chosen by grouped cross-validated log loss.

    Parameters
    ----------
    l1_ratio : float in [0, 1]
        0 is ridge, 1 lasso, between them elastic net (slower, and leaves features out).
    penalties : tuple of float
        Strengths to try; equal losses go to the stronger.
    n_folds : int
        At most; fewer where classes or groups are few.
    random_state : int

    Attributes
    ----------
    coef_, baseline_, penalty_, scaler_
        As ``TrainedLogistic``'s; ``penalty_`` is the strength chosen.

    References
    ----------
    Zou and Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67 (2005).
    """

    def __init__(
        self,
        l1_ratio: float = 0.0,
        penalties: tuple[float, ...] = PENALTIES,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.penalties = penalties
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose the strength on held-out folds, then fit on everything.

        Parameters
        ----------
        X : array of shape (n_texts, n_features)
        y : array of shape (n_texts,)
            Probability of machine; 0 and 1 are certain labels.
        sample_weight, groups : arrays of shape (n_texts,), optional

        Raises
        ------
        InputError
            When ``X``, ``y``, weights or groups cannot be used; the message says which.
        SettingError
            When ``l1_ratio`` or a penalty is out of range.
        """
        self._check_settings()
        data = TrainingSet.checked(X, y, sample_weight, groups)
        self.penalty_ = self._choose(data)
        self.n_features_in_ = data.X.shape[1]
        self.scaler_, path = self._path(data, (self.penalty_,))
        self.coef_, self.baseline_ = path[0]
        return self

    def _choose(self, data: TrainingSet) -> float:
        """The strength of least log loss over held-out folds."""
        strengths = tuple(sorted(self.penalties, reverse=True))
        folds = data.folds(self.n_folds, self.random_state)
        if len(strengths) == 1 or not folds:
            return strengths[0] if len(strengths) == 1 else FALLBACK
        raw = np.empty((len(strengths), data.y.size))
        for train, test in folds:
            scaler, path = self._path(data.take(train), strengths)
            held_out = scaler.transform(data.X[test])
            for i, (coef, baseline) in enumerate(path):
                raw[i, test] = held_out @ coef + baseline
        losses = [log_loss(data.y, scores, data.weight) for scores in raw]
        return strengths[int(np.argmin(losses))]

    def _path(
        self, data: TrainingSet, strengths: tuple[float, ...]
    ) -> tuple[ColumnScaler, list[tuple[Float1d, float]]]:
        """Scaler, and coefficients and intercept at each strength; each starts from the one before."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        scaler = ColumnScaler.fit(data.X, data.weight)
        X, y, weight = _hard(scaler.transform(data.X), data)
        model = self._model()
        path = []
        with threadpool_limits(1, "blas"):  # matrices are slim; and sums keep one order on every machine
            for strength in strengths:
                model.set_params(C=1.0 / (strength * weight.sum()))
                model.fit(X, y, sample_weight=weight)
                path.append((model.coef_[0].copy(), float(model.intercept_[0])))
        return scaler, path

    def _model(self) -> Any:
        """scikit-learn's estimator; Newton steps are fastest for many texts and some hundred features."""
        from sklearn.linear_model import LogisticRegression

        if self.l1_ratio == 0:
            return LogisticRegression(solver="newton-cholesky", tol=1e-5, max_iter=200, warm_start=True)
        settings: dict[str, Any] = {
            "l1_ratio": self.l1_ratio,
            "solver": "saga",
            "tol": 1e-4,
            "max_iter": 5000,
        }
        if inspect.signature(LogisticRegression).parameters["penalty"].default == "l2":
            settings["penalty"] = "elasticnet"  # scikit-learn before 1.8 wants it said
        return LogisticRegression(**settings, warm_start=True, random_state=self.random_state)

    def _check_settings(self) -> None:
        if not 0 <= self.l1_ratio <= 1:
            raise SettingError(f"l1_ratio={self.l1_ratio!r}; expected a number from 0 to 1")
        if not self.penalties or min(self.penalties) <= 0:
            raise SettingError(f"penalties={self.penalties!r}; expected one or more numbers above 0")


class ElasticNetHead(LogisticHead):
    """The same with an elastic-net penalty (half lasso), which drops redundant features.

    Parameters
    ----------
    l1_ratio, penalties, n_folds, random_state
        As ``LogisticHead``'s.
    """

    def __init__(
        self,
        l1_ratio: float = 0.5,
        penalties: tuple[float, ...] = PENALTIES,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        super().__init__(l1_ratio, penalties, n_folds, random_state)


def _hard(X: Float2d, data: TrainingSet) -> tuple[Float2d, Int1d, Float1d]:
    """Soft labels as hard ones: a human and a machine row that share the weight."""
    if not data.is_soft:
        return X, data.y.astype(np.intp), data.weight
    y = np.repeat(np.array([0, 1]), data.y.size)
    weight = np.concatenate([data.weight * (1 - data.y), data.weight * data.y])
    used = weight > 0
    return np.concatenate([X, X])[used], y[used], weight[used]
