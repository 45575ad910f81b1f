"""The Markdown of docs/reliability/attacks.md, made from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.accuracy.accuracy_tables import table
from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.robustness.attacks import ATTACKS
from ghostbuster.metrics.intervals import wilson

UNTOUCHED = "none"
READING = "### What holds and what does not"
HEADING = """## Attacks on the verdict

Made by `python -m benchmarks.robustness.robustness`; what stands under "{reading}" is written by hand. The
attacks are those of RAID (Dugan et al. 2024, arXiv:2405.07940), at its rates, written from their
description in `benchmarks/robustness/attacks.py`, and one that is harsher. Each text is judged by a detector
that was trained, calibrated and given its threshold (1 % of people called machine) without the text's source:
{sources};
{per_class} human and {per_class} machine texts of each, drawn by chance among those of {min_words} words or
more that nobody attacked before. Machine texts found are those called machine; a text that gets no verdict
(*refused*: too short, or too unlike all texts known) counts as not found. Changes are paired, text by text.
Intervals: 95 %, Wilson's for shares, percentile bootstrap for changes.
"""
PROMISE = """
*Undone*: texts that canonicalisation brings back to what they were, letter by letter, of those that the
attack touched. *Named*: of the same, those whose verdict says what was found.
"""
OTHERS = """### Texts that others attacked

Texts of DetectRL, attacked by its authors and not paired with any text of ours: among them paraphrases by
DIPPER, the tool of RAID's eleventh attack. The detector that judges them never saw a text of that source.
"""
PLAIN = {
    "none": "none",
    "human_dipper": "paraphrase (DIPPER)",
    "human_back_translation": "back-translation",
    "human_char_perturb": "characters",
    "human_word_perturb": "words",
    "prompt_few_shot": "prompt with examples",
    "prompt_SICO": "prompt tuned against detectors (SICO)",
    "paraphrase_dipper_llm": "paraphrase (DIPPER)",
    "paraphrase_back_translation_llm": "back-translation",
    "paraphrase_polish_llm": "polished by a model",
    "adversarial_character_llm": "characters",
    "adversarial_word_llm": "words",
    "adversarial_character_word_llm": "characters and words",
}
Rows = Sequence[Mapping[str, Any]]
Share = Mapping[str, float]


def figures(rows: Rows, before: Rows | None = None) -> dict[str, Any]:
    """Shares of people and of machine texts called machine, how they changed, and what was seen of it all."""
    found: dict[str, Any] = {}
    for side, truth in (("people", 0), ("machines", 1)):
        own = [row["label"] for row in rows if row["truth"] == truth]
        if not own:
            continue
        found[side] = asdict(wilson(own.count("machine"), len(own))) | {"texts": len(own)}
        found[f"{side} refused"] = own.count("refused") / len(own)
        if before is not None:
            was = [row["label"] for row in before if row["truth"] == truth]
            found[f"{side} change"] = change(was, own)
    touched = [row for row in rows if row.get("touched")]
    for what in ("restored", "noted"):
        if touched:
            found[what] = sum(row[what] for row in touched) / len(touched)
    return found


def change(before: Sequence[str], after: Sequence[str]) -> dict[str, float]:
    """Difference of the shares called machine on the same texts, with its bootstrap interval."""
    difference = np.array(
        [(new == "machine") - (old == "machine") for old, new in zip(before, after, strict=True)],
        dtype=np.float64,
    )
    return asdict(mean_with_interval(difference, redrawn(difference.size)))


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the tables tell."""
    attacks: Mapping[str, Rows] = found["attacks"]
    before = attacks[UNTOUCHED]
    return {
        "per_class": found["per_class"],
        "min_words": found["min_words"],
        "sources": list(dict.fromkeys(row["source"] for row in before)),
        "attacks": {
            name: figures(rows, None if name == UNTOUCHED else before) for name, rows in attacks.items()
        },
        "others": {name: figures(rows) for name, rows in found["others"].items()},
    }


def report(told: Mapping[str, Any], earlier: str = "") -> str:
    """docs/reliability/attacks.md; what a person wrote under ``READING`` of ``earlier`` stays."""
    heading = HEADING.format(
        reading=READING.removeprefix("### "),
        sources=", ".join(told["sources"]),
        per_class=told["per_class"],
        min_words=told["min_words"],
    )
    lines = [heading, *_attack_table(told["attacks"]), PROMISE]
    if told["others"]:
        lines += [OTHERS, *_others_table(told["others"]), ""]
    _, _, reading = earlier.partition(READING)
    return "\n".join([*lines, READING + (reading or "\n")])


def _attack_table(attacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    heads = ["attack", "places", "undone", "named", "machine texts found", "change, points", "refused"]
    heads += ["people called machine", "change, points", "refused"]
    rows = []
    for name, row in attacks.items():
        share = "" if name == UNTOUCHED else f"{ATTACKS[name].share:.0%}"
        seen = [f"{row[what]:.0%}" if what in row else "" for what in ("restored", "noted")]
        sides = []
        for side in ("machines", "people"):
            moved = row.get(f"{side} change")
            sides += [_percent(row[side]), _points(moved) if moved else "", f"{row[f'{side} refused']:.0%}"]
        rows.append([name, share, *seen, *sides])
    return table(heads, rows)


def _others_table(others: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = []
    for name, row in others.items():
        side, _, attack = name.partition(": ")
        rows.append(
            [
                side,
                PLAIN.get(attack, attack),
                f"{row[side]['texts']}",
                _percent(row[side]),
                f"{row[f'{side} refused']:.0%}",
            ]
        )
    return table(["written by", "attack", "texts", "called machine", "refused"], rows)


def _percent(share: Share) -> str:
    return f"{share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}]"


def _points(moved: Share) -> str:
    return f"{100 * moved['value']:+.1f} [{100 * moved['low']:+.1f}, {100 * moved['high']:+.1f}]"
