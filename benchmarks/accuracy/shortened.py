"""Accuracy by length: detectors tested on the first tokens of texts of an unseen source."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import Contender, Detector, WithWords, inner_folds
from benchmarks.accuracy.protocols import Split
from ghostbuster.arrays import Vectors
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.heads.scorer import mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from training.data.dataset import PROBES, STRESS
from training.data.material import Indices, Material

LENGTHS = (10, 25, 50, 100, 250)
LONG_LENGTHS = (500, 1000)
FEWEST = 40  # texts of each class that a file needs to count at a length
Table = dict[str, dict[int, dict[str, float]]]


def first_tokens(vectors: Vectors, rows: Indices, n_tokens: int) -> Vectors:
    """The first ``n_tokens`` units of some texts: a causal model says the same of them without the rest."""
    starts = vectors.offsets[:-1][rows]
    kept = (starts[:, None] + np.arange(n_tokens)).ravel()
    channels = {name: values[kept] for name, values in vectors.channels.items()}
    return Vectors(channels, np.arange(rows.size + 1) * n_tokens)


def shortened_trials(
    asked: Material,
    lengths: tuple[int, ...],
    contenders: Mapping[str, Contender],
    bars: Mapping[str, Mapping[str, float]],
    splits: list[Split],
    log: Callable[[str], None],
) -> Table:
    """Figures by contender and length in tokens: means over files.

    Parameters
    ----------
    asked : Material
        The texts to shorten; crops among them are not asked about.
    bars : mapping
        Raw score from which a contender calls a text machine, by split.
    splits : list of Split
        Into the contenders' own material: a split's source is asked about under what its training side gives.
    """
    shape = (len(asked.texts),)
    scores = {name: {k: np.full(shape, np.nan) for k in lengths} for name in contenders}
    called = {name: {k: np.zeros(shape, dtype=bool) for k in lengths} for name in contenders}
    whole = np.array([not text.is_crop and text.file not in STRESS | PROBES for text in asked.texts])
    for split in splits:
        own = np.flatnonzero(whole & (asked.sources == split.name))
        for name, contender in contenders.items():
            for length in lengths:
                rows = own[asked.reading.n_tokens[own] >= length]
                if rows.size:
                    raw = _raw(asked, contender, split.train, rows, length)
                    scores[name][length][rows] = raw
                    called[name][length][rows] = raw > bars[name][split.name]
        log(f"    {split.name}")
    return {
        name: {k: _mean_over_files(asked, scores[name][k], called[name][k]) for k in lengths}
        for name in contenders
    }


def _raw(
    asked: Material, contender: Contender, train: Indices, rows: Indices, length: int
) -> npt.NDArray[np.float64]:
    """Raw scores of the first ``length`` tokens of ``rows``."""
    if isinstance(contender, Detector):
        chosen = contender.choose(train, inner_folds(contender.material, train))
        features = [contender.columns.features[i] for i in chosen]
        cut = first_tokens(asked.reading.vectors, rows, length)
        return contender.fitted(train, chosen).raw_score(evaluate_all(features, cut))
    last = asked.reading.vectors.offsets[:-1][rows] + length - 1
    texts = [asked.texts[i].text[: asked.ends[k]] for i, k in zip(rows, last, strict=True)]
    if isinstance(contender, WithWords):
        parts = [
            _raw(asked, contender.detector, train, rows, length),
            contender.words.lexicon(train).raw_score(texts),
        ]
        return mixed(np.column_stack(parts), contender.mixes[train.tobytes()])
    if isinstance(contender, Tfidf):
        return contender.raw_texts(train, texts)
    raise TypeError(f"{type(contender).__name__} is not asked about shortened texts")


def _mean_over_files(
    asked: Material, scores: npt.NDArray[np.float64], called: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Unweighted over files with ``FEWEST`` texts of each class."""
    found = []
    files = asked.files
    for file in dict.fromkeys(files.tolist()):
        rows = np.flatnonzero((files == file) & ~np.isnan(scores))
        y = asked.y[rows]
        if min(np.sum(y == 0), np.sum(y == 1)) >= FEWEST:
            figures = (
                auroc(y, scores[rows]),
                tpr_at_fpr(y, scores[rows]),
                float(called[rows][y == 0].mean()),
            )
            found.append((*figures, rows.size))
    if not found:
        return {}
    areas, rates, wronged, sizes = zip(*found, strict=True)
    return {
        "auroc": float(np.mean(areas)),
        "tpr": float(np.mean(rates)),
        "fpr": float(np.mean(wronged)),
        "files": len(found),
        "texts": int(sum(sizes)),
    }
