"""Who competes, and how each is asked.

Every contender gives one raw score a text, higher for machine. Calibration and the promised threshold are
made the same way for all, from scores of training texts that were held out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ghostbuster.calibration import Calibration
from ghostbuster.features.search import FeatureSearch
from ghostbuster.fitting import mix_of, mixed
from ghostbuster.folds import balanced_weights, grouped_folds, leave_one_out
from ghostbuster.heads import Head, make_head
from ghostbuster.lexical import Lexicon
from ghostbuster.metrics import bar
from training.material import Columns, Indices, Material, columns_of

Float1d = npt.NDArray[np.float64]
Folds = list[tuple[Indices, Indices]]
PROMISE = 0.01  # the false-positive rate whose threshold is tried on unseen sources


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
    bar : float
        Probability that a share of ``PROMISE`` of held-out human training texts exceeds.
    """

    probability: Float1d
    bar: float


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
    y = material.y[train]
    weights = balanced_weights(y.astype(np.float64), material.sources[train])
    calibration = Calibration().fit(held_out, y, sample_weight=weights)
    return Answers(calibration.probability(raw), bar(calibration.probability(held_out)[y == 0], PROMISE))


def inner_folds(material: Material, train: Indices) -> Folds:
    """Folds inside a training side, as the detector makes them: one source out, or grouped ones."""
    sources, groups, y = material.sources[train], material.groups[train], material.y[train]
    if np.unique(sources).size > 2:
        return leave_one_out(y, sources, groups)
    return grouped_folds(y, groups, 5, 0)


@dataclass
class Detector:
    """Features chosen from a space, and a head on them."""

    material: Material
    space: str
    head: str
    max_features: int = 100
    criterion: str | None = "log_loss"
    memory: dict[bytes, Indices] = field(default_factory=dict)  # searches made, shared by heads
    heads: dict[bytes, Head] = field(default_factory=dict)  # trained heads

    @cached_property
    def columns(self) -> Columns:
        """Candidates of the space."""
        return columns_of(self.material, self.space)

    def choose(self, train: Indices, folds: Folds) -> Indices:
        """Columns that the search chooses on ``train``, in order."""
        if train.tobytes() not in self.memory:
            search = FeatureSearch(
                self.space, self.max_features, self.criterion, cv=None if self.criterion is None else folds
            )
            search.fit_matrix(
                self.columns.matrix[train],
                self.columns.features,
                self.material.y[train],
                sample_weight=self.weights(train),
            )
            place = {str(feature): i for i, feature in enumerate(self.columns.features)}
            found = np.array([place[str(feature)] for feature in search.features_], dtype=np.intp)
            self.memory[train.tobytes()] = found
        return self.memory[train.tobytes()]

    def fitted(self, train: Indices, chosen: Indices) -> Head:
        """A head trained on the chosen columns of ``train``."""
        key = train.tobytes() + chosen.tobytes()
        if key not in self.heads:
            sources = self.material.sources[train]
            groups = sources if np.unique(sources).size > 1 else self.material.groups[train]
            matrix = self.columns.matrix[np.ix_(train, chosen)].astype(np.float64)
            head = make_head(self.head, 0)
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
class WithWords:
    """A detector with a lexicon beside it, mixed as the shipped one mixes them."""

    detector: Detector
    lexical_weight: float = 0.5
    lexicons: dict[bytes, Lexicon] = field(default_factory=dict)
    mixes: dict[bytes, tuple[float, float]] = field(default_factory=dict)

    def choose(self, train: Indices, folds: Folds) -> Indices:
        """Columns that the detector's search chooses."""
        return self.detector.choose(train, folds)

    def lexicon(self, train: Indices) -> Lexicon:
        """Words weighed on ``train``."""
        key = train.tobytes()
        if key not in self.lexicons:
            texts = [self.detector.material.texts[i].text for i in train]
            y = self.detector.material.y[train].astype(np.float64)
            self.lexicons[key] = Lexicon.fit(texts, y, self.detector.weights(train))
        return self.lexicons[key]

    def raw(self, train: Indices, test: Indices, chosen: Indices | None) -> Float1d:
        """Log-odds of ``test`` by head and by words, shape (n_test, 2)."""
        words = self.lexicon(train).raw_score([self.detector.material.texts[i].text for i in test])
        return np.column_stack([self.detector.raw(train, test, chosen), words])
