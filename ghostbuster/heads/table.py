"""Registry of heads. To add one, write its two classes and add a row to ``HEADS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy.typing as npt

from ghostbuster.heads.trained import TrainedHead, TrainedLogistic, TrainedTrees
from ghostbuster.registry import lookup


class Head(TrainedHead, Protocol):
    """A head that can be trained."""

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from features (n_texts, n_features) and probabilities of machine (n_texts,)."""
        ...


@dataclass(frozen=True)
class HeadKind:
    """A row of ``HEADS``.

    Attributes
    ----------
    trained : type
        What scoring needs; its ``from_state`` reads what an artifact holds. It imports no scikit-learn.
    trainable : callable
        Imports and returns the estimator class that training needs, a subclass of ``trained``.
    """

    trained: type[TrainedHead]
    trainable: Callable[[], Callable[..., Head]]


def _logistic() -> Callable[..., Head]:
    from ghostbuster.heads.logistic import LogisticHead

    return LogisticHead


def _elastic_net() -> Callable[..., Head]:
    from ghostbuster.heads.logistic import ElasticNetHead

    return ElasticNetHead


def _lightgbm() -> Callable[..., Head]:
    from ghostbuster.heads.lightgbm import LightGBMHead

    return LightGBMHead


HEADS: dict[str, HeadKind] = {
    "logistic": HeadKind(TrainedLogistic, _logistic),
    "elastic-net": HeadKind(TrainedLogistic, _elastic_net),
    "lightgbm": HeadKind(TrainedTrees, _lightgbm),
}


def make_head(name: str, random_state: int = 0, **settings: Any) -> Head:
    """A new head, to be trained.

    Parameters
    ----------
    name : str
        A row of ``HEADS``.
    random_state : int
    **settings
        Parameters of that head's constructor.

    Raises
    ------
    SettingError
        When the name is unknown; the nearest known one is suggested.
    """
    return lookup(HEADS, name, "head").trainable()(random_state=random_state, **settings)
