"""Accuracy of the detector against published methods and a TF-IDF baseline: writes docs/accuracy.md.

    python -m benchmarks.accuracy.accuracy [--data FOLDER] [--cache FOLDER] [--results FOLDER] [--out docs]

Needs a folder of labelled texts. The weak models read every text once; their scores are kept in the cache
folder. Every search and every contender's answers are kept in the results folder, so that a run that was cut
off goes on where it was; a change of data, models, libraries or code starts anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.ablation import BASELINE, ablations, earned, ranked
from benchmarks.accuracy.accuracy_report import report
from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.canonicalisation import prepared_and_published, read_apart
from benchmarks.accuracy.contenders import MIN_TOKENS, ColumnStore, Contender, Detector, WithWords, Words
from benchmarks.accuracy.other_texts import long_texts
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.accuracy.shortened import LENGTHS, LONG_LENGTHS, shortened_trials
from benchmarks.accuracy.trials import (
    Outcome,
    figures_by_file,
    in_domain_trials,
    judged_texts,
    leave_one_out_trials,
)
from benchmarks.measures import plain
from benchmarks.results import DEFAULT_FOLDER as DEFAULT_RESULTS
from benchmarks.results import Results, code_digest, write_page
from ghostbuster.detector.manifest import LIBRARIES
from ghostbuster.metrics.intervals import wilson
from ghostbuster.models.panel import open_panel
from training.data.crops import random_crops
from training.data.dataset import DEFAULT_FOLDER, PROBES, Plan, digest, learnable, load, summary
from training.data.material import Material, read_material
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

SHIPPED = "ghostbuster (logistic head, words)"
HEAD_ALONE = "ghostbuster (logistic head)"
Log = Callable[[str], None]


def full_contenders(
    store: ColumnStore, space: str, max_features: int, results: Results
) -> dict[str, Contender]:
    """Those whose calibration and promise are measured too."""
    detector = Detector(store, space, "logistic", max_features, results=results)
    return {
        SHIPPED: WithWords(detector, Words(store.material)),
        HEAD_ALONE: detector,
        BASELINE: Tfidf(store.material),
    }


def measure_all(
    material: Material, space: str, max_features: int, results: Results, log: Log = print
) -> tuple[dict[str, Any], dict[str, Contender], dict[str, Outcome]]:
    """Figures under both protocols, of variants and under noise; the contenders, and their answers."""
    store = ColumnStore(material)
    contenders = full_contenders(store, space, max_features, results)
    rows = ablations(store, max_features, space, results)

    def others() -> tuple[dict[str, Any], dict[str, Outcome]]:
        variants = ranked(material, rows, results, log)
        return variants, in_domain_trials(material, contenders, results, log)

    with ahead(others, results):
        log("leave one source out")
        unseen = leave_one_out_trials(material, contenders, results, log)
    log("variants, and in domain")
    variants, seen = others()
    log("intervals")
    found = {
        "leave_one_source_out": _figures(material, unseen),
        "variants": earned(material, variants),
        "in_domain": _figures(material, seen),
        "promise": {name: _promise(material, outcome) for name, outcome in unseen.items()},
        "noise": {name: _noise(material, outcome) for name, outcome in unseen.items()},
        "detectors": [SHIPPED, HEAD_ALONE],
        "baseline": BASELINE,
    }
    return found, contenders, unseen


@contextmanager
def ahead(work: Callable[[], object], results: Results) -> Iterator[None]:
    """Let another process do ``work`` meanwhile: what it keeps in ``results`` need not be made again.

    It fails where ``work`` would: whoever comes to that work afterwards meets the same error.
    """
    if results.folder is None:
        yield
        return
    other = get_context("fork").Process(target=work, daemon=True)
    other.start()
    try:
        yield
        other.join()
    finally:
        other.kill()
        other.join()


def by_length(
    materials: Mapping[tuple[int, ...], Material],
    material: Material,
    contenders: Mapping[str, Contender],
    unseen: Mapping[str, Outcome],
    log: Log = print,
) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by contender and length; each tuple of lengths is asked of its own material."""
    splits = leave_one_source_out(material.texts)
    bars = {name: outcome.bars for name, outcome in unseen.items()}
    tables: dict[str, dict[str, dict[str, float]]] = {name: {} for name in contenders}
    for lengths, asked in materials.items():
        known = [split for split in splits if split.name in set(asked.sources.tolist())]
        for name, table in shortened_trials(asked, lengths, contenders, bars, known, log).items():
            tables[name] |= {str(length): row for length, row in table.items()}
    return tables


