"""A section of docs/accuracy.md: paired differences from the detector with earlier language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.accuracy.accuracy_tables import cell, language_models, over_sources, table
from benchmarks.measures import mean_with_interval, redrawn

METRICS = {"auroc": "AUROC", "tpr": "TPR at 1 % FPR"}
BEFORE = """## What better language models earn

The same texts, folds and settings with the language models that shipped before,
{before};
now {now}.
What the shipped make gains on each source left out, and its head alone; the mean gains with a 95 % interval
(whole sources drawn with replacement)."""


def before_section(found: Mapping[str, Any]) -> list[list[str]]:
    """Blocks of the report: by source, and all variants that read a language model."""
    earlier = found["before"]
    texts = BEFORE.format(before=language_models(earlier["models"]), now=language_models(found["models"]))
    return [[texts], _by_source(found, earlier), _variants(found["variants"], earlier["variants"])]


def _by_source(found: Mapping[str, Any], earlier: Mapping[str, Any]) -> list[str]:
    columns: dict[str, dict[str, tuple[float, float]]] = {}
    for name in found["detectors"]:
        for metric, title in METRICS.items():
            old, new = (
                over_sources(one["leave_one_source_out"][name], metric, found["sources"])
                for one in (earlier, found)
            )
            columns[f"{name}: {title}"] = {source: (old[source], new[source]) for source in new}
    sources = list(next(iter(columns.values())))
    rows = [
        [source, *(f"{old:.3f} to {new:.3f}" for old, new in (column[source] for column in columns.values()))]
        for source in sources
    ]
    gains = [np.array([new - old for old, new in column.values()]) for column in columns.values()]
    draws = redrawn(len(sources))
    means = [cell(asdict(mean_with_interval(gain, draws)), signed=True) for gain in gains]
    return table(["source", *columns], [*rows, ["gain, mean", *means]])


def _variants(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Means of what changed, the best first."""
    changed = [
        name
        for name in new
        if name in old and any(round(new[name][m]["value"] - old[name][m]["value"], 3) for m in METRICS)
    ]
    changed.sort(key=lambda name: -new[name]["auroc"]["value"])
    rows = [
        [name, *(f"{one[name][m]['value']:.3f}" for m in METRICS for one in (old, new))] for name in changed
    ]
    heads = [f"{title}, {when}" for title in METRICS.values() for when in ("before", "now")]
    return table(["", *heads], rows)
