"""LightGBM head: gradient-boosted trees, with early stopping on grouped folds."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from ghostbuster.errors import SettingError
from ghostbuster.folds import Folds
from ghostbuster.heads.trained import TrainedTrees
from ghostbuster.heads.training_set import TrainingSet

PATIENCE = 50  # trees without a better held-out loss before a fold stops
LEAST_IN_LEAF, TEXTS_PER_LEAF = 5, 100  # a leaf holds a hundredth of the texts, five at least, twenty at most
FALLBACK = 50  # trees, where there are too few texts to hold any out


class LightGBMHead(TrainedTrees, BaseEstimator):  # type: ignore[misc]
    """Boosted trees under the cross-entropy of soft labels, stopped early on grouped folds.

    The number of trees is the median of the folds' best; all texts then train that many.

    Parameters
    ----------
    learning_rate : float
    num_leaves : int
        Of each tree.
    max_trees : int
    monotone : bool
        Hold a feature's effect to one direction wherever every fold agrees on it; folds are whole sources
        where ``groups`` are.
    n_folds : int
        At most; fewer where classes or groups are few.
    n_threads : int
        Fixed, because the order of sums follows it. One by default: LightGBM's threads wait for each other in
        busy loops, and on a machine with other work several are many times slower than one.
    random_state : int

    Attributes
    ----------
    n_trees_, baseline_, constraints_
        As ``TrainedTrees``'s.

    References
    ----------
    Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017; contributions
    are SHAP values, Lundberg and Lee, NeurIPS 2017, arXiv:1705.07874.
    """

    def __init__(
        self,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        max_trees: int = 1000,
        monotone: bool = True,
        n_folds: int = 5,
        n_threads: int = 1,
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_trees = max_trees
        self.monotone = monotone
        self.n_folds = n_folds
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose the number of trees on held-out folds, then grow them on everything.

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
            When a parameter is out of range.
        """
        self._check_settings()
        data = TrainingSet.checked(X, y, sample_weight, groups)
        folds = data.folds(self.n_folds, self.random_state)
        self.constraints_ = stable_signs(data, folds) if self.monotone else (0,) * data.X.shape[1]
        self.n_trees_ = self._choose(data, folds)
        self.n_features_in_ = data.X.shape[1]
        self._restore(self._grow(data, self.n_trees_).model_to_string())
        return self

    def _choose(self, data: TrainingSet, folds: Folds) -> int:
        """Median over folds of the best number of trees."""
        best = [
            self._grow(data.take(train), self.max_trees, data.take(test)).best_iteration
            for train, test in folds
        ]
        return max(1, round(float(np.median(best)))) if best else min(FALLBACK, self.max_trees)

    def _grow(self, data: TrainingSet, n_trees: int, held_out: TrainingSet | None = None) -> Any:
        """Train ``n_trees``, or fewer where the loss on ``held_out`` stops falling."""
        import lightgbm

        params = self._params(data.y.size)
        train = lightgbm.Dataset(data.X, data.y, weight=data.weight, params=params)
        if held_out is None:
            return lightgbm.train(params, train, n_trees)
        valid = lightgbm.Dataset(held_out.X, held_out.y, weight=held_out.weight, reference=train)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        return lightgbm.train(params, train, n_trees, valid_sets=[valid], callbacks=[stop])

    def _params(self, n_texts: int) -> dict[str, Any]:
        """LightGBM's settings; small leaves only where texts are few."""
        return {
            "objective": "cross_entropy",
            "metric": "cross_entropy",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": int(np.clip(n_texts // TEXTS_PER_LEAF, LEAST_IN_LEAF, 4 * LEAST_IN_LEAF)),
            "min_sum_hessian_in_leaf": 1e-3,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "monotone_constraints": list(self.constraints_) if any(self.constraints_) else None,
            "seed": self.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.n_threads,
            "verbosity": -1,
        }

    def _check_settings(self) -> None:
        for name, least in (("num_leaves", 2), ("max_trees", 1), ("n_threads", 1)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}={getattr(self, name)!r}; expected {least} or more")
        if not 0 < self.learning_rate <= 1:
            raise SettingError(f"learning_rate={self.learning_rate!r}; expected a number above 0, at most 1")


def stable_signs(data: TrainingSet, folds: Folds) -> tuple[int, ...]:
    """Sign of each feature's covariance with the label where all held-out folds agree, else 0."""
    if not folds:
        return (0,) * int(data.X.shape[1])
    signs = []
    for _, test in folds:
        part = data.take(test)
        weight = part.weight / part.weight.sum()
        signs.append(np.sign((weight * (part.y - weight @ part.y)) @ part.X))
    agreed: list[float] = (np.sum(signs, axis=0) / len(folds)).tolist()
    return tuple(int(sign) if abs(sign) == 1 else 0 for sign in agreed)
