"""What each family of newer features earns beside the default space, on sources left out.

    python -m benchmarks.accuracy.newer_features --corpus FOLDER [--panel standard] [--texts N]

FOLDER is what ``python -m training.data.read_corpus`` writes; what was read so far will do. For each source
of both classes the detector's search chooses features on all others: from the default space, from its
shortlist there and one family, and from the whole space ``standard``. The same head is trained on each
choice. Writes docs/newer-features.md and docs/data/newer-features.json; the figures of the other panel stay.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.newer_features_page import page
from benchmarks.accuracy.protocols import Split, leave_one_source_out
from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.results import DEFAULT_FOLDER, Results, code_digest, data_of, write_page
from ghostbuster.features.families import FAMILIES
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.folds import Folds, balanced_weights, leave_one_out
from ghostbuster.heads.logistic import LogisticHead
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.reading.read import reading_of
from ghostbuster.text.prepare import PreparedText
from training.data.dataset import PROBES, STRESS
from training.data.labelled import LabelledText
from training.data.material import Columns, Indices, Material, columns_of
from training.data.read_corpus import CHUNK, Corpus

PANELS = {
    "standard": ({"weak": "embedded-strong", "strong": "strong"}, False),
    "lite": ({"weak": "embedded-weak", "strong": "embedded-strong"}, True),
}
"""Which sources of the corpus a panel's models are, and whether they share a tokenizer."""
NOT_ASKED_FOR = {
    "standard": ("cross_entropy", "cross_varentropy"),
    "lite": ("top_logprob", "mass_above", "top10_mass", "lookback"),
}
BASE, ALL, FOLDED = "default space", "all families", "distance from people's median"
INNER_FOLDS = 5
Scores = npt.NDArray[np.float64]


