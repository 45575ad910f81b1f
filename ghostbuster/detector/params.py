"""A classifier's parameters, checked before anything costly starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghostbuster.decision.thresholds import RATES
from ghostbuster.errors import SettingError
from ghostbuster.features.search.criteria import CRITERIA
from ghostbuster.features.spaces import SPACES
from ghostbuster.heads.trained import TRAINED_HEADS
from ghostbuster.registry import did_you_mean

if TYPE_CHECKING:
    from ghostbuster.detector.classifier import GhostbusterClassifier


@dataclass(frozen=True)
class Settings:
    """The parameters that fitting needs."""

    space: str
    max_features: int
    criterion: str
    head: str
    lexical_weight: float
    n_folds: int
    random_state: int


def check_row(kind: str, name: Any, table: Collection[str]) -> None:
    """Refuse a name that a table does not know.

    Raises
    ------
    SettingError
        Names the parameter and the nearest row.
    """
    if name not in table:
        raise SettingError(f"{kind}={name!r} is unknown; {did_you_mean(str(name), table)}")


def check_rate(rate: float) -> None:
    """Refuse a false-positive rate that no threshold is stored for.

    Raises
    ------
    SettingError
        Lists those that are.
    """
    if rate not in RATES:
        raise SettingError(f"max_fpr={rate!r}; expected one of {RATES}")


def fit_settings(classifier: GhostbusterClassifier) -> Settings:
    """The checked settings of a classifier.

    Raises
    ------
    SettingError
        When a parameter is out of range or names no row of its table.
    """
    check_row("space", classifier.space, SPACES)
    check_row("criterion", classifier.criterion, CRITERIA)
    check_row("head", classifier.head, TRAINED_HEADS)
    check_rate(classifier.max_fpr)
    if not 0 <= classifier.lexical_weight < 1:
        raise SettingError(
            f"lexical_weight={classifier.lexical_weight!r}; expected 0 or more, and less than 1"
        )
    for name, least in (("max_features", 1), ("min_tokens", 1), ("n_folds", 2)):
        if getattr(classifier, name) < least:
            raise SettingError(f"{name}={getattr(classifier, name)!r}; expected {least} or more")
    return Settings(
        classifier.space,
        classifier.max_features,
        classifier.criterion,
        classifier.head,
        classifier.lexical_weight,
        classifier.n_folds,
        classifier.random_state,
    )
