"""Trained heads: feature matrix to raw scores. None of them imports scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Float2d
from ghostbuster.errors import ArtifactError
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.heads.lightgbm_text import Trees
from ghostbuster.heads.validation import check_fitted, finite_matrix


class TrainedHead(Protocol):
    """Features to log-odds of machine.

    Attributes
    ----------
    baseline_ : float
        ``raw_score(X)`` is ``baseline_`` plus the sum of ``contributions(X)``.
    n_features_in_ : int
        Columns of ``X``.
    """

    baseline_: float
    n_features_in_: int

    def raw_score(self, X: npt.ArrayLike) -> Float1d:
        """Log-odds of machine, not yet calibrated, shape (n_texts,)."""
        ...

    def contributions(self, X: npt.ArrayLike) -> Float2d:
        """What each feature adds to ``raw_score``, shape (n_texts, n_features)."""
        ...

    def arrays(self) -> Mapping[str, AnyArray]:
        """Learned arrays by name, each of shape (n_features,); other shapes in a file are refused."""
        ...

    def state(self) -> dict[str, Any]:
        """Plain containers, numbers, strings and arrays."""
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The head that ``state`` describes."""
        ...


class TrainedLogistic:
    """Linear model on scaled features.

    Attributes
    ----------
    coef_ : array of shape (n_features,)
        In log-odds per scaled unit of a feature.
    baseline_ : float
        Log-odds of a text whose features are all average.
    penalty_ : float
    scaler_ : ColumnScaler
    n_features_in_ : int
    """

    coef_: Float1d
    baseline_: float
    penalty_: float
    scaler_: ColumnScaler
    n_features_in_: int

    def raw_score(self, X: npt.ArrayLike) -> Float1d:
        """Log-odds of machine, shape (n_texts,)."""
        # no matrix product: BLAS sums in another order for another number of texts
        return np.asarray(self.contributions(X).sum(axis=1) + self.baseline_)

    def contributions(self, X: npt.ArrayLike) -> Float2d:
        """What each feature adds to ``raw_score``, shape (n_texts, n_features); with ``baseline_`` exact."""
        return np.ascontiguousarray(self._scaled(X) * self.coef_)

    def arrays(self) -> dict[str, AnyArray]:
        """Coefficients, and the scaler's means and scales, each of shape (n_features,)."""
        return {"coef": self.coef_, "scaler.mean": self.scaler_.mean, "scaler.scale": self.scaler_.scale}

    def state(self) -> dict[str, Any]:
        """Plain numbers and arrays that ``from_state`` reads."""
        check_fitted(self, "coef_")
        return {
            "coef": self.coef_,
            "baseline": self.baseline_,
            "penalty": self.penalty_,
            "scaler": self.scaler_.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The head that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing or shapes differ.
        """
        made = cls()
        try:
            made.scaler_ = ColumnScaler.from_state(state["scaler"])
            made.coef_ = np.array(state["coef"], dtype=np.float64)
            made.baseline_ = float(state["baseline"])
            made.penalty_ = float(state["penalty"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"logistic head cannot be restored ({error}); train it again") from None
        if made.coef_.shape != made.scaler_.mean.shape:
            raise ArtifactError(
                f"logistic head has coefficients {made.coef_.shape} for {made.scaler_.mean.shape} features; "
                "train it again"
            )
        made.n_features_in_ = made.coef_.size
        return made

    def _scaled(self, X: npt.ArrayLike) -> Float2d:
        check_fitted(self, "coef_")
        return self.scaler_.transform(finite_matrix(X, self.n_features_in_))


class TrainedTrees:
    """Boosted trees, read and evaluated by LightGBM.

    Attributes
    ----------
    trees_ : str
        LightGBM's own text.
    n_trees_, n_features_in_ : int
    baseline_ : float
        Log-odds that ``contributions`` start from: the trees' mean over the training texts.
    constraints_ : tuple of int
        1 where a feature may only raise the score, -1 only lower it, 0 either.
    """

    n_threads: int = 1
    trees_: str
    n_trees_: int
    baseline_: float
    constraints_: tuple[int, ...]
    n_features_in_: int

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

    def arrays(self) -> dict[str, AnyArray]:
        """None: the trees are one text, checked when it is read."""
        return {}

    def state(self) -> dict[str, Any]:
        """The trees as LightGBM's own text, and plain numbers, that ``from_state`` reads."""
        check_fitted(self, "booster_")
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

    def _matrix(self, X: npt.ArrayLike) -> Float2d:
        check_fitted(self, "booster_")
        return finite_matrix(X, self.n_features_in_)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"trees are {type(value).__name__}, not text")
    return value
