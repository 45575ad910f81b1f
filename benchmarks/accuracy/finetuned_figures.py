"""Figures of a fine-tuned adapter, of the probe of hidden states, and of both, on sources that none has seen.

    python -m benchmarks.accuracy.finetuned_figures --corpus FOLDER --work FOLDER --out FILE

The probe and the lexicon learn from the texts that the adapter learned from; readers are weighed by what they
say of the sources that told the adapter when to stop. Then half of each source left out teaches a student:
the adapter's word on it against nobody's, both asked about the other half.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.finetuned import LEFT_OUT, ODDS, WATCHED, learned_from, whole_texts
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.distillation import Mixing, distill
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.state_probe import StateProbe
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.intervals import bootstrap, resamples
from ghostbuster.models.panels import SMOLLM2_LAYERS
from training.data.material import Material, read_corpus_material
from training.data.read_corpus import Corpus

PROMISE, RESAMPLES = 0.01, 500
SEED = 0
Floats = npt.NDArray[np.float64]
_tpr = partial(tpr_at_fpr, fpr=PROMISE)


def odds_of(work: Path, keys: Sequence[str]) -> Floats:
    """The adapter's log-odds of texts; NaN where it was not asked."""
    with np.load(work / ODDS) as kept:
        known = dict(zip(kept["keys"].tolist(), kept["odds"].tolist(), strict=True))
    return np.array([known.get(key, np.nan) for key in keys])


