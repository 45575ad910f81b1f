"""Labelled texts with their token scores and vectors: the input of training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import TokenScores
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.spaces import candidates
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.text.prepare import PreparedText
from training.data.labelled import LabelledText
from training.data.score_cache import cached_scores

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Material:
    """Labelled texts and their reading, row by row.

    Attributes
    ----------
    texts : tuple of LabelledText, length n_texts
    reading : Reading
    ends : array of shape (n_tokens,)
        End of each of the strong model's tokens, in characters of its text.
    y : array of shape (n_texts,), 0 human, 1 machine
    groups, sources, files : array of shape (n_texts,)
    """

    texts: tuple[LabelledText, ...]
    reading: Reading
    ends: npt.NDArray[np.integer]

    @property
    def y(self) -> Indices:
        """0 human, 1 machine; shape (n_texts,)."""
        return np.array([text.label for text in self.texts], dtype=np.intp)

    @property
    def groups(self) -> Indices:
        """Group of each text, shape (n_texts,)."""
        return np.array([text.group for text in self.texts], dtype=np.intp)

    @property
    def sources(self) -> npt.NDArray[np.str_]:
        """Source of each text, shape (n_texts,)."""
        return np.array([text.source for text in self.texts])

    @property
    def files(self) -> npt.NDArray[np.str_]:
        """File of each text, shape (n_texts,)."""
        return np.array([text.file for text in self.texts])


@dataclass(frozen=True)
class Columns:
    """All candidates of a space for all texts: a row hangs on its text alone, so that folds may share them.

    Attributes
    ----------
    features : tuple of Feature, length n_features
    matrix : float32 array of shape (n_texts, n_features)
    """

    features: tuple[Feature, ...]
    matrix: npt.NDArray[np.float32]


def columns_of(material: Material, space: str, n_jobs: int = 2) -> Columns:
    """Every candidate of ``space`` for every text."""
    vectors = material.reading.vectors
    features = candidates(space, vectors.channels)
    return Columns(features, evaluate_all(features, vectors, dtype=np.float32, n_jobs=n_jobs))


def read_material(
    texts: Sequence[LabelledText], panel: Panel, cache: Path, log: Callable[[str], None] = print
) -> Material:
    """What ``panel`` says of ``texts``, file by file from the cache where it was asked before.

    Parameters
    ----------
    texts : sequence of LabelledText
        Those of one file side by side, crops after all texts.
    panel : Panel
    cache : Path
        Folder of ``score_cache``.
    """
    parts = [
        cached_scores(panel, name, [text.text for text in rows], cache, log)
        for name, rows in groupby(texts, lambda text: f"{text.file}.crops" if text.is_crop else text.file)
    ]
    scores = {source: TokenScores.concatenate([part[source] for part in parts]) for source in panel.sources}
    prepared = [PreparedText(text.text, len(text.text.split())) for text in texts]
    return Material(
        tuple(texts),
        reading_of(scores, prepared, shared_tokenizer=panel.shared_tokenizer),
        scores["strong"].ends,
    )
