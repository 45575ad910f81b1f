"""Gradient-boosted trees, as many as held-out texts ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ghostbuster.errors import ArtifactError, SettingError
from ghostbuster.folds import Folds
from ghostbuster.head_inputs import Float1d, Float2d, TrainingSet, finite_matrix
from ghostbuster.lightgbm_trees import Trees

PATIENCE = 50  # trees without a better held-out loss before a fold stops
LEAST_IN_LEAF, TEXTS_PER_LEAF = 5, 100  # a leaf holds a hundredth of the texts, five at least, twenty at most
FALLBACK = 50  # trees, where there are too few texts to hold any out


class LightGBMHead(BaseEstimator):  # type: ignore[misc]
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
    n_trees_ : int
    baseline_ : float
        Log-odds that ``contributions`` start from: the trees' mean over the training texts.
    constraints_ : tuple of int
        1 where a feature may only raise the score, -1 only lower it, 0 either.

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

    def raw_score(self, X: npt.ArrayLike) -> Float1d:
        """Log-odds of machine, shape (n_texts,)."""
        matrix = self._matrix(X)
        if not matrix.shape[0]:
            return np.empty(0)
        return np.asarray(self.booster_.predict(matrix, raw_score=True, num_threads=self.n_threads))

    def contributions(self, X: npt.ArrayLike) -> Float2d:
        """What each feature adds to ``raw_score``, shape (n_texts, n_features); with ``baseline_`` exact."""
        matrix = self._matrix(X)
        if not matrix.shape[0]:
            return np.empty(matrix.shape)
        shares = self.booster_.predict(matrix, pred_contrib=True, num_threads=self.n_threads)
        return np.asarray(shares)[:, :-1]

    def state(self) -> dict[str, Any]:
        """The trees as LightGBM's own text, and plain numbers, that ``from_state`` reads."""
        check_is_fitted(self, "booster_")
        return {
            "trees": self.trees_,
            "n_trees": self.n_trees_,
            "n_features": self.n_features_in_,
            "constraints": list(self.constraints_),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The head that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing, or LightGBM cannot read the trees.
        """
        import lightgbm

        made = cls()
        try:
            made.n_trees_ = int(state["n_trees"])
            made.n_features_in_ = int(state["n_features"])
            made.constraints_ = tuple(int(sign) for sign in state["constraints"])
            made._restore(_text(state["trees"]))
        except (KeyError, TypeError, ValueError, OverflowError, lightgbm.basic.LightGBMError) as error:
            raise ArtifactError(f"lightgbm head cannot be restored ({error}); train it again") from None
        if made.booster_.num_feature() != made.n_features_in_:
            raise ArtifactError(
                f"lightgbm head has trees of {made.booster_.num_feature()} features, not "
                f"{made.n_features_in_}; train it again"
            )
        return made

    def _restore(self, trees: str) -> None:
        """Read the trees; scores always come from the text that an artifact stores."""
        import lightgbm

        self.trees_ = trees
        self.booster_ = lightgbm.Booster(model_str=str(Trees.parse(trees)))
        empty = np.zeros((1, self.booster_.num_feature()))
        self.baseline_ = float(np.asarray(self.booster_.predict(empty, pred_contrib=True))[0, -1])

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

    def _matrix(self, X: npt.ArrayLike) -> Float2d:
        check_is_fitted(self, "booster_")
        return finite_matrix(X, self.n_features_in_)

    def _check_settings(self) -> None:
        for name, least in (("num_leaves", 2), ("max_trees", 1), ("n_threads", 1)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}={getattr(self, name)!r}; expected {least} or more")
        if not 0 < self.learning_rate <= 1:
            raise SettingError(f"learning_rate={self.learning_rate!r}; expected a number above 0, at most 1")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"trees are {type(value).__name__}, not text")
    return value


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
