"""Sources that a detector has not seen: what its readers, alone and mixed, say of them; beside TF-IDF.

    python -m training.detector.train_default --panel standard --corpus FOLDER --held-out FILE --out DETECTOR
    python -m benchmarks.accuracy.unseen FILE --corpus FOLDER --out docs/data/unseen.json

``FILE`` holds what readers that never saw a text's source said of it. Here each source is left out once more:
the weights of the readers, the calibration and the thresholds are learned from all other sources' texts and
tried on its own. Passages are learned from, whole texts are asked about.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline import tfidf
from benchmarks.measures import RESAMPLES, mean_with_interval, redrawn
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.length_bands import thresholds_by_length
from ghostbuster.decision.thresholds import ENOUGH, SOME
from ghostbuster.detector.training import MOST_HELD_OUT
from ghostbuster.folds import bundled, leave_one_out
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.scorer import READERS, mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.intervals import bootstrap, clopper_pearson

PROMISE = 0.01
MIN_TOKENS = 100
FEW = 20  # texts of a class from which it has figures
METRICS = ("auroc", "tpr", "accused", "found")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """What ``train_default --held-out`` wrote.

    Attributes
    ----------
    parts : array of shape (n_texts, n_readers)
    rows : mapping of str to array of shape (n_texts,)
        ``y``, ``weights``, ``groups``, ``n_tokens``, ``is_crop``, ``sources``, ``files``, ...
    readers : tuple of str
    """

    parts: Floats
    rows: Mapping[str, npt.NDArray[Any]]
    readers: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> HeldOut:
        """Read the file."""
        with np.load(path, allow_pickle=False) as arrays:
            rows = {name: arrays[name] for name in arrays.files if name not in ("parts", "readers")}
            return cls(arrays["parts"], rows, tuple(arrays["readers"].tolist()))


@dataclass(frozen=True)
class Answer:
    """What is said of the texts of one source by what was learned from all others.

    Attributes
    ----------
    raw, probability : array of shape (n_texts,)
    called : dict of float to bool array of shape (n_texts,)
        By promised rate, whether each is called machine; no text that is too short to be judged is.
    """

    raw: Floats
    probability: Floats
    called: dict[float, npt.NDArray[np.bool_]]


def answers(held_out: HeldOut, columns: list[int], source: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Raw scores of the texts of one source, and whether each is called machine; all learned elsewhere."""
    found = answer(held_out, columns, source)
    return found.raw, found.called[PROMISE]


def answer(held_out: HeldOut, columns: list[int], source: str, rates: Sequence[float] = (PROMISE,)) -> Answer:
    """Mixed log-odds of some readers, probability and calls of one source's texts; all learned elsewhere."""
    rows = held_out.rows
    here = rows["sources"] == source
    learned = ~here & (rows["weights"] > 0)
    parts = held_out.parts[:, columns]
    y, weights = rows["y"].astype(np.float64), rows["weights"]
    mix = stacked_mix(parts[learned], y[learned], weights[learned]) if len(columns) > 1 else (1.0,)
    raw = mixed(parts, mix)
    calibration = Calibration().fit(raw[learned], y[learned], sample_weight=weights[learned])
    probability = calibration.probability(raw)
    people = ~here & (y == 0) & (rows["n_tokens"] >= MIN_TOKENS)
    promised = thresholds_by_length(
        probability[people], rows["n_tokens"][people], rates, rows["sources"][people]
    )
    lengths = rows["n_tokens"][here]
    called = {}
    for one in promised:
        bars = np.array([one.for_length(int(n)).probability for n in lengths])
        called[one.rate] = (probability[here] >= bars) & (lengths >= MIN_TOKENS)
    return Answer(raw[here], probability[here], called)


def figures_of(held_out: HeldOut, columns: list[int]) -> dict[str, Any]:
    """Figures of each source and means over them, of some readers mixed."""
    rows = held_out.rows
    sources = {}
    for name in np.unique(rows["sources"]).tolist():
        raw, called = answers(held_out, columns, name)
        here = rows["sources"] == name
        whole = ~rows["is_crop"][here]
        sources[name] = of_source(
            rows["y"][here][whole],
            raw[whole],
            called[whole],
            rows["n_tokens"][here][whole] >= MIN_TOKENS,
            rows["groups"][here][whole],
        )
    return {"sources": sources, "mean": means_over(sources)}


