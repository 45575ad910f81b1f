"""Markdown tables of docs/accuracy.md: ablations, false-positive rates, accuracy by length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from training.data.dataset import PROBES, STRESS

Figure = Mapping[str, float]
Row = Mapping[str, Figure]


def language_models(sources: Iterable[Mapping[str, Any]]) -> str:
    """The language models among what a panel describes, each by its digest."""
    read = [source for source in sources if "parameters" in source]
    return ", ".join(f"{m['role']} `{m['digest'][:12]}` (context {m['context']:,})" for m in read)


def variants_table(variants: Mapping[str, Row], baseline: str) -> list[str]:
    """One row a variant, the best first."""
    ordered = sorted(variants, key=lambda name: -variants[name]["auroc"]["value"])
    rows = [
        [
            f"**{name}**" if name == baseline else name,
            cell(variants[name]["auroc"]),
            cell(variants[name]["tpr"]),
            "-" if name == baseline else cell(variants[name]["gain"], signed=True),
        ]
        for name in ordered
    ]
    return table(["", "AUROC", "TPR at 1 % FPR", f"AUROC less that of {baseline}"], rows)


def forms_table(forms: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """One row a contender: AUROC and TPR in either form."""
    names = list(next(iter(forms.values())))
    heads = [f"{what}, {form}" for what in ("AUROC", "TPR at 1 % FPR") for form in forms]
    rows = [
        [name, *(cell(forms[form][name][metric]) for metric in ("auroc", "tpr") for form in forms)]
        for name in names
    ]
    return table(["", *heads], rows)


def promise_table(parts: Mapping[str, Row]) -> list[str]:
    """One row a source: how many people and machines are called machine, by both rules."""
    columns = {
        "fpr average": "people called machine",
        "fpr worst": "the same, strictly",
        "tpr average": "machine texts found",
        "tpr worst": "the same, strictly",
    }
    rows = [[part, *(cell(figures.get(name)) for name in columns)] for part, figures in parts.items()]
    return table(["left out", *columns.values()], rows)


def lengths_table(by_length: Mapping[str, Mapping[str, Figure]]) -> list[str]:
    """One row a contender, one column a length."""
    lengths = sorted({length for row in by_length.values() for length in row if row[length]}, key=int)
    rows = []
    for contender, row in by_length.items():
        found = [row.get(length) for length in lengths]
        shown = [f"{f['auroc']:.3f} ({f['tpr']:.3f}; {f['fpr']:.3f})" if f else "-" for f in found]
        rows.append([contender, *shown])
    some = next(iter(by_length.values()))
    counts = [f"{some[k]['texts']:.0f} in {some[k]['files']:.0f}" for k in lengths]
    return table(["tokens", *lengths], [*rows, ["texts in files", *counts]])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def cell(figure: Figure | None, *, signed: bool = False) -> str:
    """A value with its interval."""
    if figure is None:
        return "-"
    form = "+.3f" if signed else ".3f"
    return f"{figure['value']:{form}} [{figure['low']:{form}}, {figure['high']:{form}}]"


def over_sources(
    files: Mapping[str, Mapping[str, Figure]], metric: str, sources: Mapping[str, str]
) -> dict[str, float]:
    """Mean over the files of each source, stress files and probes left out."""
    found: dict[str, list[float]] = {}
    for name, figures in files.items():
        if name not in STRESS | PROBES and metric in figures:
            found.setdefault(sources[name], []).append(figures[metric]["value"])
    return {source: float(np.mean(values)) for source, values in found.items()}
