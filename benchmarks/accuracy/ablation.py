"""Ablation study: the detector with one part changed or left out, ranked on unseen sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import ColumnStore, Contender, Detector, Words
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.accuracy.trials import ranking
from benchmarks.accuracy.zeroshot import zero_shot
from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.results import Results
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import SPACES
from ghostbuster.heads.mixing import mix_of
from ghostbuster.heads.scorer import mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from training.data.dataset import PROBES, STRESS
from training.data.material import Material

Scores = npt.NDArray[np.float64]
BASELINE = "TF-IDF"
REFERENCE = "logistic head on features"
MIXED = {
    "logistic head, words 50 %": (REFERENCE, 0.5),
    "logistic head, words 70 %": (REFERENCE, 0.7),
    "LightGBM head, words 70 %": ("LightGBM head on features", 0.7),
    "features across sources, words 70 %": ("features chosen across sources", 0.7),
    "surface features too, words 70 %": ("surface features too", 0.7),
}


def ablations(store: ColumnStore, max_features: int, space: str, results: Results) -> dict[str, Contender]:
    """The table of variants; all see the same folds."""
    whole = Detector(store, space, "logistic", max_features, results=results)
    rows: dict[str, Contender] = {
        "sources not brought to one level": replace(whole, level=False, heads={}),
        "n-grams only": replace(whole, sources=frozenset({"unigram", "trigram"}), heads={}),
        "strong model and n-grams": replace(
            whole, sources=frozenset({"strong", "unigram", "trigram"}), heads={}
        ),
        "both language models, no n-grams": replace(whole, sources=frozenset({"weak", "strong"}), heads={}),
        "preset `ghostbuster`": Detector(
            store, "ghostbuster", "logistic", criterion="accuracy", results=results
        ),
        "preset `kaggle`": Detector(store, "kaggle", "logistic", criterion=None, results=results),
    }
    if "select_across" in FeatureSearch().get_params():
        across = {"select_across": "source"}
        rows["features chosen across sources"] = replace(whole, search=across, heads={})
    if space != "surface" and "surface" in SPACES:
        rows["surface features too"] = replace(whole, space="surface", heads={})
    # last: the other process is making the searches that these share with what ships
    rows |= {
        REFERENCE: whole,
        "LightGBM head on features": replace(whole, head="lightgbm", heads={}),
    }
    statistics = zero_shot(store.of("zeroshot"))
    return {
        **{name: row for name, row in rows.items() if not isinstance(row, Detector) or row.possible.size},
        "words only": Words(store.material),
        BASELINE: Tfidf(store.material),
        **{f"`{name}`": statistic for name, statistic in statistics.items()},
    }


def ranked(
    material: Material, rows: Mapping[str, Contender], results: Results, log: Callable[[str], None]
) -> dict[str, Scores]:
    """Raw scores of every variant, and of the mixtures with words."""
    stress = {text.source for text in material.texts} - {
        text.source for text in material.texts if text.file not in STRESS | PROBES
    }
    splits = [split for split in leave_one_source_out(material.texts) if split.name not in stress]
    scores = {}
    for name, contender in rows.items():
        log(f"  {name}")
        scores[name] = ranking(name, contender, splits, results, material)
        contender.__dict__.get("heads", {}).clear()
    return scores | {name: _mixture(scores, *parts) for name, parts in MIXED.items() if parts[0] in scores}


def _mixture(scores: Mapping[str, Scores], features: str, weight: float) -> Scores:
    """Both parts at one spread over all texts asked about, mixed."""
    parts = np.column_stack([scores[features], scores["words only"]])
    asked = ~np.isnan(parts).any(axis=1)
    made = np.full(len(parts), np.nan)
    made[asked] = mixed(parts[asked], mix_of(parts[asked], weight))
    return made


def earned(
    material: Material, scores: Mapping[str, Scores], seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """For each variant the means over sources of AUROC and TPR at 1 % FPR, and of what it gains on TF-IDF.

    Intervals: whole sources are drawn with replacement, the same ones for every variant.
    """
    by_source = {name: over_sources(material, values) for name, values in scores.items()}
    sources = list(by_source[BASELINE])
    draws = redrawn(len(sources), seed)
    made = {}
    for name, figures in by_source.items():
        values = np.array([figures[source] for source in sources])  # (n_sources, 2)
        gain = values - np.array([by_source[BASELINE][source] for source in sources])
        made[name] = {
            "auroc": asdict(mean_with_interval(values[:, 0], draws)),
            "tpr": asdict(mean_with_interval(values[:, 1], draws)),
            "gain": asdict(mean_with_interval(gain[:, 0], draws)),
        }
    return made


def over_sources(material: Material, scores: Scores) -> dict[str, tuple[float, float]]:
    """AUROC and TPR at 1 % FPR of each source: means over its files, stress files and probes left out."""
    files, y = material.files, material.y
    found: dict[str, list[tuple[float, float]]] = {}
    for file in dict.fromkeys(files.tolist()):
        rows = np.flatnonzero((files == file) & ~np.isnan(scores))
        if file not in STRESS | PROBES and np.unique(y[rows]).size > 1:
            source = material.texts[rows[0]].source
            pair = (auroc(y[rows], scores[rows]), tpr_at_fpr(y[rows], scores[rows]))
            found.setdefault(source, []).append(pair)
    means = {source: np.mean(pairs, axis=0) for source, pairs in found.items()}
    return {source: (float(pair[0]), float(pair[1])) for source, pair in means.items()}