def of_source(
    y: npt.NDArray[Any],
    raw: Floats,
    called: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_],
    groups: npt.NDArray[Any],
) -> dict[str, Any]:
    made: dict[str, Any] = {"n_human": int(np.sum(y == 0)), "n_machine": int(np.sum(y == 1))}
    for name, label in (("accused", 0), ("found", 1)):
        asked = judged & (y == label)
        if asked.any():
            made[name] = asdict(clopper_pearson(int(called[asked].sum()), int(asked.sum())))
            made[f"n_{name}"] = int(asked.sum())
    if min(made["n_human"], made["n_machine"]) >= FEW:
        for name, metric in (("auroc", auroc), ("tpr", _tpr)):
            made[name] = asdict(bootstrap(metric, y, raw, groups, n_resamples=RESAMPLES // 2))
    return made


def _tpr(y: npt.NDArray[Any], raw: npt.NDArray[Any]) -> float:
    return tpr_at_fpr(y, raw, PROMISE)


def means_over(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the sources that have both classes, with intervals over sources; all people; the worst."""
    made: dict[str, Any] = {}
    for name in METRICS:
        of_both = [one for one in sources.values() if name in one and "auroc" in one]
        values = np.array([one[name]["value"] for one in of_both])
        if values.size:
            made[name] = asdict(mean_with_interval(values, redrawn(values.size))) | {"n_sources": values.size}
    people = [one for one in sources.values() if "accused" in one]
    n = sum(one["n_accused"] for one in people)
    wronged = sum(round(one["accused"]["value"] * one["n_accused"]) for one in people)
    made["accused_of_all_people"] = asdict(clopper_pearson(wronged, n)) | {"n": n}
    many = ENOUGH if any(one["n_accused"] >= ENOUGH for one in people) else SOME
    large = [one["accused"]["value"] for one in people if one["n_accused"] >= many]
    made["accused_in_worst_source"] = max(large, default=None)
    made["worst_is_of"] = {"n_sources": len(large), "people_or_more": many}
    return made


def tfidf_parts(held_out: HeldOut, texts: list[str]) -> Floats:
    """Log-odds by TF-IDF that never saw a text's source, as the readers did not; shape (n_texts,)."""
    rows = held_out.rows
    raw = np.empty(len(texts))
    for train, test in leave_one_out(
        rows["y"].astype(np.intp), bundled(rows["sources"], MOST_HELD_OUT), rows["groups"]
    ):
        learned = train[rows["weights"][train] > 0]
        model = tfidf().fit([texts[i] for i in learned], rows["y"][learned])
        raw[test] = model.decision_function([texts[i] for i in test])
    return raw


def measured(held_out: HeldOut, texts: list[str] | None) -> dict[str, Any]:
    """Figures of each reader alone, of all mixed, and of the baseline."""
    names = READERS[: held_out.parts.shape[1]]
    there = [k for k, name in enumerate(names) if name in held_out.readers]
    found = {names[k]: figures_of(held_out, [k]) for k in there}
    if len(there) > 1:
        found["all, mixed"] = figures_of(held_out, there)
    if texts is not None:
        baseline = HeldOut(tfidf_parts(held_out, texts)[:, None], held_out.rows, ("TF-IDF",))
        found["TF-IDF"] = figures_of(baseline, [0])
    return {"promise": PROMISE, "min_tokens": MIN_TOKENS, "readers": found}


def corpus_texts(folder: Path, held_out: HeldOut) -> list[str]:
    """The texts that were asked about, in their order."""
    from training.data.dataset import PROBES, STRESS
    from training.data.read_corpus import Corpus

    texts = [text.text for text in Corpus.open(folder).texts if text.file not in STRESS | PROBES]
    return texts[: held_out.rows["y"].size]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held_out", type=Path)
    parser.add_argument("--corpus", type=Path, help="folder of training.data.read_corpus, for TF-IDF beside")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, as JSON")
    options = parser.parse_args()
    held_out = HeldOut.open(options.held_out)
    texts = None if options.corpus is None else corpus_texts(options.corpus, held_out)
    found = measured(held_out, texts)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, one in found["readers"].items():
        mean = one["mean"]
        told = "  ".join(f"{metric} {mean[metric]['value']:.3f}" for metric in METRICS)
        print(f"{name:12} {told}  worst {mean['accused_in_worst_source']}")


if __name__ == "__main__":
    main()
