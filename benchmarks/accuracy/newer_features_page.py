"""The page docs/newer-features.md: a table of what each family earns, a panel at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ghostbuster.features.families import FAMILIES

INTRODUCTION = """# What newer features earn

Made by `python -m benchmarks.accuracy.newer_features`; all numbers with more digits:
[newer-features.json](data/newer-features.json).

Each source of both classes is left out once; the detector's search chooses features on all others, and the
logistic head alone (no words, no hidden states) is asked about it. A family is added to the shortlist of the
default space's search; "all families" searches the whole space `standard`. Means over sources, and
differences from the default space on the same sources, each with a 95 % interval (whole sources drawn with
replacement). "Chosen" are features of the family among those chosen, in the mean over sources. In a file of
fewer than 100 texts by people, the TPR at 1 % FPR counts machine texts above all of them: a coarse figure.

"Distance from people's median" are no features of a space: beside each feature of the default space's
shortlist, how far it is, to either side, from its median over the people's texts that are learned from.
"""
PANEL_FEATURES = "features of the panels"
"""Key of the figures that ``benchmarks.accuracy.panel_features`` makes; all other keys are panels."""
COMPARED = """
## SmolLM2's features against the embedded pair's

Made by `python -m benchmarks.accuracy.panel_features`. {texts} texts of the first lot's {n_sources} sources,
the same for both panels; at most {max_features} features for either, chosen by the same search from every
candidate that the panel's models give, on all sources but the one that is asked about. The logistic head
alone: no words, no hidden states. `standard` is SmolLM2 and the embedded strong model, `lite` the embedded
pair, both with the n-grams. The difference is taken source by source; 95 % intervals, whole sources drawn
with replacement.
"""
READ_TWICE = """
## What was not taken: a second pass

The same model under a task's beginning against plain text, in the spirit of IRM (arXiv:2604.21223): what an
instructed model finds likelier than the same model uninstructed is machine-like. Measured once with SmolLM2
on 318 texts of 16 collections kept apart (60 words or more, their first 220 tokens), as AUROC of one
statistic:

| statistic | AUROC |
|---|---|
| mean log-prob, behind the begin token alone | 0.726 |
| mean log-prob, behind a task and the beginning of an answer | 0.751 |
| difference of the two | 0.727 |
| log-prob plus four times the difference | 0.790 |

It costs a second pass of the language model, nearly twice the time a token. Hidden states of the one pass
reached 0.885 on other texts of the same collections, so the standard detector does not pay for it.
"""
SOURCES = """
## Where the families are from

| family | source |
|---|---|
"""


def page(figures: Mapping[str, Any]) -> str:
    """The page's Markdown."""
    parts = [INTRODUCTION]
    if compared := figures.get(PANEL_FEATURES):
        parts += [_compared(compared)]
    for panel, found in figures.items():
        if panel == PANEL_FEATURES:
            continue
        parts += [_heading(panel, found), *_table(found), "", *_by_source(found)]
    sources = [f"| {name} | {family.paper} |" for name, family in FAMILIES.items()]
    return "\n".join([*parts, READ_TWICE + SOURCES + "\n".join(sources), ""])


def _compared(found: Mapping[str, Any]) -> str:
    """The section of both panels: a row for each space, then each source."""
    spaces = found["spaces"]
    by_source = {
        (space, panel): one["by_source"]
        for space, row in spaces.items()
        for panel, one in row["panels"].items()
    }
    sources = list(next(iter(by_source.values())))
    lines = [COMPARED.format(**found, n_sources=len(sources))]
    lines += _head("space", "panel", "candidates", "chosen", "AUROC", "TPR at 1 % FPR")
    for space, row in spaces.items():
        for panel, one in row["panels"].items():
            cells = [space, f"`{panel}`", found["candidates"][panel][space], f"{one['chosen']:.0f}"]
            lines.append(f"| {' | '.join(map(str, [*cells, _value(one['auroc']), _value(one['tpr'])]))} |")
        gains = [_gain(row["gain"]["auroc"]), _gain(row["gain"]["tpr"])]
        better = f"better on {row['better_on']} of {len(sources)}"
        lines.append(f"| {space} | **difference** | {better} | | {' | '.join(gains)} |")
    heads = [f"{measure}, `{panel}`, {space}" for measure in ("AUROC", "TPR") for space, panel in by_source]
    lines += ["", *_head("source left out", *heads)]
    for source in sources:
        values = [f"{of[source][i]:.3f}" for i in (0, 1) for of in by_source.values()]
        lines.append(f"| {source} | {' | '.join(values)} |")
    return "\n".join(lines)


def _heading(panel: str, found: Mapping[str, Any]) -> str:
    n_sources = len(next(iter(found["variants"].values()))["by_source"])
    return (
        f"\n## Panel `{panel}`\n\n{found['texts']} texts of {n_sources} sources, "
        f"at most {found['max_features']} features.\n"
    )


def _table(found: Mapping[str, Any]) -> list[str]:
    heads = ("beside the default space", "candidates", "chosen", "AUROC", "TPR at 1 % FPR")
    lines = _head(*heads, "AUROC gained", "TPR gained", "better on")
    counts = found["candidates"]
    for name, row in found["variants"].items():
        n = counts.get(name, sum(counts.values()) if name == "all families" else "")
        base = name == "default space"
        gains = (
            ["-", "-", "-"] if base else [_gain(row["auroc_gain"]), _gain(row["tpr_gain"]), row["better_on"]]
        )
        cells = [name, n, "-" if base else f"{row['newer_chosen']:.1f} of {row['chosen']:.0f}"]
        cells += [_value(row["auroc"]), _value(row["tpr"]), *gains]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def _by_source(found: Mapping[str, Any]) -> list[str]:
    rows = found["variants"]
    heads = ("source left out", "AUROC, default space", "AUROC, all families")
    lines = _head(*heads, "TPR at 1 % FPR, default space", "TPR, all families")
    for source, (auroc, tpr) in rows["default space"]["by_source"].items():
        other_auroc, other_tpr = rows["all families"]["by_source"][source]
        lines.append(f"| {source} | {auroc:.3f} | {other_auroc:.3f} | {tpr:.3f} | {other_tpr:.3f} |")
    return lines


def _head(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def _value(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _gain(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:+.3f} [{estimate['low']:+.3f}, {estimate['high']:+.3f}]"