def read(folder: Path, panel: str, most: int) -> Material:
    """Whole texts of sources of both classes, as the panel's models read them."""
    corpus = Corpus.open(folder)
    n = min(most // CHUNK, len(corpus.chunks)) if most else len(corpus.chunks)
    corpus = Corpus(corpus.texts[: n * CHUNK], corpus.chunks[:n])
    models, shared = PANELS[panel]
    read_as = corpus.scores([*models.values(), "unigram", "trigram"], layers=())
    names = {**models, "unigram": "unigram", "trigram": "trigram"}
    kept = _of_both_classes(corpus.texts)
    scores = {}
    for name, source in names.items():
        one = read_as[source].take(kept)
        channels = {c: v for c, v in one.channels.items() if c not in NOT_ASKED_FOR[panel]}
        scores[name] = type(one)(channels, one.ends, one.offsets)
    texts = tuple(corpus.texts[i] for i in kept)
    prepared = [PreparedText(text.text, len(text.text.split())) for text in texts]
    return Material(texts, reading_of(scores, prepared, shared_tokenizer=shared), scores["strong"].ends)


def _of_both_classes(texts: list[LabelledText]) -> list[int]:
    rows = [i for i, text in enumerate(texts) if not text.is_crop and text.file not in STRESS | PROBES]
    classes: dict[str, set[int]] = {}
    for i in rows:
        classes.setdefault(texts[i].source, set()).add(texts[i].label)
    return [i for i in rows if len(classes[texts[i].source]) == 2]


@dataclass(frozen=True)
class Study:
    """All candidates of all texts, and what is kept of earlier runs."""

    material: Material
    columns: Columns
    max_features: int
    results: Results
    families: Sequence[str] = tuple(FAMILIES)

    @property
    def family(self) -> npt.NDArray[np.str_]:
        """The family of each column, or the default space."""
        owner = {feature: name for name, row in FAMILIES.items() for feature in row.rule()}
        return np.array([owner.get(feature, BASE) for feature in self.columns.features])

    def scores(self, split: Split) -> dict[str, Scores]:
        """Raw scores of the source left out by every variant, and the columns chosen for it."""
        family = self.family
        default = np.flatnonzero(family == BASE)
        made = {BASE: self.scored(split, BASE, default)}
        shortlist = made[BASE]["shortlist"]
        for name in [name for name in self.families if np.any(family == name)]:
            columns = np.concatenate([shortlist, np.flatnonzero(family == name)])
            made[name] = self.scored(split, name, columns)
        made[FOLDED] = self.scored(split, FOLDED, shortlist, folded=True)
        made[ALL] = self.scored(split, ALL, np.arange(family.size))
        return made

    def scored(self, split: Split, name: str, columns: Indices, *, folded: bool = False) -> dict[str, Scores]:
        """Search, head, and scores of one variant on one split."""
        key = ("newer", name, split.train.tobytes(), split.test.tobytes())
        return self.results.get(key, lambda: self._scored(split, columns, folded))

    def _scored(self, split: Split, columns: Indices, folded: bool) -> Mapping[str, npt.ArrayLike]:
        train, test = split.train, split.test
        y, sources = self.material.y[train].astype(np.float64), self.material.sources[train]
        groups, weight = self.material.groups[train], balanced_weights(y, sources)
        learned, asked = (self.columns.matrix[np.ix_(rows, columns)] for rows in (train, test))
        if folded:
            middle = np.median(learned[y == 0], axis=0)
            learned, asked = (np.hstack([part, np.abs(part - middle)]) for part in (learned, asked))
            columns = np.concatenate([columns, -1 - columns])
        learned = center_sources(learned, y, sources)
        search = FeatureSearch(max_features=self.max_features, cv=_folds(y, sources, groups))
        search.fit_matrix(learned, range(columns.size), y, sample_weight=weight)
        chosen = np.array(search.features_)
        head = LogisticHead().fit(learned[:, chosen], y, sample_weight=weight, groups=sources)
        return {
            "raw": head.raw_score(asked[:, chosen].astype(np.float64)),
            "chosen": columns[chosen],
            "shortlist": columns[np.array(search.shortlist_)],
        }


def _folds(y: Scores, sources: npt.NDArray[np.str_], groups: Indices) -> Folds:
    """A few folds that each leave several sources out."""
    codes = np.unique(sources, return_inverse=True)[1]
    return leave_one_out(y.astype(np.intp), codes % INNER_FOLDS, groups)


def measured(study: Study, scores: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """For each variant its means over sources, and its gain on the default space; sources are redrawn."""
    splits = {split.name: split for split in leave_one_source_out(study.material.texts)}
    draws = redrawn(len(scores))
    family = study.family
    by_source = {
        name: np.array(
            [pair(study.material, splits[source], made[name]["raw"]) for source, made in scores.items()]
        )
        for name in next(iter(scores.values()))
    }
    rows = {}
    for name, pairs in by_source.items():
        gain = pairs - by_source[BASE]
        chosen = [made[name]["chosen"] for made in scores.values()]
        newer = [np.count_nonzero((c < 0) | (family[np.maximum(c, 0)] != BASE)) for c in chosen]
        rows[name] = {
            "auroc": asdict(mean_with_interval(pairs[:, 0], draws)),
            "tpr": asdict(mean_with_interval(pairs[:, 1], draws)),
            "auroc_gain": asdict(mean_with_interval(gain[:, 0], draws)),
            "tpr_gain": asdict(mean_with_interval(gain[:, 1], draws)),
            "better_on": int(np.count_nonzero(gain[:, 0] > 0)),
            "chosen": float(np.mean([c.size for c in chosen])),
            "newer_chosen": float(np.mean(newer)),
            "by_source": {source: pair.tolist() for source, pair in zip(scores, pairs, strict=True)},
        }
    return rows


def pair(material: Material, split: Split, raw: Scores) -> tuple[float, float]:
    """AUROC and TPR at 1 % FPR: means over the files of the source left out."""
    files, y = material.files[split.test], material.y[split.test]
    found = []
    for file in np.unique(files):
        rows = files == file
        if np.unique(y[rows]).size == 2:
            found.append((auroc(y[rows], raw[rows]), tpr_at_fpr(y[rows], raw[rows])))
    return tuple(np.mean(found, axis=0))


def study_panel(options: argparse.Namespace) -> dict[str, Any]:
    """Figures of one panel."""
    began = time.perf_counter()
    material = read(options.corpus, options.panel, options.texts)
    columns = columns_of(material, "standard", 1)
    stamp = f"{code_digest()} {options.panel} {len(material.texts)} {options.max_features}"
    study = Study(material, columns, options.max_features, Results(options.kept, stamp), options.families)
    print(
        f"{len(material.texts)} texts, {len(columns.features)} candidates, "
        f"{time.perf_counter() - began:.0f} s"
    )
    scores = {}
    for split in leave_one_source_out(material.texts):
        scores[split.name] = study.scores(split)
        print(
            f"  {split.name}: {split.train.size} learned from, {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    family = study.family
    counts = {name: int(np.count_nonzero(family == name)) for name in dict.fromkeys(family.tolist())}
    return {
        "texts": len(material.texts),
        "max_features": options.max_features,
        "candidates": counts,
        "variants": measured(study, scores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder that read_corpus writes")
    parser.add_argument("--panel", choices=PANELS, default="standard")
    parser.add_argument("--texts", type=int, default=0, help="take at most so many of the corpus")
    parser.add_argument("--families", nargs="*", choices=FAMILIES, default=list(FAMILIES), metavar="FAMILY")
    parser.add_argument("--max-features", type=int, default=60)
    parser.add_argument("--kept", type=Path, default=DEFAULT_FOLDER, help="where finished searches are kept")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    path = data_of(options.docs, "newer-features")
    figures = json.loads(path.read_text("utf-8")) if path.exists() else {}
    figures[options.panel] = study_panel(options)
    write_page(options.docs, "newer-features", figures, page(figures))


if __name__ == "__main__":
    main()
