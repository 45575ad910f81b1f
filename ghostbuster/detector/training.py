"""Train features, head and lexicon, and score every text by ones that never saw its fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Float2d, Float32, Int1d, Progress, Vectors
from ghostbuster.detector.params import Params
from ghostbuster.errors import InputError
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import candidates
from ghostbuster.folds import (
    MOST_BUNDLES,
    Folds,
    bundled,
    grouped_folds,
    is_machine,
    leave_one_out,
    sources_to_hold_out,
)
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.mixing import mix_of, stacked_mix
from ghostbuster.heads.scorer import READERS, Scorer, columns_of
from ghostbuster.heads.state_probe import StateProbe
from ghostbuster.heads.table import make_head
from ghostbuster.hidden_states import HiddenStates

MOST_HELD_OUT = 32
"""Sources that are each held out alone; more are held out in so many bundles."""


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
        Texts that share a group never stand on both sides of a fold; with sources, folds leave them out.
    states : HiddenStates or None
        Of the same texts, where a probe is to learn from them.
    adapter_odds : array of shape (n_texts,), or None
        What an adapter says, which learned from other texts than these.
    """

    candidates: tuple[Feature, ...]
    matrix: Float32
    texts: tuple[str, ...]
    y: Float1d
    weights: Float1d
    groups: AnyArray | None = None
    sources: AnyArray | None = None
    states: HiddenStates | None = None
    adapter_odds: Float1d | None = None

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
            None if self.states is None else self.states.take(rows),
            None if self.adapter_odds is None else self.adapter_odds[rows],
        )

    def learned_from(self) -> Examples:
        """Those that weigh something: the others are only ever held out."""
        rows = np.flatnonzero(self.weights > 0)
        return self if rows.size == self.weights.size else self.take(rows)

    @property
    def left_out(self) -> AnyArray | None:
        """Sources, where they are held out: three or more are known."""
        return sources_to_hold_out(self.sources)

    def folds(self, n_folds: int, seed: int, most: int = MOST_BUNDLES) -> Folds:
        """Sources left out, each or in ``most`` bundles, where three are known; grouped folds elsewhere."""
        hard = is_machine(self.y).astype(np.intp)
        if self.left_out is not None:
            return leave_one_out(hard, bundled(self.left_out, most), self.groups)
        return grouped_folds(hard, self.groups, n_folds, seed)

    def columns(self, features: tuple[Feature, ...]) -> npt.NDArray[np.float64]:
        """Values of the chosen features, shape (n_texts, n_features)."""
        position = {feature: j for j, feature in enumerate(self.candidates)}
        return self.matrix[:, [position[feature] for feature in features]].astype(np.float64)


def evaluate_candidates(space: str, vectors: Vectors) -> tuple[tuple[Feature, ...], Float32]:
    """The features of a space and their values, float32 of shape (n_texts, n_candidates)."""
    features = candidates(space, vectors.channels)
    return features, np.asarray(evaluate_all(features, vectors, dtype=np.float32), dtype=np.float32)


def fit_parts(examples: Examples, params: Params) -> Scorer:
    """Train every reader on these examples only: features and their head, lexicon, probe of hidden states.

    Search, head and probe are given columns that are centred by source (``center_sources``).
    """
    examples = examples.learned_from()
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
    lexicon = probe = None
    if "words" in params.reader_names:
        lexicon = Lexicon.fit(examples.texts, examples.y, examples.weights)
    if examples.states is not None:
        probe = StateProbe.fit(examples.states, examples.y, examples.weights, examples.sources)
    mix = (1.0, 0.0) if probe is None else (1.0, 0.0, 0.0)
    return Scorer(search.features_, head, lexicon, mix, probe)


def learned_mix(parts: Float2d, examples: Examples, params: Params) -> tuple[float, ...]:
    """Multipliers of the readers, by held-out log-odds or by hand, as the parameters say."""
    if not params.is_stacked:
        return mix_of(parts, params.lexical_weight if "words" in params.reader_names else 0.0)
    present = [name in params.reader_names for name in READERS[: parts.shape[1]]]
    return stacked_mix(parts, examples.y, examples.weights, present)


def held_out_folds(examples: Examples, params: Params) -> Folds:
    """The folds that every text is held out in once; texts that weigh nothing are not trained on.

    Each of up to `MOST_HELD_OUT` sources is left out alone: where several go at once, they take other texts
    of their kind along, and people of that kind then look like machines to what is left.
    """
    folds = examples.folds(params.n_folds, params.random_state, MOST_HELD_OUT)
    return [(train[examples.weights[train] > 0], test) for train, test in folds]


def held_out_parts(examples: Examples, params: Params, progress: Progress | None = None) -> Float2d:
    """Log-odds of every text by readers that never saw its fold, shape (n_texts, 2 to 4)."""
    odds = examples.adapter_odds
    folds = held_out_folds(examples, params)
    n_columns = columns_of(probe=examples.states is not None, adapter=odds is not None)
    parts = np.zeros((examples.y.size, n_columns))
    if odds is not None:
        parts[:, -1] = odds
    for done, (train, test) in enumerate(folds):
        scorer = fit_parts(examples.take(train), params)
        held = examples.take(test)
        made = scorer.parts(held.columns(scorer.features), held.texts, held.states)
        parts[test, : made.shape[1]] = made
        if progress is not None:
            progress(done + 1, len(folds))
    return parts
