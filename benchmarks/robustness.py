"""What each attack costs the detector, and what it does to people: docs/attacks.md.

    python -m benchmarks.robustness [--per-class 60] [--work FOLDER]

For each source a detector is trained on all others, as the shipped one is trained, and judges texts of the
source as they are and after each attack. Detectors and verdicts are kept in the work folder: an interrupted
run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.attacks import ATTACKS, attack
from benchmarks.protocols import Split, leave_one_source_out
from ghostbuster.artifact import load as load_detector
from ghostbuster.artifact import save as save_detector
from ghostbuster.detector import GhostbusterClassifier
from ghostbuster.errors import InputError
from ghostbuster.files import replacing
from ghostbuster.intervals import clopper_pearson
from ghostbuster.models.panel import open_panel
from training.crops import random_crops
from training.data import DEFAULT_FOLDER, Plan, learnable, load
from training.labelled import LabelledText
from training.material import Material, read_material
from training.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

UNTOUCHED = "none"
HEADING = """# Attacks on the verdict

Made by `python -m benchmarks.robustness`. The attacks are those of RAID (Dugan et al. 2024,
arXiv:2405.07940), at its rates, written from their description in `benchmarks/attacks.py`. Each text is
judged by a detector that was trained without the text's source ({sources}), at its own threshold for 1 %
false positives: {n_machine} machine and {n_human} human texts of at least {words} words, pooled; intervals
are Clopper-Pearson, 95 %. *Unsure* counts texts that got no verdict; the verdict's reason says why.

| attack | share of places | machine texts found | change | unsure | people called machine | unsure |
|---|---|---|---|---|---|---|"""
MIN_WORDS = 100  # shorter texts are mostly "unsure", which would flatter the attacks


def detector_without(split: Split, material: Material, work: Path) -> GhostbusterClassifier:
    """The detector that never saw ``split``'s source; trained once, then read from ``work``."""
    path = work / f"without-{split.name}.joblib"
    if not path.is_file():
        rows = split.train
        detector = GhostbusterClassifier().fit_reading(
            material.reading.take(rows), material.y[rows], material.groups[rows], material.sources[rows]
        )
        save_detector(detector, path)
    return load_detector(path)


def drawn(split: Split, material: Material, per_class: int, seed: int) -> list[LabelledText]:
    """Up to ``per_class`` human and machine texts of the source that nobody attacked before."""
    rows = [material.texts[i] for i in split.test]
    fit = [row for row in rows if len(row.text.split()) >= MIN_WORDS and row.attack in ("none", "direct")]
    chance = np.random.default_rng(seed)
    return [
        own[i]
        for label in (0, 1)
        if (own := [row for row in fit if row.label == label])
        for i in sorted(chance.permutation(len(own))[:per_class].tolist())
    ]


def judged(
    detector: GhostbusterClassifier, texts: Sequence[LabelledText], name: str, path: Path
) -> list[dict[str, object]]:
    """Label and probability of each text after the attack ``name``; kept in ``path``."""
    if not path.is_file():
        raw = [row.text if name == UNTOUCHED else attack(name, row.text) for row in texts]
        rows = [
            {"truth": row.label, "label": verdict.label, "probability": verdict.probability}
            for row, verdict in zip(texts, detector.judge(raw), strict=True)
        ]
        _write(path, json.dumps(rows))
    return list(json.loads(path.read_text("utf-8")))


def figures(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    """Shares called machine, with intervals, and shares that got no verdict."""
    found: dict[str, object] = {}
    for name, truth in (("fpr", 0), ("tpr", 1)):
        own = [row["label"] for row in rows if row["truth"] == truth]
        found[name] = asdict(clopper_pearson(own.count("machine"), len(own)))
        found[f"{name}_unsure"] = own.count("unsure") / len(own)
        found[f"{name}_texts"] = len(own)
    return found


def report(found: dict[str, dict[str, dict[str, object]]]) -> str:
    """docs/attacks.md."""
    sources = ", ".join(found[UNTOUCHED]["sources"])
    head = found[UNTOUCHED]
    lines = [
        HEADING.format(
            sources=sources, n_machine=head["tpr_texts"], n_human=head["fpr_texts"], words=MIN_WORDS
        )
    ]
    for name, row in found.items():
        share = "" if name == UNTOUCHED else f"{ATTACKS[name].share:.0%}"
        points = 100 * (row["tpr"]["value"] - head["tpr"]["value"])
        change = "" if name == UNTOUCHED else f"{points:+.1f} points"
        mark = " \\*" if name != UNTOUCHED and ATTACKS[name].undone else ""
        lines.append(
            f"| {name}{mark} | {share} | {_percent(row['tpr'])} | {change} | {row['tpr_unsure']:.0%} |"
            f" {_percent(row['fpr'])} | {row['fpr_unsure']:.0%} |"
        )
    lines += ["", "\\* undone by canonicalisation before any model reads the text.", ""]
    return "\n".join(lines)


def _percent(share: dict[str, float]) -> str:
    return f"{share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}]"


def _write(path: Path, content: str) -> None:
    with replacing(path, InputError) as unfinished:
        unfinished.write_text(content, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--work", type=Path, required=True, help="folder of detectors and verdicts")
    parser.add_argument("--per-class", type=int, default=60, help="texts of each class and source")
    parser.add_argument("--sources", nargs="+", help="only these")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="where attacks.md goes")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    texts = load(options.data, Plan())
    both = [*texts, *random_crops(learnable(texts), 0)]
    material = read_material(both, open_panel(), options.cache)
    pooled: dict[str, list[dict[str, object]]] = {name: [] for name in (UNTOUCHED, *ATTACKS)}
    used = []
    for split in leave_one_source_out(material.texts):
        if options.sources and split.name not in options.sources:
            continue
        rows = drawn(split, material, options.per_class, seed=0)
        if len({row.label for row in rows}) < 2:
            print(f"{split.name}: no {MIN_WORDS}-word texts of both classes; left out")
            continue
        used.append(split.name)
        detector = detector_without(split, material, options.work)
        for name in pooled:
            pooled[name] += judged(detector, rows, name, options.work / f"{split.name}-{name}.json")
            print(split.name, name, flush=True)
    found = {name: {**figures(rows), "sources": used} for name, rows in pooled.items()}
    _write(options.out / "attacks.json", json.dumps(found, indent=1) + "\n")
    _write(options.out / "attacks.md", report(found))
    print(f"wrote {options.out / 'attacks.md'}")


if __name__ == "__main__":
    main()
