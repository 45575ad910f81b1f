"""Pairs: how often the machine's text of two on one prompt or document is told, in sources not seen.

    python -m training.detector.train_default --panel standard --corpus FOLDER --held-out FILE --out DETECTOR
    python -m benchmarks.accuracy.pairs FILE --corpus FOLDER --out docs/data/pairs.json

``FILE`` holds what readers that never saw a text's source said of it. Each source is left out once more: the
readers' weights, the calibration and the slope of pairs are learned from all others. Groups count alike.
Beside it TF-IDF, likewise left out, and the number of words alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.unseen import HeldOut, corpus_texts, tfidf_parts
from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.results import write_figures
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.pair_slope import UNLEARNED, PairSlope, pairs_in_groups
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.scorer import mixed

MIN_TOKENS = 100
FEWEST = 5
"""Groups with both classes that a source must have for figures of its own."""
SURE = 0.9
MOST_OTHERS = 400  # pairs of one class drawn of each source
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def log_odds_without(source: str, parts: Floats, rows: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Raw scores and calibrated log-odds of all texts; weights and calibration learned without a source."""
    learned = (rows["sources"] != source) & (rows["weights"] > 0)
    y, weights = rows["y"].astype(np.float64), rows["weights"]
    mix = stacked_mix(parts[learned], y[learned], weights[learned]) if parts.shape[1] > 1 else (1.0,)
    raw = mixed(parts, mix)
    calibration = Calibration().fit(raw[learned], y[learned], sample_weight=weights[learned])
    return raw, calibration.log_odds(raw)


def learned_slope(scores: Floats, rows: Mapping[str, Any], source: str, asked: npt.NDArray[Any]) -> PairSlope:
    """From the pairs of all other sources."""
    elsewhere = np.flatnonzero(asked & (rows["sources"] != source))
    y = rows["y"].astype(np.float64)
    return PairSlope.fit(scores[elsewhere], y[elsewhere], rows["groups"][elsewhere])


def of_source(source: str, held_out: HeldOut, baselines: Mapping[str, Floats]) -> dict[str, Any] | None:
    """Figures of one source; None where it has too few groups."""
    rows = held_out.rows
    asked = ~rows["is_crop"] & (rows["n_tokens"] >= MIN_TOKENS)
    here = np.flatnonzero(asked & (rows["sources"] == source))
    machine, human, weight = pairs_in_groups(rows["y"][here].astype(np.float64), rows["groups"][here])
    if round(float(weight.sum())) < FEWEST:
        return None
    machine, human = here[machine], here[human]
    raw, log_odds = log_odds_without(source, held_out.parts, rows)
    made: dict[str, Any] = {
        "n_groups": round(float(weight.sum())),
        "n_pairs": int(machine.size),
        "of_one_class": _of_one_class(rows, here, log_odds, learned_slope(log_odds, rows, source, asked)),
    }
    scales = {"all, mixed": log_odds, "raw score": raw, "slope 1": log_odds, **baselines}
    for name, scores in scales.items():
        slope = UNLEARNED if name == "slope 1" else learned_slope(scores, rows, source, asked)
        p = slope.probability(scores[machine], scores[human])
        made[name] = {
            "accuracy": float(np.average((p > 0.5) + 0.5 * (p == 0.5), weights=weight)),
            "log_loss": float(np.average(-np.log(p), weights=weight)),
            "mean_probability": float(np.average(np.maximum(p, 1 - p), weights=weight)),
            "sure": float(np.average(np.maximum(p, 1 - p) >= SURE, weights=weight)),
            "right_where_sure": _right(p, weight),
            "slope": slope.slope,
        }
    return made


def _right(p: Floats, weight: Floats) -> float | None:
    sure = np.maximum(p, 1 - p) >= SURE
    return float(np.average(p[sure] > 0.5, weights=weight[sure])) if sure.any() else None


def _of_one_class(rows: Mapping[str, Any], here: Rows, scores: Floats, slope: PairSlope) -> dict[str, Any]:
    """How often two texts of people, or of machines, are told apart surely all the same."""
    rng = np.random.default_rng(0)
    made = {}
    for name, label in (("people", 0), ("machines", 1)):
        of_class = here[rows["y"][here] == label]
        if of_class.size > 1:
            a, b = rng.choice(of_class, (2, MOST_OTHERS))
            p = slope.probability(scores[a], scores[b])[a != b]
            made[name] = float((np.maximum(p, 1 - p) >= SURE).mean())
    return made


def measured(held_out: HeldOut, texts: list[str]) -> dict[str, Any]:
    """Figures of each source with enough groups, and means over them with intervals over sources."""
    baselines = {
        "TF-IDF": tfidf_parts(held_out, texts),
        "number of words": np.log([max(len(text.split()), 1) for text in texts]),
    }
    names = np.unique(held_out.rows["sources"]).tolist()
    sources = {name: made for name in names if (made := of_source(name, held_out, baselines)) is not None}
    draws = redrawn(len(sources))
    means: dict[str, Any] = {}
    for name in ("all, mixed", "raw score", "slope 1", *baselines):
        means[name] = {}
        for figure in ("accuracy", "log_loss", "sure"):
            values = np.array([one[name][figure] for one in sources.values()])
            means[name][figure] = asdict(mean_with_interval(values, draws))
    for name in baselines:
        gained = np.array([one["all, mixed"]["accuracy"] - one[name]["accuracy"] for one in sources.values()])
        means[name]["behind"] = asdict(mean_with_interval(gained, draws))
    means["sure of one class"] = {
        kind: float(np.mean([one["of_one_class"][kind] for one in sources.values()]))
        for kind in ("people", "machines")
    }
    n_groups = sum(one["n_groups"] for one in sources.values())
    pooled = sum(one["n_groups"] * one["all, mixed"]["accuracy"] for one in sources.values()) / n_groups
    return {"sources": sources, "mean": means, "n_groups": n_groups, "accuracy_of_all_groups": pooled}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held_out", type=Path)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, as JSON")
    options = parser.parse_args()
    held_out = HeldOut.open(options.held_out)
    found = measured(held_out, corpus_texts(options.corpus, held_out))
    write_figures(options.out, found)
    print(json.dumps(found["mean"], indent=1))
    for name, one in found["sources"].items():
        told = "  ".join(
            f"{kind} {one[kind]['accuracy']:.3f}" for kind in ("all, mixed", "TF-IDF", "number of words")
        )
        print(f"{name:12} {one['n_groups']:4} groups {one['n_pairs']:5} pairs  {told}")


if __name__ == "__main__":
    main()
