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

from benchmarks.accuracy.finetuned import (
    LEFT_OUT,
    ODDS,
    WATCHED,
    add_settings,
    learned_from,
    long_enough,
    settings_of,
    whole_texts,
)
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.distillation import Mixing, distill
from ghostbuster.finetuning.crops import LabelledTokens, batches, paired_crops
from ghostbuster.finetuning.held_out import held_out_texts
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.state_probe import StateProbe
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.intervals import bootstrap, resamples
from ghostbuster.models.panels import SMOLLM2_LAYERS
from training.data.labelled import LabelledText
from training.data.material import Material, read_corpus_material
from training.data.read_corpus import Corpus

PROMISE, RESAMPLES = 0.01, 500
COUNTS = ("n_seen", "n_crops", "n_texts", "n_asked")
SEED = 0
Floats = npt.NDArray[np.float64]
_tpr = partial(tpr_at_fpr, fpr=PROMISE)


def odds_of(work: Path, keys: Sequence[str]) -> Floats:
    """The adapter's log-odds of texts; NaN where it was not asked."""
    with np.load(work / ODDS) as kept:
        known = dict(zip(kept["keys"].tolist(), kept["odds"].tolist(), strict=True))
    return np.array([known.get(key, np.nan) for key in keys])


def seen_texts(options: argparse.Namespace, n_tokens: Mapping[str, int]) -> tuple[list[LabelledText], int]:
    """Texts of which the run has read a crop when it ended, and how many crops: its plan is made again."""
    texts = long_enough(options)
    y = np.array([text.label for text in texts], dtype=np.intp)
    sources = np.array([text.source for text in texts])
    groups = np.array([str(text.group) for text in texts])
    settings = settings_of(options)
    learned = np.flatnonzero(~held_out_texts(y, sources, groups, WATCHED, settings.seed))
    ids = [np.empty(n_tokens[text.key], np.int32) for text in texts]
    tokens = LabelledTokens(ids, y, sources).take(learned)
    n_pairs = max(1, round(settings.epochs * len(tokens.ids) / 2))
    plan = batches(
        paired_crops(tokens, n_pairs, settings, settings.seed), settings.batch_tokens, settings.seed
    )
    steps = plan[: options.n_steps]
    read = sum(crop.n for batch in steps for crop in batch)
    print(f"{len(steps)} of {len(plan)} steps, {sum(map(len, steps))} crops, {read} tokens", flush=True)
    rows = sorted({crop.text for batch in steps for crop in batch})
    return [texts[i] for i in learned[rows].tolist()], sum(map(len, steps))


def readers_of(options: argparse.Namespace) -> tuple[dict[str, Floats], dict[str, npt.NDArray[Any]]]:
    """Log-odds of every text left out or watched by each reader, and what is known of the texts."""
    corpus = Corpus.open(options.corpus)
    n = max(options.n_texts, options.n_asked or 0)
    corpus = Corpus(corpus.texts[:n], corpus.chunks[: -(-n // 200)])
    scores = corpus.scores(["strong"], SMOLLM2_LAYERS)["strong"]
    place = {text.key: i for i, text in enumerate(corpus.texts)}
    lengths = np.diff(scores.offsets)
    n_tokens = {text.key: int(lengths[i]) for text, i in zip(corpus.texts, place.values(), strict=True)}
    seen, n_crops = seen_texts(options, n_tokens)
    every = [text for text in long_enough(options) if text.source not in WATCHED]
    asked = [text for text in whole_texts(corpus.texts) if text.source in LEFT_OUT + WATCHED]
    odds = odds_of(options.work, [text.key for text in asked])
    asked = [text for text, one in zip(asked, odds, strict=True) if not np.isnan(one)]
    if scores.states is None:
        raise SystemExit("the corpus holds no hidden states")
    asked_states = scores.states.take(np.array([place[text.key] for text in asked]))
    facts = {
        name: np.array([getattr(text, name) for text in asked])
        for name in ("key", "label", "source", "file", "group")
    }
    print(f"{len(seen)} texts seen of {len(every)}, {len(asked)} asked about", flush=True)
    parts = {"adapter": odds[~np.isnan(odds)]}
    for name, learned in (("probe", seen), ("probe of all texts", every)):
        y = np.array([text.label for text in learned], float)
        sources = np.array([text.source for text in learned])
        weights = balanced_weights(y, sources)
        states = scores.states.take(np.array([place[text.key] for text in learned]))
        parts[name] = StateProbe.fit(states, y, weights, sources).raw_score(asked_states)
        if name == "probe":
            lexicon = Lexicon.fit([text.text for text in learned], y, weights)
            parts["words"] = lexicon.raw_score([text.text for text in asked])
    counts = {"n_seen": len(seen), "n_crops": n_crops, "n_texts": len(every), "n_asked": len(asked)}
    return parts, facts | {name: np.array(value) for name, value in counts.items()}


MIXES = {
    "probe": ("probe",),
    "adapter": ("adapter",),
    "probe of all texts": ("probe of all texts",),
    "probe and adapter": ("probe", "adapter"),
    "probe of all texts, and adapter": ("probe of all texts", "adapter"),
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
    add_settings(parser)
    parser.add_argument("--n-steps", type=int, help="so many steps were made; all by default")
    parser.add_argument(
        "--thin", type=int, default=1, help="students have the labels of every so many'th text"
    )
    parser.add_argument("--no-students", action="store_true")
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    parts, facts = readers_of(options)
    raw = {name: mixed_by_watched(parts, facts, names) for name, names in MIXES.items()}
    made: dict[str, Any] = {name: int(facts[name]) for name in COUNTS} | {"readers": figures(raw, facts)}
    for name, one in made["readers"].items():
        print(name, one["mean"], one["pooled"]["auroc"], one["gain"], flush=True)
    options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    if not options.no_students:
        made["students"] = students(options, parts, facts)
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
