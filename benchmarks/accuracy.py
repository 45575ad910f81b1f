"""Measure the detector beside published methods and a shallow baseline, and write docs/accuracy.md.

    python -m benchmarks.accuracy [--data FOLDER] [--cache FOLDER] [--out docs]

Needs a folder of labelled texts. The weak models read every text once; their scores are kept in the cache
folder, so that a second run takes minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy_report import report
from benchmarks.contenders import Contender
from benchmarks.measures import plain
from benchmarks.shortened import shortened_trials
from benchmarks.trials import (
    BASELINE,
    DETECTORS,
    Outcome,
    contenders_of,
    figures_by_file,
    in_domain_trials,
    leave_one_out_trials,
)
from ghostbuster.errors import InputError
from ghostbuster.files import replacing
from ghostbuster.intervals import wilson
from ghostbuster.models.panel import open_panel
from ghostbuster.provenance import LIBRARIES
from training.crops import random_crops
from training.data import DEFAULT_FOLDER, PROBES, Plan, digest, learnable, load, summary
from training.material import Material, read_material
from training.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE


def measure_all(material: Material, contenders: Mapping[str, Contender], log: Any = print) -> dict[str, Any]:
    """Figures of every contender under both protocols, by length, and under noise."""
    log("leave one source out")
    unseen = leave_one_out_trials(material, contenders, log)
    log("in domain")
    seen = in_domain_trials(material, contenders, log)
    log("shortened")
    ours = {name: contenders[name] for name in (*_detector_names(contenders), BASELINE)}
    lengths = shortened_trials(material, ours, log)
    log("intervals")
    return {
        "leave_one_source_out": _figures(material, unseen),
        "in_domain": _figures(material, seen),
        "by_length": {name: {str(k): row for k, row in table.items()} for name, table in lengths.items()},
        "noise": {name: _noise(material, unseen[name]) for name in ours},
        "detectors": _detector_names(contenders),
        "baseline": BASELINE,
    }


def _detector_names(contenders: Mapping[str, Contender]) -> list[str]:
    return list(contenders)[: 1 + len(DETECTORS)]


def _figures(material: Material, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    return {
        name: {file: plain(figures) for file, figures in figures_by_file(material, outcome).items()}
        for name, outcome in outcomes.items()
    }


def _noise(material: Material, outcome: Outcome) -> dict[str, dict[str, float]]:
    """False-positive rate on the human probe, by kind of noise."""
    attacks = np.array([t.attack if t.file in PROBES else "" for t in material.texts])
    return {
        attack: asdict(wilson(int(outcome.called[attacks == attack].sum()), int(np.sum(attacks == attack))))
        for attack in sorted(set(attacks.tolist()) - {""})
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="folder of accuracy.md and accuracy.json"
    )
    parser.add_argument("--space", default="default", help="candidate space of the search")
    parser.add_argument("--max-features", type=int, default=100)
    parser.add_argument("--per-class", type=int, default=Plan().per_class, help="texts of a class and file")
    parser.add_argument("--no-crops", action="store_true", help="learn from whole texts only")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    plan = Plan(per_class=options.per_class, seed=options.seed)
    texts = load(options.data, plan)
    crops = [] if options.no_crops else random_crops(learnable(texts), options.seed)
    panel = open_panel()
    material = read_material([*texts, *crops], panel, options.cache)
    contenders = contenders_of(material, options.space, options.max_features)
    found = {
        "plan": str(plan),
        "n_crops": len(crops),
        "space": options.space,
        "max_features": options.max_features,
        "data_digest": digest(texts),
        "versions": {name: version(name) for name in LIBRARIES},
        "models": panel.describe(),
        "n_tokens": int(material.reading.n_tokens.sum()),
        "files": summary(texts),
        "sources": {text.file: text.source for text in texts},
        **measure_all(material, contenders),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("accuracy.json", json.dumps(found, indent=1) + "\n"),
        ("accuracy.md", report(found)),
    ):
        with replacing(options.out / name, InputError) as unfinished:
            unfinished.write_text(content, encoding="utf-8")
    print(f"wrote {options.out / 'accuracy.md'}")


if __name__ == "__main__":
    main()
