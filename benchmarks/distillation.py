"""Measure what a student gains from a teacher's word on unlabelled texts, and write docs/distillation.json.

    python -m benchmarks.distillation [--data FOLDER] [--cache FOLDER] [--out docs]

A run that was broken off goes on with the sources that the file lacks.

One source after another is the place where nobody has labels. Its groups are halved: the teacher reads one
half without its labels, everybody is asked about the other. Only labels of the other sources are learned.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.contenders import ColumnStore, Contender, Detector, WithWords, Words, inner_folds
from benchmarks.protocols import leave_one_source_out
from benchmarks.results import DEFAULT_FOLDER as DEFAULT_RESULTS
from benchmarks.results import Results, code_digest
from benchmarks.student import Lesson, Student
from ghostbuster.calibration import Calibration
from ghostbuster.distillation import Mixing, targets
from ghostbuster.ensemble import combine
from ghostbuster.errors import InputError
from ghostbuster.files import replacing
from ghostbuster.fitting import mix_of, mixed
from ghostbuster.folds import balanced_weights
from ghostbuster.intervals import bootstrap
from ghostbuster.metrics import auroc, tpr_at_fpr
from ghostbuster.models.panel import open_panel
from training.crops import random_crops
from training.data import DEFAULT_FOLDER, PROBES, STRESS, Plan, digest, learnable, load
from training.material import Indices, Material, read_material
from training.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

Float1d = npt.NDArray[np.float64]
RESAMPLES = 500
FPR = 0.01
BASE = "labels of the other sources"


@dataclass(frozen=True)
class Question:
    """One source without labels.

    Attributes
    ----------
    labelled : texts of the other sources, crops among them
    unlabelled : half of the source's groups, crops among them, for the teacher to read
    asked : whole texts of the other half
    """

    name: str
    labelled: Indices
    unlabelled: Indices
    asked: Indices


def questions(material: Material) -> list[Question]:
    """One a source that may be learned from."""
    found = []
    for split in leave_one_source_out(material.texts):
        own = np.flatnonzero(material.sources == split.name)
        may = np.array([material.files[i] not in STRESS | PROBES for i in own])
        own = own[may]
        if own.size:
            groups = np.random.default_rng(0).permutation(np.unique(material.groups[own]))
            read = np.isin(material.groups[own], groups[: groups.size // 2])
            whole = np.array([not material.texts[i].is_crop for i in own])
            found.append(Question(split.name, split.train, own[read], own[~read & whole]))
    return found


@dataclass
class Searched(Detector):
    """A detector with the features that another one chose: one search serves both."""

    by: Detector | None = None

    def choose(self, train: Indices, folds: list[tuple[Indices, Indices]]) -> Indices:
        """Columns that the other one chooses."""
        if self.by is None:
            raise TypeError("a detector whose features another one chose needs that one")
        return self.by.choose(train, folds)


def part_of(material: Material, share: float) -> Material:
    """A share of the groups, drawn once and for all."""
    groups = np.random.default_rng(1).permutation(np.unique(material.groups))
    rows = np.flatnonzero(np.isin(material.groups, groups[: round(share * groups.size)]))
    offsets = material.reading.vectors.offsets  # units are the strong model's tokens: one tokenizer
    ends = np.concatenate([material.ends[offsets[i] : offsets[i + 1]] for i in rows])
    return Material(tuple(material.texts[i] for i in rows), material.reading.take(rows), ends)


def teach(
    contenders: Mapping[str, Contender], material: Material, question: Question
) -> tuple[Float1d, Float1d]:
    """The teacher's probabilities of unlabelled and then asked texts, and of labelled ones.

    The latter come from teachers that never saw the text's source. A teacher is the mean log-odds of its
    members, each calibrated on sources it had not seen.
    """
    others = np.concatenate([question.unlabelled, question.asked])
    answers = [cross_fitted(one, material, question.labelled, others) for one in contenders.values()]
    there, held_out = (combine([pd.Series(a[side]) for a in answers], "logit").to_numpy() for side in (0, 1))
    return there, held_out


def cross_fitted(
    contender: Contender, material: Material, train: Indices, test: Indices
) -> tuple[Float1d, Float1d]:
    """Calibrated probabilities of ``test``, and of each training source by a contender that left it out."""
    folds = inner_folds(material, train)
    chosen = contender.choose(train, folds)
    raw = contender.raw(train, test, chosen)
    held_out = np.empty((train.size, *raw.shape[1:]))
    for fit, held in folds:
        held_out[held] = contender.raw(train[fit], train[held], chosen)
    if isinstance(contender, WithWords):
        mix = contender.mixes[train.tobytes()] = mix_of(held_out, contender.lexical_weight)
        raw, held_out = mixed(raw, mix), mixed(held_out, mix)
    weights = balanced_weights(material.y[train].astype(np.float64), material.sources[train])
    calibration = Calibration().fit(held_out, material.y[train], sample_weight=weights)
    return calibration.probability(raw), calibration.probability(held_out)


def lessons(material: Material, question: Question, teacher: tuple[Float1d, Float1d]) -> dict[str, Lesson]:
    """The students compared, by what they learn from."""
    labelled, unlabelled = question.labelled, question.unlabelled
    y = material.y.astype(np.float64)
    said, held_out = teacher[0][: unlabelled.size], teacher[1]
    both = np.concatenate([labelled, unlabelled])
    made = {BASE: Lesson(labelled, y[labelled])}
    for name, alpha in (("", 0.0), (", half its word on labelled ones", 0.5)):
        mixing = Mixing(alpha)
        target = np.concatenate([targets(held_out, y[labelled], mixing), targets(said, None, mixing)])
        made[f"and the teacher's word on the source's unlabelled texts{name}"] = Lesson(both, target)
    made["the teacher's word on the source's unlabelled texts alone"] = Lesson(unlabelled, said)
    made["(for comparison: and the true labels of those texts)"] = Lesson(both, y[both])
    return made


def figures(material: Material, asked: Indices, score: Float1d, base: Float1d) -> dict[str, Any]:
    """AUROC and TPR at 1 % FPR of one student, and what it gained over the base, paired, groups drawn."""
    y, groups = material.y[asked], material.groups[asked]
    made: dict[str, Any] = {}
    for name, metric in {"auroc": auroc, "tpr": partial(tpr_at_fpr, fpr=FPR)}.items():
        made[name] = asdict(bootstrap(metric, y, score, groups, RESAMPLES))
        place = np.arange(asked.size)

        def gain(labels: Any, rows: Any, metric: Any = metric) -> float:
            drawn = rows.astype(np.intp)
            return float(metric(labels, score[drawn]) - metric(labels, base[drawn]))

        made[f"{name}_gain"] = asdict(bootstrap(gain, y, place, groups, RESAMPLES))
    return made


def measure(
    material: Material, max_features: int, known: Mapping[str, Any], results: Results, log: Any = print
) -> Iterator[dict[str, Any]]:
    """Figures of every student and the teacher, by source; given again after each one not yet known."""
    store = ColumnStore(material)
    logistic = Detector(store, "default", "logistic", max_features, results=results)
    boosted = Searched(store, "default", "lightgbm", max_features, by=logistic)
    with_words = WithWords(logistic, Words(material))
    stack = {"words": with_words, "lightgbm": boosted}
    student = Student(material, store.of("default"), max_features, results)
    found: dict[str, Any] = dict(known)
    for question in questions(material):
        if question.name in known:
            continue
        began = time.perf_counter()
        teacher = teach(stack, material, question)
        mix = with_words.mixes[question.labelled.tobytes()]
        answers = {"teacher": teacher[0][question.unlabelled.size :]}
        for name, lesson in lessons(material, question, teacher).items():
            answers[name] = student.answer(lesson, question.asked, mix)
        found[question.name] = {
            "n_labelled": int(question.labelled.size),
            "n_unlabelled": int(question.unlabelled.size),
            "n_asked": int(question.asked.size),
            "students": {
                name: figures(material, question.asked, score, answers[BASE])
                for name, score in answers.items()
            },
        }
        shown = {
            name: round(row["auroc"]["value"], 3) for name, row in found[question.name]["students"].items()
        }
        log(f"{question.name}: {shown}, {time.perf_counter() - began:.0f} s", flush=True)
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, help="where searches are kept")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of distillation.json")
    parser.add_argument("--max-features", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.5, help="of all groups of texts")
    parser.add_argument("--crops", action="store_true", help="learn from passages of the texts too")
    options = parser.parse_args()
    texts = load(options.data, Plan())
    crops = random_crops(learnable(texts), 0) if options.crops else []
    material = part_of(read_material([*texts, *crops], open_panel(), options.cache), options.share)
    settings = {"plan": str(Plan()), "data_digest": digest(texts), "max_features": options.max_features}
    settings |= {"n_crops": len(crops), "share": options.share}
    path = options.out / "distillation.json"
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    same = all(before.get(name) == value for name, value in settings.items())
    results = Results(options.results, f"{settings['data_digest']} {code_digest()}")
    for found in measure(material, options.max_features, before["sources"] if same else {}, results):
        with replacing(path, InputError) as unfinished:
            unfinished.write_text(
                json.dumps(settings | {"sources": found}, indent=1) + "\n", encoding="utf-8"
            )


if __name__ == "__main__":
    main()