def _figures(material: Material, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    return {
        name: {file: plain(figures) for file, figures in figures_by_file(material, outcome).items()}
        for name, outcome in outcomes.items()
    }


def _promise(material: Material, outcome: Outcome) -> dict[str, dict[str, dict[str, float]]]:
    """Shares called machine, of people and of machines, by source left out and by rule of the threshold."""
    y, judged = material.y, judged_texts(material) & ~np.isnan(outcome.probability)
    probe = np.isin(material.files, sorted(PROBES))
    parts = {str(source): (material.sources == source) & ~probe for source in np.unique(material.sources)}
    parts |= {f"{file} (probe)": material.files == file for file in sorted(PROBES)}
    rules = {"average": outcome.called, "worst": outcome.called_strictly}
    return {
        part: {
            f"{side} {rule}": asdict(wilson(int(called[kept].sum()), int(kept.sum())))
            for side, label in (("fpr", 0), ("tpr", 1))
            for rule, called in rules.items()
            if (kept := rows & judged & (y == label)).any()
        }
        for part, rows in parts.items()
        if (rows & judged).any()
    }


def _noise(material: Material, outcome: Outcome) -> dict[str, dict[str, float]]:
    """False-positive rate on the human probe, by kind of noise."""
    asked = judged_texts(material) & ~np.isnan(outcome.probability)
    attacks = np.array([t.attack if t.file in PROBES else "" for t in material.texts])
    return {
        attack: asdict(wilson(int(outcome.called[rows].sum()), int(rows.sum())))
        for attack in sorted(set(attacks.tolist()) - {""})
        if (rows := asked & (attacks == attack)).any()
    }


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that the report tells."""
    plan = Plan(per_class=options.per_class, seed=options.seed)
    texts = load(options.data, plan)
    crops = [] if options.no_crops else random_crops(learnable(texts), options.seed)
    panel = open_panel()
    material = read_material([*texts, *crops], panel, options.cache)
    versions = {name: version(name) for name in LIBRARIES}
    results = Results(options.results, stamp(material, panel, versions))
    found, contenders, unseen = measure_all(material, options.space, options.max_features, results)
    print("by length")
    long = read_apart("long", long_texts(options.data, material.texts), panel, options.cache)
    lengths = by_length({LENGTHS: material, LONG_LENGTHS: long}, material, contenders, unseen)
    print("as published")
    forms = prepared_and_published(material, panel, options.cache, results, print)
    return {
        "plan": str(plan),
        "n_crops": len(crops),
        "space": options.space,
        "max_features": options.max_features,
        "min_tokens": MIN_TOKENS,
        "data_digest": digest(texts),
        "versions": versions,
        "models": panel.describe(),
        "n_tokens": int(material.reading.n_tokens.sum()),
        "files": summary(texts),
        "sources": {text.file: text.source for text in texts},
        **found,
        "by_length": lengths,
        "canonicalisation": forms,
    }


def stamp(material: Material, panel: Panel, versions: Mapping[str, str]) -> str:
    return json.dumps([digest(material.texts), dict(panel.fingerprints), dict(versions), code_digest()])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, help="where answers are kept")
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="folder of accuracy.md and data/accuracy.json"
    )
    parser.add_argument("--space", default="default", help="candidate space of the search")
    parser.add_argument("--max-features", type=int, default=100)
    parser.add_argument("--per-class", type=int, default=Plan().per_class, help="texts of a class and file")
    parser.add_argument("--no-crops", action="store_true", help="learn from whole texts only")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = measured(options)
    write_page(options.out, "accuracy", found, report(found))
    print(f"wrote {options.out / 'accuracy.md'}")


if __name__ == "__main__":
    main()
