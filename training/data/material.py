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
from ghostbuster.models.llama.token_statistics import EXTRA_CHANNELS
from ghostbuster.models.panels import PANELS
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.text.prepare import PreparedText
from training.data.labelled import LabelledText
from training.data.read_corpus import CHUNK, Corpus
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

    def take(self, texts: Indices) -> Material:
        """The chosen texts, in the order given; where the strong model's tokens end is not kept."""
        chosen = tuple(self.texts[i] for i in texts.tolist())
        return Material(chosen, self.reading.take(texts), np.empty(0, dtype=np.int64))


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


def read_corpus_material(folder: Path, panel_name: str, n_texts: int | None = None) -> Material:
    """What a panel says of the texts that ``training.data.read_corpus`` has read so far.

    Parameters
    ----------
    folder : Path
        Its chunks.
    panel_name : {"standard", "lite"}
    n_texts : int, optional
        The first so many; all that were read by default.
    """
    corpus = Corpus.open(folder)
    n_chunks = len(corpus.chunks) if n_texts is None else -(-n_texts // CHUNK)
    corpus = Corpus(corpus.texts[: n_chunks * CHUNK], corpus.chunks[:n_chunks])
    roles = CORPUS_ROLES[panel_name]
    row = PANELS[panel_name]
    layers = {"weak": row.weak_outputs.state_layers, "strong": row.strong_outputs.state_layers}
    extra = {"weak": row.weak_outputs.extra_channels, "strong": row.strong_outputs.extra_channels}
    scores: dict[str, TokenScores] = {}
    for role, source in roles.items():
        read = corpus.scores([source], layers.get(role, ()))[source]
        dropped = set() if extra.get(role, True) else set(EXTRA_CHANNELS)
        if panel_name == "standard":  # no second model of one vocabulary reads along
            dropped |= {"cross_entropy", "cross_varentropy"}
        channels = {name: values for name, values in read.channels.items() if name not in dropped}
        scores[role] = TokenScores(channels, read.ends, read.offsets, read.states)
    prepared = [PreparedText(text.text, len(text.text.split())) for text in corpus.texts]
    shared = panel_name == "lite"
    reading = reading_of(scores, prepared, shared_tokenizer=shared)
    return Material(tuple(corpus.texts), reading, scores["strong"].ends)


_NGRAMS = {"unigram": "unigram", "trigram": "trigram"}
CORPUS_ROLES = {
    "standard": {"weak": "embedded-strong", "strong": "strong", **_NGRAMS},
    "lite": {"weak": "embedded-weak", "strong": "embedded-strong", **_NGRAMS},
}
"""By panel, which model of the corpus has which role."""
