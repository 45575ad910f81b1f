"""Train and test each classifier under both protocols (in-domain, leave one source out)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import MIN_TOKENS, Contender, WithWords, ask, inner_folds
from benchmarks.accuracy.protocols import Split, in_domain, leave_one_source_out
from benchmarks.measures import Figures, measure
from benchmarks.results import Results
from training.data.labelled import by_file
from training.data.material import Material

FOLDS = 3  # of each file, in domain
AS_PUBLISHED = "TF-IDF, texts as published"
Trial = dict[str, dict[str, Figures]]  # contender -> file -> figures
Log = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """Answers of one contender to all texts it was asked about.

    Attributes
    ----------
    probability : array of shape (n_texts,), NaN where it was not asked
    called, called_strictly : arrays of shape (n_texts,)
        Whether it reaches the promised threshold, by both rules of ``Answers``.
    bars : dict of str to float
        The raw score above which a text is called machine, by split.
    """

    probability: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]
    called_strictly: npt.NDArray[np.bool_]
    bars: dict[str, float]


def run_trial(
    material: Material,
    name: str,
    contender: Contender,
    splits: Sequence[Split],
    results: Results,
    *,
    nested: bool,
    log: Log,
) -> Outcome:
    """Answers over all splits of a protocol; those kept from before are read."""
    n = len(material.texts)
    outcome = Outcome(np.full(n, np.nan), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), {})
    for split in splits:
        began = time.perf_counter()

        def answer(split: Split = split) -> Mapping[str, npt.ArrayLike]:
            made = ask(contender, material, split.train, split.test, nested=nested)
            mixes = contender.mixes if isinstance(contender, WithWords) else {}
            return {**vars(made), "mix": mixes.get(split.train.tobytes(), (1.0, 0.0))}

        key = ("answers", name, str(nested), split.train.tobytes(), split.test.tobytes())
        made = results.get(key, answer)
        if isinstance(contender, WithWords):
            contender.mixes[split.train.tobytes()] = (float(made["mix"][0]), float(made["mix"][1]))
        outcome.probability[split.test] = made["probability"]
        outcome.called[split.test] = made["called"]
        outcome.called_strictly[split.test] = made["called_strictly"]
        outcome.bars[split.name] = float(made["raw_bar"])
        log(f"    {split.name}: {split.train.size} learned from, {time.perf_counter() - began:.1f} s")
    return outcome


def ranking(
    name: str, contender: Contender, splits: Sequence[Split], results: Results, material: Material
) -> npt.NDArray[np.float64]:
    """Raw scores of all texts that the splits ask about, shape (n_texts,); NaN for the others."""
    scores = np.full(len(material.texts), np.nan)
    for split in splits:

        def score(split: Split = split) -> Mapping[str, npt.ArrayLike]:
            chosen = contender.choose(split.train, inner_folds(material, split.train))
            return {"raw": contender.raw(split.train, split.test, chosen)}

        key = ("ranking", name, split.train.tobytes(), split.test.tobytes())
        scores[split.test] = results.get(key, score)["raw"]
    return scores


def figures_by_file(material: Material, outcome: Outcome) -> dict[str, Figures]:
    """Figures of each file that was asked about."""
    files, judged = material.files, judged_texts(material)
    found = {}
    for file in dict.fromkeys(files.tolist()):
        rows = np.flatnonzero((files == file) & ~np.isnan(outcome.probability))
        if rows.size:
            found[file] = measure(
                material.y[rows],
                outcome.probability[rows],
                outcome.called[rows],
                material.groups[rows],
                judged[rows],
            )
    return found


def judged_texts(material: Material) -> npt.NDArray[np.bool_]:
    """Texts that are long enough for a verdict, shape (n_texts,)."""
    enough: npt.NDArray[np.bool_] = material.reading.n_tokens >= MIN_TOKENS
    return enough


def leave_one_out_trials(
    material: Material, contenders: Mapping[str, Contender], results: Results, log: Log
) -> dict[str, Outcome]:
    """Every contender asked about sources it has not seen."""
    splits = leave_one_source_out(material.texts)
    outcomes = {}
    for name, contender in contenders.items():
        log(f"  {name}")
        outcomes[name] = run_trial(material, name, contender, splits, results, nested=True, log=log)
    return outcomes


def in_domain_trials(
    material: Material, contenders: Mapping[str, Contender], results: Results, log: Log
) -> dict[str, Outcome]:
    """What ships and the baseline, on texts as prepared and as published; grouped folds of each file."""
    splits = [split for file in by_file(material.texts) for split in in_domain(material.texts, file, FOLDS)]
    entered = {n: c for n, c in contenders.items() if isinstance(c, WithWords | Tfidf)}
    outcomes = {}
    for name, contender in (entered | {AS_PUBLISHED: Tfidf(material, as_published=True)}).items():
        log(f"  {name}")
        outcomes[name] = run_trial(
            material, name, contender, splits, results, nested=False, log=lambda _: None
        )
    return outcomes
