"""Every contender under both protocols, and the leave-one-source-out detector on shortened texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from benchmarks.baseline import Tfidf
from benchmarks.contenders import Answers, Contender, Detector, WithWords, ask, inner_folds
from benchmarks.measures import Figures, measure
from benchmarks.protocols import Split, in_domain, leave_one_source_out
from benchmarks.zeroshot import zero_shot
from training.labelled import by_file
from training.material import Material, columns_of

DETECTORS = ("logistic", "lightgbm")
BASELINE = "TF-IDF"
AS_PUBLISHED = "TF-IDF, texts as published"
Trial = dict[str, dict[str, Figures]]  # contender -> file -> figures


@dataclass(frozen=True)
class Outcome:
    """Answers of one contender to all texts it was asked about.

    Attributes
    ----------
    probability : array of shape (n_texts,), NaN where it was not asked
    called : array of shape (n_texts,)
        Whether the probability lies above the promised bar.
    """

    probability: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]


def contenders_of(material: Material, space: str, max_features: int) -> dict[str, Contender]:
    """The table of who competes, in the order of the report."""
    ours = {head: Detector(material, space, head, max_features) for head in DETECTORS}
    for other in DETECTORS[1:]:  # one search serves all heads
        ours[other] = Detector(material, space, other, max_features, memory=ours[DETECTORS[0]].memory)
        ours[other].__dict__["columns"] = ours[DETECTORS[0]].columns
    return {
        "ghostbuster (logistic head, words)": WithWords(ours["logistic"]),
        **{f"ghostbuster ({head} head)": detector for head, detector in ours.items()},
        "preset `ghostbuster`": Detector(material, "ghostbuster", "logistic", criterion="accuracy"),
        "preset `kaggle`": Detector(material, "kaggle", "logistic", criterion=None),
        BASELINE: Tfidf(material),
        AS_PUBLISHED: Tfidf(material, as_published=True),
        **{f"`{name}`": statistic for name, statistic in zero_shot(columns_of(material, "zeroshot")).items()},
    }


def run_trial(
    material: Material,
    contender: Contender,
    splits: Sequence[Split],
    *,
    nested: bool,
    log: Callable[[str], None],
) -> Outcome:
    """Answers over all splits of a protocol."""
    work_ahead(material, contender, splits, nested=nested)
    probability = np.full(len(material.texts), np.nan)
    called = np.zeros(len(material.texts), dtype=bool)
    for split in splits:
        began = time.perf_counter()
        answers: Answers = ask(contender, material, split.train, split.test, nested=nested)
        probability[split.test] = answers.probability
        called[split.test] = answers.probability > answers.bar
        log(f"    {split.name}: {split.train.size} learned from, {time.perf_counter() - began:.1f} s")
    return Outcome(probability, called)


def work_ahead(
    material: Material, contender: Contender, splits: Sequence[Split], *, nested: bool, n_jobs: int = 2
) -> None:
    """Make every search and train every head that the splits will ask for, side by side.

    Leaving out first one source and then another gives the same texts as the other way round: once is enough.
    """
    detector = contender.detector if isinstance(contender, WithWords) else contender
    if not isinstance(detector, Detector):
        return
    outer = [split.train for split in splits]
    inner = [train[fit] for train in outer for fit, _ in inner_folds(material, train)]
    chosen_on = {rows.tobytes(): rows for rows in (*outer, *(inner if nested else ()))}
    detector.columns  # noqa: B018 - evaluated once, before threads ask for it
    searches = (delayed(detector.choose)(rows, inner_folds(material, rows)) for rows in chosen_on.values())
    Parallel(n_jobs, prefer="threads")(searches)
    if nested:
        heads = (delayed(detector.fitted)(rows, detector.memory[key]) for key, rows in chosen_on.items())
        Parallel(n_jobs, prefer="threads")(heads)


def figures_by_file(material: Material, outcome: Outcome) -> dict[str, Figures]:
    """Figures of each file that was asked about."""
    files = material.files
    found = {}
    for file in dict.fromkeys(files.tolist()):
        rows = np.flatnonzero((files == file) & ~np.isnan(outcome.probability))
        if rows.size:
            y, groups = material.y[rows], material.groups[rows]
            found[file] = measure(y, outcome.probability[rows], outcome.called[rows], groups)
    return found


def leave_one_out_trials(
    material: Material, contenders: Mapping[str, Contender], log: Callable[[str], None]
) -> dict[str, Outcome]:
    """Every contender but the as-published baseline, asked about sources it has not seen."""
    splits = leave_one_source_out(material.texts)
    outcomes = {}
    for name, contender in contenders.items():
        if name != AS_PUBLISHED:
            log(f"  {name}")
            outcomes[name] = run_trial(material, contender, splits, nested=True, log=log)
    return outcomes


def in_domain_trials(
    material: Material, contenders: Mapping[str, Contender], log: Callable[[str], None]
) -> dict[str, Outcome]:
    """What ships and the baseline, on grouped folds of each file."""
    splits = [split for file in by_file(material.texts) for split in in_domain(material.texts, file)]
    outcomes = {}
    for name, contender in contenders.items():
        if isinstance(contender, WithWords | Tfidf):
            log(f"  {name}")
            outcomes[name] = run_trial(material, contender, splits, nested=False, log=lambda _: None)
    return outcomes
