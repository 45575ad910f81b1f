"""The classifiers that are compared (detector, heads, lexicon, baseline), with one interface.

Every contender gives one raw score a text, higher for machine. Calibration and the promised threshold are
made the same way for all, from scores of training texts that were held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.results import Results
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.thresholds import thresholds
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.folds import balanced_weights, grouped_folds, leave_one_out
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.mixing import mix_of
from ghostbuster.heads.scorer import mixed
from ghostbuster.heads.table import Head, make_head
from ghostbuster.metrics.classification import threshold_at_fpr
from training.data.material import Columns, Indices, Material, columns_of

Float1d = npt.NDArray[np.float64]
Folds = list[tuple[Indices, Indices]]
PROMISE = 0.01  # the false-positive rate whose threshold is tried on unseen sources
MIN_TOKENS = 100  # as the detector's: shorter texts are not called anything


class Contender(Protocol):
    """Learns from some rows of a material and scores others."""

    def choose(self, train: Indices, folds: Folds) -> Indices | None:
        """What is chosen once from the training side, if anything."""
        ...

    def raw(self, train: Indices, test: Indices, chosen: Indices | None) -> Float1d:
        """Raw scores of ``test``, higher for machine: (n_test,), or (n_test, 2) of two parts to mix."""
        ...


@dataclass(frozen=True)
class Answers:
    """What a contender says of the texts it is asked about.

    Attributes
    ----------
    probability : array of shape (n_test,)
        Of machine, calibrated on held-out training texts.
    called : array of shape (n_test,)
        Whether it reaches the threshold that keeps ``PROMISE`` on all held-out texts of the training side.
    called_strictly : array of shape (n_test,)
        The same, where the promise is kept in every held-out source by itself.
    raw_bar : float
        The raw score that a text must exceed to be called machine.
    """

    probability: Float1d
    called: npt.NDArray[np.bool_]
    called_strictly: npt.NDArray[np.bool_]
    raw_bar: float


def ask(contender: Contender, material: Material, train: Indices, test: Indices, *, nested: bool) -> Answers:
    """Fit on ``train``, calibrate on its own held-out parts, answer for ``test``.

    Parameters
    ----------
    nested : bool
        Whether each inner fold chooses its own features too (as the detector does), or those chosen once on
        the whole training side are kept (cheaper; the test side is unseen either way).
    """
    folds = inner_folds(material, train)
    chosen = contender.choose(train, folds)
    raw = contender.raw(train, test, chosen)
    held_out = np.empty((train.size, *raw.shape[1:]))
    for fit, held in folds:
        rows = train[fit]
        own = contender.choose(rows, inner_folds(material, rows)) if nested else chosen
        held_out[held] = contender.raw(rows, train[held], own)
    if isinstance(contender, WithWords):
        mix = mix_of(held_out, contender.lexical_weight)
        contender.mixes[train.tobytes()] = mix
        raw, held_out = mixed(raw, mix), mixed(held_out, mix)
    return _answers(material, train, raw, held_out)


def _answers(material: Material, train: Indices, raw: Float1d, held_out: Float1d) -> Answers:
    """Calibrate, and set the thresholds on human texts that are long enough to be judged."""
    y, sources = material.y[train], material.sources[train]
    weights = balanced_weights(y.astype(np.float64), sources)
    calibration = Calibration().fit(held_out, y, sample_weight=weights)
    people = y == 0
    judged = people & (material.reading.n_tokens[train] >= MIN_TOKENS)
    people = judged if judged.any() else people
    probability, human = calibration.probability(raw), calibration.probability(held_out)[people]
    several = sources[people] if np.unique(sources).size > 2 else None
    (kept,), (strict,) = (thresholds(human, (PROMISE,), several, in_every_source=s) for s in (False, True))
    return Answers(
        probability,
        probability >= kept.probability,
        probability >= strict.probability,
        threshold_at_fpr(held_out[people], PROMISE),
    )


def inner_folds(material: Material, train: Indices) -> Folds:
    """Folds inside a training side, as the detector makes them: one source out, or grouped ones."""
    sources, groups, y = material.sources[train], material.groups[train], material.y[train]
    if np.unique(sources).size > 2:
        return leave_one_out(y, sources, groups)
    return grouped_folds(y, groups, 5, 0)


@dataclass
class ColumnStore:
    """Candidates of each space, evaluated once for all contenders."""

    material: Material
    kept: dict[str, Columns] = field(default_factory=dict)

    def of(self, space: str) -> Columns:
        """All candidates of a space for all texts."""
        if space not in self.kept:
            self.kept[space] = columns_of(self.material, space)
        return self.kept[space]


@dataclass
class Detector:
    """Features chosen from a space, and a head on them.

    Attributes
    ----------
    sources : frozenset of str, or None
        Features that read other weak models are no candidates.
    search, head_settings : mapping
        Further settings of the search and of the head.
    level : bool
        Whether sources are brought to one level before anything is learned, as the detector does.
    """

    store: ColumnStore
    space: str
    head: str
    max_features: int = 100
    criterion: str | None = "log_loss"
    sources: frozenset[str] | None = None
    level: bool = True
    search: Mapping[str, Any] = field(default_factory=dict)
    head_settings: Mapping[str, Any] = field(default_factory=dict)
    results: Results = field(default_factory=Results)
    heads: dict[bytes, Head] = field(default_factory=dict)  # trained heads

    @property
    def material(self) -> Material:
        """The texts."""
        return self.store.material

    @property
    def columns(self) -> Columns:
        """Candidates of the space."""
        return self.store.of(self.space)

    def choose(self, train: Indices, folds: Folds) -> Indices:
        """Columns that the search chooses on ``train``, in order."""
        settings = f"{self.space} {self.max_features} {self.criterion} {self.level} {dict(self.search)}"
        allowed = "all" if self.sources is None else " ".join(sorted(self.sources))
        key = ("search", settings, allowed, train.tobytes())
        return self.results.get(key, lambda: {"chosen": self._search(train, folds)})["chosen"]

    @property
    def possible(self) -> Indices:
        """Candidates that read allowed weak models only."""
        features = self.columns.features
        read = [{name.split(".")[0] for name in feature.vectors} for feature in features]
        return np.flatnonzero([self.sources is None or one <= self.sources for one in read])

    def _search(self, train: Indices, folds: Folds) -> Indices:
        columns, possible = self.columns, self.possible
        cv = None if self.criterion is None else folds
        search = FeatureSearch(self.space, self.max_features, self.criterion, cv=cv, **self.search)
        across = {"sources": self.material.sources[train]} if "select_across" in self.search else {}
        search.fit_matrix(
            self._learned_from(train, possible),
            [columns.features[i] for i in possible],
            self.material.y[train],
            sample_weight=self.weights(train),
            **across,
        )
        place = {str(feature): i for i, feature in enumerate(columns.features)}
        return np.array([place[str(feature)] for feature in search.features_], dtype=np.intp)

    def _learned_from(self, train: Indices, chosen: Indices) -> npt.NDArray[np.float32]:
        """Chosen columns of the training side, at one level."""
        every = chosen.size == len(self.columns.features)
        matrix = self.columns.matrix[train] if every else self.columns.matrix[np.ix_(train, chosen)]
        if not self.level:
            return matrix
        return center_sources(matrix, self.material.y[train].astype(np.float64), self.material.sources[train])

    def fitted(self, train: Indices, chosen: Indices) -> Head:
        """A head trained on the chosen columns of ``train``."""
        key = train.tobytes() + chosen.tobytes()
        if key not in self.heads:
            sources = self.material.sources[train]
            groups = sources if np.unique(sources).size > 1 else self.material.groups[train]
            matrix = self._learned_from(train, chosen).astype(np.float64)
            head: Head = make_head(self.head, 0, **self.head_settings)
            y = self.material.y[train]
            self.heads[key] = head.fit(matrix, y, sample_weight=self.weights(train), groups=groups)
        return self.heads[key]

    def raw(self, train: Indices, test: Indices, chosen: Indices | None) -> Float1d:
        """Raw scores of ``test``."""
        if chosen is None:
            raise TypeError("a detector scores with the columns that choose() gave it")
        matrix = self.columns.matrix[np.ix_(test, chosen)].astype(np.float64)
        return self.fitted(train, chosen).raw_score(matrix)

    def weights(self, train: Indices) -> Float1d:
        """Classes and sources alike."""
        return balanced_weights(self.material.y[train].astype(np.float64), self.material.sources[train])


@dataclass
class Words:
    """The lexicon by itself."""

    material: Material
    lexicons: dict[bytes, Lexicon] = field(default_factory=dict)

    def choose(self, train: Indices, folds: object) -> None:
        """Nothing: words are counted anew in every fold."""

    def lexicon(self, train: Indices) -> Lexicon:
        """Words weighed on ``train``."""
        key = train.tobytes()
        if key not in self.lexicons:
            y = self.material.y[train].astype(np.float64)
            weights = balanced_weights(y, self.material.sources[train])
            self.lexicons[key] = Lexicon.fit([self.material.texts[i].text for i in train], y, weights)
        return self.lexicons[key]

    def raw(self, train: Indices, test: Indices, chosen: None = None) -> Float1d:  # noqa: ARG002
        """Log-odds of ``test`` by words."""
        return self.lexicon(train).raw_score([self.material.texts[i].text for i in test])


@dataclass
class WithWords:
    """A detector with a lexicon beside it, mixed as the shipped one mixes them."""

    detector: Detector
    words: Words
    lexical_weight: float = 0.7
    mixes: dict[bytes, tuple[float, float]] = field(default_factory=dict)

    def choose(self, train: Indices, folds: Folds) -> Indices:
        """Columns that the detector's search chooses."""
        return self.detector.choose(train, folds)

    def raw(self, train: Indices, test: Indices, chosen: Indices | None) -> Float1d:
        """Log-odds of ``test`` by head and by words, shape (n_test, 2)."""
        return np.column_stack([self.detector.raw(train, test, chosen), self.words.raw(train, test)])
