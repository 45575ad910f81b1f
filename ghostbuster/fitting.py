"""Features and head fitted together, and their scores on texts that neither has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError
from ghostbuster.features.evaluation import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.search import FeatureSearch
from ghostbuster.features.space import candidates
from ghostbuster.folds import Folds, grouped_folds, leave_one_out
from ghostbuster.heads import Head, make_head
from ghostbuster.scores import Float1d, Int1d, Vectors
from ghostbuster.settings import Settings


@dataclass(frozen=True)
class Examples:
    """Everything known of the training texts, row by row.

    Attributes
    ----------
    candidates : tuple of Feature, length n_candidates
    matrix : float32 array of shape (n_texts, n_candidates)
        Their values; each depends on its own text only, so folds may share them.
    y : array of shape (n_texts,), probability of machine
    weights : array of shape (n_texts,)
    groups, sources : array of shape (n_texts,), or None
        Texts that share a group never stand on both sides of a fold; with sources, folds leave one out.
    """

    candidates: tuple[Feature, ...]
    matrix: npt.NDArray[np.float32]
    y: Float1d
    weights: Float1d
    groups: npt.NDArray[Any] | None = None
    sources: npt.NDArray[Any] | None = None

    def take(self, rows: Int1d) -> Examples:
        """The chosen texts."""
        return Examples(
            self.candidates,
            self.matrix[rows],
            self.y[rows],
            self.weights[rows],
            None if self.groups is None else self.groups[rows],
            None if self.sources is None else self.sources[rows],
        )

    def folds(self, n_folds: int, seed: int) -> Folds:
        """Leave-one-source-out where three or more sources are known, grouped folds elsewhere."""
        hard = (self.y >= 0.5).astype(np.intp)  # noqa: PLR2004
        if self.sources is not None and np.unique(self.sources).size > 2:  # noqa: PLR2004
            return leave_one_out(hard, self.sources, self.groups)
        return grouped_folds(hard, self.groups, n_folds, seed)

    def columns(self, features: tuple[Feature, ...]) -> npt.NDArray[np.float64]:
        """Values of the chosen features, shape (n_texts, n_features)."""
        position = {feature: j for j, feature in enumerate(self.candidates)}
        return self.matrix[:, [position[feature] for feature in features]].astype(np.float64)


@dataclass(frozen=True)
class Fitted:
    """Chosen features and the head trained on them."""

    features: tuple[Feature, ...]
    head: Head

    def matrix(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        """Feature values, shape (n_texts, n_features)."""
        return np.asarray(evaluate_all(self.features, vectors), dtype=np.float64)


def evaluate_candidates(space: str, vectors: Vectors) -> tuple[tuple[Feature, ...], npt.NDArray[np.float32]]:
    """The features of a space and their values, float32 of shape (n_texts, n_candidates)."""
    features = candidates(space, vectors.channels)
    return features, np.asarray(evaluate_all(features, vectors, dtype=np.float32), dtype=np.float32)


def fit_features_and_head(examples: Examples, settings: Settings) -> Fitted:
    """Search, then train the head on what was found; both see these examples only."""
    search = FeatureSearch(
        space=settings.space,
        max_features=settings.max_features,
        criterion=settings.criterion,
        random_state=settings.random_state,
        cv=examples.folds(settings.n_folds, settings.random_state),
    )
    search.fit_matrix(examples.matrix, examples.candidates, examples.y, sample_weight=examples.weights)
    if not search.features_:
        raise InputError(
            f"no feature of space {settings.space!r} tells these {examples.y.size} texts apart on held-out "
            "folds; expected at least one: add texts, or check the labels"
        )
    groups = examples.groups if examples.sources is None else examples.sources
    head = make_head(settings.head, settings.random_state)
    X = examples.columns(search.features_)
    return Fitted(search.features_, head.fit(X, examples.y, sample_weight=examples.weights, groups=groups))


def held_out_scores(
    examples: Examples, settings: Settings, progress: Callable[[int, int], None] | None = None
) -> Float1d:
    """Raw score of every text from features and a head that never saw its fold, shape (n_texts,)."""
    folds = examples.folds(settings.n_folds, settings.random_state)
    raw = np.empty(examples.y.size)
    for done, (train, test) in enumerate(folds):
        fitted = fit_features_and_head(examples.take(train), settings)
        raw[test] = fitted.head.raw_score(examples.take(test).columns(fitted.features))
        if progress is not None:
            progress(done + 1, len(folds))
    return raw