def readers_of(options: argparse.Namespace) -> tuple[dict[str, Floats], dict[str, npt.NDArray[Any]]]:
    """Log-odds of every text left out or watched by each reader, and what is known of the texts."""
    corpus = Corpus.open(options.corpus)
    n = max(options.n_texts, options.n_asked or 0)
    corpus = Corpus(corpus.texts[:n], corpus.chunks[: -(-n // 200)])
    scores = corpus.scores(["strong"], SMOLLM2_LAYERS)["strong"]
    place = {text.key: i for i, text in enumerate(corpus.texts)}
    learned = [
        text
        for text in learned_from(corpus.texts[: options.n_texts])
        if text.source not in WATCHED and np.diff(scores.offsets)[place[text.key]] >= options.min_tokens
    ]
    asked = [text for text in whole_texts(corpus.texts) if text.source in LEFT_OUT + WATCHED]
    odds = odds_of(options.work, [text.key for text in asked])
    asked = [text for text, one in zip(asked, odds, strict=True) if not np.isnan(one)]
    rows = [np.array([place[text.key] for text in part]) for part in (learned, asked)]
    y = np.array([text.label for text in learned], float)
    sources = np.array([text.source for text in learned])
    weights = balanced_weights(y, sources)
    states = scores.states
    if states is None:
        raise SystemExit("the corpus holds no hidden states")
    probe = StateProbe.fit(states.take(rows[0]), y, weights, sources)
    lexicon = Lexicon.fit([text.text for text in learned], y, weights)
    facts = {
        name: np.array([getattr(text, name) for text in asked])
        for name in ("key", "label", "source", "file", "group")
    }
    print(f"{len(learned)} texts learned from, {len(asked)} asked about", flush=True)
    parts = {
        "probe": probe.raw_score(states.take(rows[1])),
        "adapter": odds[~np.isnan(odds)],
        "words": lexicon.raw_score([text.text for text in asked]),
    }
    return parts, facts | {"n_learned": np.array(len(learned))}


MIXES = {
    "probe": ("probe",),
    "adapter": ("adapter",),
    "probe and adapter": ("probe", "adapter"),
    "words and probe": ("words", "probe"),
    "words, probe and adapter": ("words", "probe", "adapter"),
}


def mixed_by_watched(parts: Mapping[str, Floats], facts: Mapping[str, Any], names: Sequence[str]) -> Floats:
    """Readers weighed by stacking on the watched sources, for all texts."""
    matrix = np.column_stack([parts[name] for name in names])
    watched = np.isin(facts["source"], WATCHED)
    y = facts["label"][watched].astype(float)
    weights = balanced_weights(y, facts["source"][watched])
    return np.asarray(matrix @ np.array(stacked_mix(matrix[watched], y, weights)))


def figures(raw: Mapping[str, Floats], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Of each mix by source left out, their means, and of all at one threshold; differences to the probe."""
    made: dict[str, Any] = {}
    out = np.isin(facts["source"], LEFT_OUT)
    y, groups = facts["label"], facts["group"]
    for name, score in raw.items():
        of_sources = {}
        for source in (*LEFT_OUT, *WATCHED):
            here = facts["source"] == source
            of_sources[source] = {
                "n_human": int(np.sum(y[here] == 0)),
                "n_machine": int(np.sum(y[here] == 1)),
                "auroc": asdict(bootstrap(auroc, y[here], score[here], groups[here], RESAMPLES)),
                "tpr": asdict(bootstrap(_tpr, y[here], score[here], groups[here], RESAMPLES)),
            }
        mean = {
            metric: float(np.mean([of_sources[source][metric]["value"] for source in LEFT_OUT]))
            for metric in ("auroc", "tpr")
        }
        pooled = {
            "auroc": asdict(bootstrap(auroc, y[out], score[out], groups[out], RESAMPLES)),
            "tpr": asdict(bootstrap(_tpr, y[out], score[out], groups[out], RESAMPLES)),
        }
        made[name] = {"sources": of_sources, "mean": mean, "pooled": pooled}
        made[name]["gain"] = gain_over(raw["probe"], score, facts)
    return made


def gain_over(first: Floats, second: Floats, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Mean over sources of what ``second`` has more than ``first``; the interval pairs them."""
    drawn: dict[str, list[list[float]]] = {"auroc": [], "tpr": []}
    values: dict[str, list[float]] = {"auroc": [], "tpr": []}
    for source in LEFT_OUT:
        here = facts["source"] == source
        y, groups = facts["label"][here], facts["group"][here]
        a, b = first[here], second[here]
        rows = list(resamples(y, groups, RESAMPLES, SEED))
        for name, metric in (("auroc", auroc), ("tpr", _tpr)):
            values[name].append(metric(y, b) - metric(y, a))
            drawn[name].append([metric(y[r], b[r]) - metric(y[r], a[r]) for r in rows])
    made = {}
    for name in ("auroc", "tpr"):
        means = np.mean(drawn[name], axis=0)
        low, high = np.quantile(means, [0.025, 0.975])
        made[name] = {"value": float(np.mean(values[name])), "low": float(low), "high": float(high)}
    return made


def students(
    options: argparse.Namespace, parts: Mapping[str, Floats], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """A student of the embedded models, taught on one half of the sources left out, asked about the other."""
    material = read_corpus_material(options.corpus, "lite", max(options.n_texts, options.n_asked or 0))
    place = {text.key: i for i, text in enumerate(material.texts)}
    out = np.flatnonzero(np.isin(facts["source"], LEFT_OUT))
    half = np.array([hash_of(int(group)) for group in facts["group"][out]])
    own, asked = out[half], out[~half]
    learned = [
        text
        for text in learned_from([material.texts[i] for i in range(min(options.n_texts, len(place)))])
        if text.source not in WATCHED
    ][:: options.thin]
    made: dict[str, Any] = {
        "n_labelled": len(learned),
        "n_unlabelled": int(own.size),
        "n_asked": int(asked.size),
    }
    for name, words in (
        ("nobody", None),
        ("probe", parts["probe"]),
        ("adapter", parts["adapter"]),
        ("probe and adapter", mixed_by_watched(parts, facts, ("probe", "adapter"))),
    ):
        score = taught(material, learned, place, facts, own, asked, words)
        sources = {
            source: {
                "auroc": asdict(bootstrap(auroc, *_rows(facts, asked, score, source), RESAMPLES)),
                "tpr": asdict(bootstrap(_tpr, *_rows(facts, asked, score, source), RESAMPLES)),
            }
            for source in LEFT_OUT
        }
        mean = {m: float(np.mean([one[m]["value"] for one in sources.values()])) for m in ("auroc", "tpr")}
        made[name] = {"sources": sources, "mean": mean}
        print("student of", name, mean, flush=True)
    return made


def hash_of(group: int) -> bool:
    """Which half a group belongs to."""
    return bool((group * 2654435761 >> 7) & 1)


def _rows(facts: Mapping[str, Any], asked: Any, score: Floats, source: str) -> tuple[Any, Any, Any]:
    here = facts["source"][asked] == source
    return facts["label"][asked][here], score[here], facts["group"][asked][here]


def taught(
    material: Material,
    learned: Any,
    place: Mapping[str, int],
    facts: Mapping[str, Any],
    own: Any,
    asked: Any,
    words: Floats | None,
) -> Floats:
    """Probabilities of a student that has the labels of ``learned``, and somebody's word on ``own``."""
    student = GhostbusterClassifier(space="zeroshot", max_features=30, random_state=SEED)
    rows = [place[text.key] for text in learned]
    labels = [float(text.label) for text in learned]
    groups, sources = [text.group for text in learned], [text.source for text in learned]
    said = list(labels)
    if words is not None:
        rows += [place[key] for key in facts["key"][own]]
        labels += [np.nan] * own.size
        groups += facts["group"][own].tolist()
        sources += facts["source"][own].tolist()
        said += (1 / (1 + np.exp(-words[own]))).tolist()
    reading = material.reading.take(np.array(rows))
    distill(student, reading, said, labels, Mixing(alpha=0.0), groups, sources)
    return student.probability_of(
        material.reading.take(np.array([place[key] for key in facts["key"][asked]]))
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--work", type=Path, required=True, help="folder of benchmarks.accuracy.finetuned")
    parser.add_argument("--n-texts", type=int, default=6200)
    parser.add_argument("--n-asked", type=int)
    parser.add_argument("--min-tokens", type=int, default=64)
    parser.add_argument(
        "--thin", type=int, default=1, help="students have the labels of every so many'th text"
    )
    parser.add_argument("--no-students", action="store_true")
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    parts, facts = readers_of(options)
    raw = {name: mixed_by_watched(parts, facts, names) for name, names in MIXES.items()}
    made: dict[str, Any] = {"n_learned": int(facts["n_learned"]), "readers": figures(raw, facts)}
    for name, one in made["readers"].items():
        print(name, one["mean"], one["pooled"]["auroc"], one["gain"], flush=True)
    options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    if not options.no_students:
        made["students"] = students(options, parts, facts)
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
