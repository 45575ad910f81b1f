"""Heads: what turns a text's features into one score. To add one, add its row to ``HEADS``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy.typing as npt

from ghostbuster.head_inputs import Float1d, Float2d
from ghostbuster.lightgbm_head import LightGBMHead
from ghostbuster.logistic_head import ElasticNetHead, LogisticHead
from ghostbuster.names import pick


class Head(Protocol):
    """A trainable map from features to log-odds of machine.

    Attributes
    ----------
    baseline_ : float
        ``raw_score(X)`` is ``baseline_`` plus the sum of ``contributions(X)``.
    """

    baseline_: float

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from features (n_texts, n_features) and probabilities of machine (n_texts,)."""
        ...

    def raw_score(self, X: npt.ArrayLike) -> Float1d:
        """Log-odds of machine, not yet calibrated, shape (n_texts,)."""
        ...

    def contributions(self, X: npt.ArrayLike) -> Float2d:
        """What each feature adds to ``raw_score``, shape (n_texts, n_features)."""
        ...

    def state(self) -> dict[str, Any]:
        """Plain containers, numbers, strings and arrays."""
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The head that ``state`` describes."""
        ...


HEADS: dict[str, type[LogisticHead | LightGBMHead]] = {
    "logistic": LogisticHead,
    "elastic-net": ElasticNetHead,
    "lightgbm": LightGBMHead,
}


def make_head(name: str, random_state: int = 0) -> Head:
    """A new head by its name in ``HEADS``.

    Raises
    ------
    SettingError
        When the name is unknown; the nearest known one is suggested.
    """
    return pick(HEADS, name, "head")(random_state=random_state)
