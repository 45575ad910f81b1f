"""How accuracy falls with length: detectors asked about the first tokens of texts of an unseen source."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.baseline import Tfidf
from benchmarks.contenders import Contender, Detector, WithWords, inner_folds
from benchmarks.protocols import leave_one_source_out
from ghostbuster.features.evaluation import evaluate_all
from ghostbuster.fitting import mixed
from ghostbuster.metrics import auroc, tpr_at_fpr
from ghostbuster.scores import Vectors
from training.data import PROBES, STRESS
from training.material import Indices, Material

LENGTHS = (25, 50, 100, 250, 500)
FEWEST = 50  # texts of each class that a file needs to count at a length
Table = dict[str, dict[int, dict[str, float]]]


def first_tokens(vectors: Vectors, rows: Indices, n_tokens: int) -> Vectors:
    """The first ``n_tokens`` units of some texts: a causal model says the same of them without the rest."""
    starts = vectors.offsets[:-1][rows]
    kept = (starts[:, None] + np.arange(n_tokens)).ravel()
    channels = {name: values[kept] for name, values in vectors.channels.items()}
    return Vectors(channels, np.arange(rows.size + 1) * n_tokens)


def shortened_trials(
    material: Material, contenders: Mapping[str, Contender], log: Callable[[str], None]
) -> Table:
    """Mean AUROC and TPR at 1 % FPR over files, by contender and length in tokens."""
    scores: dict[str, dict[int, npt.NDArray[np.float64]]] = {
        name: {length: np.full(len(material.texts), np.nan) for length in LENGTHS} for name in contenders
    }
    for split in leave_one_source_out(material.texts):
        for name, contender in contenders.items():
            for length in LENGTHS:
                rows = split.test[material.reading.n_tokens[split.test] >= length]
                if rows.size:
                    scores[name][length][rows] = _raw(material, contender, split.train, rows, length)
        log(f"    {split.name}")
    return {
        name: {length: _mean_over_files(material, values) for length, values in by_length.items()}
        for name, by_length in scores.items()
    }


def _raw(
    material: Material, contender: Contender, train: Indices, rows: Indices, length: int
) -> npt.NDArray[np.float64]:
    """Raw scores of the first ``length`` tokens of ``rows``."""
    if isinstance(contender, Detector):
        chosen = contender.choose(train, inner_folds(material, train))
        features = [contender.columns.features[i] for i in chosen]
        cut = first_tokens(material.reading.vectors, rows, length)
        return contender.fitted(train, chosen).raw_score(evaluate_all(features, cut))
    last = material.reading.vectors.offsets[:-1][rows] + length - 1
    texts = [material.texts[i].text[: material.ends[k]] for i, k in zip(rows, last, strict=True)]
    if isinstance(contender, WithWords):
        parts = [
            _raw(material, contender.detector, train, rows, length),
            contender.lexicon(train).raw_score(texts),
        ]
        return mixed(np.column_stack(parts), contender.mixes[train.tobytes()])
    if isinstance(contender, Tfidf):
        return contender.raw_texts(train, texts)
    raise TypeError(f"{type(contender).__name__} is not asked about shortened texts")


def _mean_over_files(material: Material, scores: npt.NDArray[np.float64]) -> dict[str, float]:
    """Unweighted over files with ``FEWEST`` texts of each class; stress files and probes left out."""
    found = []
    files = material.files
    for file in dict.fromkeys(files.tolist()):
        rows = np.flatnonzero((files == file) & ~np.isnan(scores))
        y = material.y[rows]
        if file not in STRESS | PROBES and min(np.sum(y == 0), np.sum(y == 1)) >= FEWEST:
            found.append((auroc(y, scores[rows]), tpr_at_fpr(y, scores[rows]), rows.size))
    if not found:
        return {}
    areas, rates, sizes = zip(*found, strict=True)
    return {
        "auroc": float(np.mean(areas)),
        "tpr": float(np.mean(rates)),
        "files": len(found),
        "texts": int(sum(sizes)),
    }
