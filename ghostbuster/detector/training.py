"""Train features, head and lexicon, and score every text by ones that never saw its fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Float32, Int1d, Progress, Vectors
from ghostbuster.detector.params import Params
from ghostbuster.errors import InputError
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import candidates
from ghostbuster.folds import Folds, grouped_folds, is_machine, leave_one_out, sources_to_hold_out
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.scorer import Scorer
from ghostbuster.heads.table import make_head


@dataclass(frozen=True)
class Examples:
    """The training texts: feature matrix, labels, weights, groups and sources.

    Attributes
    ----------
    candidates : tuple of Feature, length n_candidates
    matrix : float32 array of shape (n_texts, n_candidates)
        Their values; each depends on its own text only, so folds may share them.
    texts : tuple of str, length n_texts
        Prepared.
    y : array of shape (n_texts,), probability of machine
    weights : array of shape (n_texts,)
    groups, sources : array of shape (n_texts,), or None
        Texts that share a group never stand on both sides of a fold; with sources, folds leave one out.
    """

    candidates: tuple[Feature, ...]
    matrix: Float32
    texts: tuple[str, ...]
    y: Float1d
    weights: Float1d
    groups: AnyArray | None = None
    sources: AnyArray | None = None

    def take(self, rows: Int1d) -> Examples:
        """The chosen texts."""
        return Examples(
            self.candidates,
            self.matrix[rows],
            tuple(self.texts[i] for i in rows.tolist()),
            self.y[rows],
            self.weights[rows],
            None if self.groups is None else self.groups[rows],
            None if self.sources is None else self.sources[rows],
        )

    @property
    def left_out(self) -> AnyArray | None:
        """Sources, where each is a fold: three or more are known."""
        return sources_to_hold_out(self.sources)

    def folds(self, n_folds: int, seed: int) -> Folds:
        """Leave-one-source-out where three or more sources are known, grouped folds elsewhere."""
        hard = is_machine(self.y).astype(np.intp)
        if self.left_out is not None:
            return leave_one_out(hard, self.left_out, self.groups)
        return grouped_folds(hard, self.groups, n_folds, seed)

    def columns(self, features: tuple[Feature, ...]) -> npt.NDArray[np.float64]:
        """Values of the chosen features, shape (n_texts, n_features)."""
        position = {feature: j for j, feature in enumerate(self.candidates)}
        return self.matrix[:, [position[feature] for feature in features]].astype(np.float64)


def mix_of(held_out: npt.NDArray[np.float64], lexical_weight: float) -> tuple[float, float]:
    """Multipliers of head and lexicon: equal spread on held-out texts, then their shares.

    Parameters
    ----------
    held_out : array of shape (n_texts, 2)
        Log-odds by head and by lexicon of texts that neither saw.
    lexical_weight : float
        The lexicon's share, 0 to 1.
    """
    if lexical_weight == 0:
        return 1.0, 0.0
    spread = np.maximum(held_out.std(axis=0), 1e-12)
    scale = float(spread.mean())
    return (1 - lexical_weight) * scale / float(spread[0]), lexical_weight * scale / float(spread[1])


def evaluate_candidates(space: str, vectors: Vectors) -> tuple[tuple[Feature, ...], Float32]:
    """The features of a space and their values, float32 of shape (n_texts, n_candidates)."""
    features = candidates(space, vectors.channels)
    return features, np.asarray(evaluate_all(features, vectors, dtype=np.float32), dtype=np.float32)


def fit_parts(examples: Examples, params: Params) -> Scorer:
    """Search features, train the head on them, and train a lexicon, all on these examples only.

    Search and head are given columns that are centred by source (``center_sources``).
    """
    examples = replace(examples, matrix=center_sources(examples.matrix, examples.y, examples.sources))
    search = FeatureSearch(
        space=params.space,
        max_features=params.max_features,
        criterion=params.criterion,
        random_state=params.random_state,
        cv=examples.folds(params.n_folds, params.random_state),
    )
    search.fit_matrix(examples.matrix, examples.candidates, examples.y, sample_weight=examples.weights)
    if not search.features_:
        raise InputError(
            f"no feature of space {params.space!r} tells these {examples.y.size} texts apart on held-out "
            "folds; expected at least one: add texts, or check the labels"
        )
    groups = examples.groups if examples.sources is None else examples.sources
    head = make_head(params.head, params.random_state)
    X = examples.columns(search.features_)
    head = head.fit(X, examples.y, sample_weight=examples.weights, groups=groups)
    lexicon = None
    if params.lexical_weight > 0:
        lexicon = Lexicon.fit(examples.texts, examples.y, examples.weights)
    return Scorer(search.features_, head, lexicon)


def held_out_parts(
    examples: Examples, params: Params, progress: Progress | None = None
) -> npt.NDArray[np.float64]:
    """Log-odds of every text by a head and a lexicon that never saw its fold, shape (n_texts, 2)."""
    folds = examples.folds(params.n_folds, params.random_state)
    parts = np.empty((examples.y.size, 2))
    for done, (train, test) in enumerate(folds):
        scorer = fit_parts(examples.take(train), params)
        held = examples.take(test)
        parts[test] = scorer.parts(held.columns(scorer.features), held.texts)
        if progress is not None:
            progress(done + 1, len(folds))
    return parts
