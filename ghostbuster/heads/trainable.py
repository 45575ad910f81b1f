"""Heads that can be trained. To add one, add a row to ``HEADS``, and what it becomes to ``TRAINED_HEADS``."""

from __future__ import annotations

from typing import Protocol, Self

import numpy.typing as npt

from ghostbuster.heads.lightgbm import LightGBMHead
from ghostbuster.heads.logistic import ElasticNetHead, LogisticHead
from ghostbuster.heads.trained import TrainedHead
from ghostbuster.registry import lookup


class Head(TrainedHead, Protocol):
    """A trainable map from features to log-odds of machine."""

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from features (n_texts, n_features) and probabilities of machine (n_texts,)."""
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
    return lookup(HEADS, name, "head")(random_state=random_state)
