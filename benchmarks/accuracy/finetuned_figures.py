"""Figures of a fine-tuned adapter, of a probe and of both, beside features and words, on sources left out.

    python -m benchmarks.accuracy.finetuned_figures --corpus FOLDER --work FOLDER --out FILE

Features, probe and lexicon learn from the texts that the adapter learned from; readers are weighed by what
they say of the sources that told the adapter when to stop. Then come their students.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.finetuned import (
    LEFT_OUT,
    WATCHED,
    add_settings,
    kept_odds,
    long_enough,
    settings_of,
    whole_texts,
)
from benchmarks.accuracy.finetuned_students import students
from benchmarks.accuracy.paired import METRICS, by_source
from benchmarks.results import write_figures
from ghostbuster.detector.params import Params
from ghostbuster.detector.training import Examples, evaluate_candidates, fit_parts
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.finetuning.crops import LabelledTokens, batches, paired_crops
from ghostbuster.finetuning.held_out import held_out_texts
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.state_probe import StateProbe
from ghostbuster.models.panels import SMOLLM2_LAYERS
from training.data.labelled import LabelledText
from training.data.material import Material, read_corpus_material
from training.data.read_corpus import Corpus

COUNTS = ("n_seen", "n_crops", "n_asked")
Floats = npt.NDArray[np.float64]


def odds_of(work: Path, keys: Sequence[str]) -> Floats:
    """The adapter's log-odds of texts; NaN where it was not asked."""
    known = kept_odds(work)
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
    print(f"{len(seen)} texts seen, {len(asked)} asked about", flush=True)
    parts = {"adapter": odds[~np.isnan(odds)]}
    y = np.array([text.label for text in seen], float)
    sources = np.array([text.source for text in seen])
    weights = balanced_weights(y, sources)
    states = scores.states.take(np.array([place[text.key] for text in seen]))
    parts["probe"] = StateProbe.fit(states, y, weights, sources).raw_score(asked_states)
    lexicon = Lexicon.fit([text.text for text in seen], y, weights)
    parts["words"] = lexicon.raw_score([text.text for text in asked])
    parts["features"] = features_reader(read_corpus_material(options.corpus, "standard", n), seen, asked)
    counts = {"n_seen": len(seen), "n_crops": n_crops, "n_asked": len(asked)}
    return parts, facts | {name: np.array(value) for name, value in counts.items()}


def features_reader(
    material: Material, learned: Sequence[LabelledText], asked: Sequence[LabelledText]
) -> Floats:
    """Log-odds of texts by features of the standard detector's space, searched and fitted on other texts."""
    place = {text.key: i for i, text in enumerate(material.texts)}
    of_learned, of_asked = (np.array([place[text.key] for text in some]) for some in (learned, asked))
    vectors = material.reading.vectors
    params = Params(panel="standard", space="standard", readers="features")
    features, matrix = evaluate_candidates(params.space, vectors.take(of_learned))
    y, sources = material.y[of_learned].astype(float), material.sources[of_learned]
    texts = tuple(text.text for text in learned)
    weights = balanced_weights(y, sources)
    groups = material.groups[of_learned]
    scorer = fit_parts(Examples(features, matrix, texts, y, weights, groups, sources), params)
    values = evaluate_all(scorer.features, vectors.take(of_asked), dtype=np.float32)
    return np.asarray(scorer.head.raw_score(np.asarray(values, np.float64)))


MIXES = {
    "probe": ("probe",),
    "adapter": ("adapter",),
    "probe and adapter": ("probe", "adapter"),
    "features, words and probe": ("features", "words", "probe"),
    "features, words, probe and adapter": ("features", "words", "probe", "adapter"),
}
BESIDE = {"features, words, probe and adapter": "features, words and probe"}
"""What a mix is compared with; the probe is what all others are."""


def mixed_by_watched(parts: Mapping[str, Floats], facts: Mapping[str, Any], names: Sequence[str]) -> Floats:
    """Readers weighed by stacking on the watched sources, for all texts."""
    matrix = np.column_stack([parts[name] for name in names])
    watched = np.isin(facts["source"], WATCHED)
    y = facts["label"][watched].astype(float)
    weights = balanced_weights(y, facts["source"][watched])
    return np.asarray(matrix @ np.array(stacked_mix(matrix[watched], y, weights)))


def figures(raw: Mapping[str, Floats], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Of each mix by source left out, the means, and what it has more than what stands in `BESIDE`."""
    y, sources, groups = facts["label"], facts["source"], facts["group"]
    made: dict[str, Any] = {name: {} for name in raw}
    for metric, measure in METRICS.items():
        found = {name: by_source(measure, y, score, sources, groups, LEFT_OUT) for name, score in raw.items()}
        for name, one in found.items():
            gain = (one - found[BESIDE.get(name, "probe")]).figures(LEFT_OUT)
            watched = by_source(measure, y, raw[name], sources, groups, WATCHED).figures(WATCHED)
            made[name][metric] = one.figures(LEFT_OUT) | {"gain": gain, "watched": watched["sources"]}
    return made


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
    made: dict[str, Any] = {name: int(facts[name]) for name in COUNTS}
    of_source = {source: facts["label"][facts["source"] == source] for source in LEFT_OUT + WATCHED}
    made["asked"] = {source: np.bincount(labels).tolist() for source, labels in of_source.items()}
    made["readers"] = figures(raw, facts)
    print(json.dumps(made, indent=1), flush=True)
    write_figures(options.out, made)
    if not options.no_students:
        material = read_corpus_material(options.corpus, "lite", max(options.n_texts, options.n_asked or 0))
        words = {name: raw[name] for name in ("probe", "adapter", "probe and adapter")}
        made["students"] = students(material, options, words, facts)
        print(json.dumps(made["students"], indent=1))
        write_figures(options.out, made)


if __name__ == "__main__":
    main()
