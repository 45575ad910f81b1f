"""Distillation: what a student gains from a teacher's labels of unlabelled texts.

    python -m benchmarks.accuracy.distillation [--data FOLDER] [--cache FOLDER] [--out docs]

A run that was broken off goes on with the sources that the file lacks.

One source after another stands for somebody's own texts, of which few have labels. The teacher has learned
from all other sources; the student has not got their texts. Half of the source's groups are there to learn
from, everybody is asked about the other half.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import ColumnStore, Contender, Detector, WithWords, Words, inner_folds
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.results import DEFAULT_FOLDER as DEFAULT_RESULTS
from benchmarks.results import Results, code_digest, data_of, write_figures
from ghostbuster.decision.calibration import Calibration
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.distillation import Mixing, distill
from ghostbuster.detector.ensemble import combine
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.mixing import mix_of
from ghostbuster.heads.scorer import mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.intervals import bootstrap
from ghostbuster.models.panel import open_panel
from training.data.dataset import DEFAULT_FOLDER, PROBES, STRESS, Plan, digest, load
from training.data.material import Indices, Material, read_material
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

Float1d = npt.NDArray[np.float64]
RESAMPLES = 500
FPR = 0.01
FEW = 20  # labels of each class that the student has
DRAWS = 3  # of those labels
BASE = "its few labels"
BOTH = "and the teacher's word on the other texts"
ALONE = "the teacher's word alone"
TRUTH = "(for comparison: the true label of every text)"
TEACHER = "the teacher itself"


@dataclass(frozen=True)
class Question:
    """One source as somebody's own texts.

    Attributes
    ----------
    elsewhere : whole texts of the other sources, for the teacher
    own : half of the source's groups, whole texts
    few : for each draw, the places in ``own`` of the texts whose labels are known
    asked : whole texts of the other half
    """

    name: str
    elsewhere: Indices
    own: Indices
    few: tuple[Indices, ...]
    asked: Indices


def questions(material: Material) -> list[Question]:
    """One a source that may be learned from."""
    found = []
    for split in leave_one_source_out(material.texts):
        rows = np.flatnonzero(material.sources == split.name)
        rows = rows[[material.files[i] not in STRESS | PROBES for i in rows]]
        if rows.size:
            rng = np.random.default_rng(0)
            groups = rng.permutation(np.unique(material.groups[rows]))
            mine = np.isin(material.groups[rows], groups[: groups.size // 2])
            own = rows[mine]
            few = tuple(_few(material.y[own], rng) for _ in range(DRAWS))
            found.append(Question(split.name, split.train, own, few, rows[~mine]))
    return found


def _few(y: npt.NDArray[np.int64], rng: np.random.Generator) -> Indices:
    """As many places of each class, `FEW` at most."""
    size = min(FEW, *(int(np.sum(y == label)) for label in (0, 1)))
    some = [rng.choice(np.flatnonzero(y == label), size, replace=False) for label in (0, 1)]
    return np.sort(np.concatenate(some))


def part_of(material: Material, share: float) -> Material:
    """A share of the groups, drawn once and for all."""
    groups = np.random.default_rng(1).permutation(np.unique(material.groups))
    rows = np.flatnonzero(np.isin(material.groups, groups[: round(share * groups.size)]))
    offsets = material.reading.vectors.offsets  # units are the strong model's tokens: one tokenizer
    ends = np.concatenate([material.ends[offsets[i] : offsets[i + 1]] for i in rows])
    return Material(tuple(material.texts[i] for i in rows), material.reading.take(rows), ends)


def teach(contenders: Sequence[Contender], material: Material, question: Question) -> Float1d:
    """The teacher's probabilities of own and then asked texts: the mean log-odds of its members.

    Each member is calibrated on sources it had not seen.
    """
    there = np.concatenate([question.own, question.asked])
    said = [calibrated(one, material, question.elsewhere, there) for one in contenders]
    return combine([pd.Series(one) for one in said], "logit").to_numpy()


def calibrated(contender: Contender, material: Material, train: Indices, test: Indices) -> Float1d:
    """Probabilities of ``test``; the calibration is of training sources that were left out."""
    folds = inner_folds(material, train)
    chosen = contender.choose(train, folds)
    raw = contender.raw(train, test, chosen)
    held_out = np.empty((train.size, *raw.shape[1:]))
    for fit, held in folds:
        held_out[held] = contender.raw(train[fit], train[held], chosen)
    if isinstance(contender, WithWords):
        mix = mix_of(held_out, contender.lexical_weight)
        raw, held_out = mixed(raw, mix), mixed(held_out, mix)
    weights = balanced_weights(material.y[train].astype(np.float64), material.sources[train])
    calibration = Calibration().fit(held_out, material.y[train], sample_weight=weights)
    return calibration.probability(raw)


def students(
    material: Material, question: Question, teacher: Float1d, max_features: int
) -> dict[str, list[Float1d]]:
    """Log-odds of the asked texts by every student, one array a draw of labels."""
    own, asked = material.reading.take(question.own), material.reading.take(question.asked)
    y, groups = material.y[question.own].astype(np.float64), material.groups[question.own]

    def fitted(labels: Float1d | None, said: Float1d | None) -> Float1d:
        student = GhostbusterClassifier(max_features=max_features)
        if said is not None:
            distill(student, own, said, labels, Mixing(alpha=0.5), groups)
        elif labels is not None:
            known = np.flatnonzero(~np.isnan(labels))
            student.fit_reading(own.take(known), labels[known].astype(np.intp), groups[known])
        return student.probability_of(asked)

    made: dict[str, list[Float1d]] = {BASE: [], BOTH: []}
    for few in question.few:
        labels = np.full(y.size, np.nan)
        labels[few] = y[few]
        made[BASE].append(fitted(labels, None))
        made[BOTH].append(fitted(labels, teacher))
    made[ALONE] = [fitted(None, teacher)] * len(question.few)
    made[TRUTH] = [fitted(y, None)] * len(question.few)
    return made


def figures(
    material: Material, asked: Indices, scores: Sequence[Float1d], base: Sequence[Float1d]
) -> dict[str, Any]:
    """Mean over draws of AUROC and TPR at 1 % FPR, and what was gained over the base; groups are drawn."""
    y, groups = material.y[asked], material.groups[asked]
    made: dict[str, Any] = {}
    for name, metric in {"auroc": auroc, "tpr": partial(tpr_at_fpr, fpr=FPR)}.items():

        def level(labels: Any, rows: Any, metric: Any = metric, of: Any = scores) -> float:
            return float(np.mean([metric(labels, score[rows.astype(np.intp)]) for score in of]))

        def gain(labels: Any, rows: Any, level: Any = level) -> float:
            return float(level(labels, rows) - level(labels, rows, of=base))

        for key, what in ((name, level), (f"{name}_gain", gain)):
            made[key] = asdict(bootstrap(what, y, np.arange(asked.size), groups, RESAMPLES))
    return made


def measure(
    material: Material, max_features: int, known: Mapping[str, Any], results: Results, log: Any = print
) -> Iterator[dict[str, Any]]:
    """Figures of every student and the teacher, by source; given again after each one not yet known."""
    store, words = ColumnStore(material), Words(material)
    stack = [
        WithWords(Detector(store, "default", head, max_features, results=results), words)
        for head in ("logistic", "lightgbm")
    ]
    found: dict[str, Any] = dict(known)
    for question in questions(material):
        if question.name in known:
            continue
        began = time.perf_counter()
        teacher = teach([*stack, Tfidf(material)], material, question)
        answers = students(material, question, teacher[: question.own.size], max_features)
        answers[TEACHER] = [teacher[question.own.size :]] * DRAWS
        found[question.name] = {
            "n_elsewhere": int(question.elsewhere.size),
            "n_own": int(question.own.size),
            "n_labelled": int(question.few[0].size),
            "n_asked": int(question.asked.size),
            "students": {
                name: figures(material, question.asked, scores, answers[BASE])
                for name, scores in answers.items()
            },
        }
        shown = {
            name: round(row["auroc"]["value"], 3) for name, row in found[question.name]["students"].items()
        }
        log(f"{question.name}: {shown}, {time.perf_counter() - began:.0f} s", flush=True)
        yield found


def table(found: Mapping[str, Any]) -> str:
    """AUROC of each student on each source, and the gain over the base."""
    names = [BASE, BOTH, ALONE, TEACHER, TRUTH]
    lines = [["source", "texts of its own", *names, "gained"], ["---"] * (len(names) + 3)]
    for source, one in found.items():
        rows = one["students"]
        gain = rows[BOTH]["auroc_gain"]
        cells = [f"{rows[name]['auroc']['value']:.3f}" for name in names]
        apart = f"{gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"
        lines.append([source, str(one["n_own"]), *cells, apart])
    means = [np.mean([one["students"][name]["auroc"]["value"] for one in found.values()]) for name in names]
    lines.append(["mean", "", *(f"{mean:.3f}" for mean in means), f"{means[1] - means[0]:+.3f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, help="where searches are kept")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of data/distillation.json")
    parser.add_argument("--max-features", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.5, help="of all groups of texts")
    options = parser.parse_args()
    texts = load(options.data, Plan())
    panel = open_panel()
    material = part_of(read_material(texts, panel, options.cache), options.share)
    settings = {"plan": str(Plan()), "data_digest": digest(texts), "max_features": options.max_features}
    settings |= {"share": options.share, "few": FEW, "draws": DRAWS, "models": dict(panel.fingerprints)}
    path = data_of(options.out, "distillation")
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    same = all(before.get(name) == value for name, value in settings.items())
    found = before["sources"] if same else {}
    results = Results(options.results, json.dumps([settings, code_digest()]))
    for found in measure(material, options.max_features, found, results):  # noqa: B020 - the last counts
        write_figures(path, settings | {"sources": found})
    print(table(found))


if __name__ == "__main__":
    main()
