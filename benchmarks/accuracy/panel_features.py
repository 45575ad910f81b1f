"""SmolLM2's features against the embedded pair's: same texts, as many features, sources of the first lot.

    python -m benchmarks.accuracy.panel_features --corpus FOLDER [--texts N]

FOLDER is what ``python -m training.data.read_corpus`` writes; what was read so far will do. Each source of
the first lot is left out once: features of either panel are chosen on the other sources, from the default
space and from ``standard``, and the same logistic head is asked about it; no words, no hidden states. Writes
a table into docs/newer-features.md and docs/data/newer-features.json; the other figures there stay.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.newer_features import ALL, BASE, PANELS, Scores, Study, pair, read
from benchmarks.accuracy.newer_features_page import PANEL_FEATURES, page
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.results import DEFAULT_FOLDER, Results, code_digest, data_of, write_page
from training.data.dataset import FIRST_LOT
from training.data.material import Material, columns_of

Raw = dict[str, dict[str, Mapping[str, npt.NDArray[Any]]]]
"""Of each source left out and each variant: the raw scores, and the columns chosen."""


def of_first_lot(material: Material) -> Material:
    """Texts of the first lot's files alone."""
    return material.take(np.flatnonzero(np.isin(material.files, list(FIRST_LOT))))


def scored(study: Study) -> Raw:
    """Searches in the default space and in all families, for each source left out."""
    spaces = {BASE: np.flatnonzero(study.family == BASE), ALL: np.arange(study.family.size)}
    return {
        split.name: {name: study.scored(split, name, columns) for name, columns in spaces.items()}
        for split in leave_one_source_out(study.material.texts)
    }


def measured(material: Material, scores: Mapping[str, Raw]) -> dict[str, Any]:
    """Means over sources for each panel and space, and what ``standard`` gains on ``lite``.

    Parameters
    ----------
    material : Material
        Of any panel: its texts, classes and files are those of all.
    scores : mapping of str to Raw
        By panel.

    Returns
    -------
    dict
        By space; intervals are over whole sources drawn with replacement.
    """
    splits = {split.name: split for split in leave_one_source_out(material.texts)}
    draws = redrawn(len(splits))
    rows: dict[str, Any] = {}
    for space in (BASE, ALL):
        by_source = {
            panel: np.array(
                [pair(material, splits[source], made[space]["raw"]) for source, made in of.items()]
            )
            for panel, of in scores.items()
        }
        rows[space] = {
            "panels": {
                panel: _means(pairs, draws)
                | {"chosen": float(np.mean([made[space]["chosen"].size for made in scores[panel].values()]))}
                | {"by_source": dict(zip(splits, pairs.tolist(), strict=True))}
                for panel, pairs in by_source.items()
            },
            "gain": _means(by_source["standard"] - by_source["lite"], draws),
            "better_on": int(np.count_nonzero(by_source["standard"][:, 0] > by_source["lite"][:, 0])),
        }
    return rows


def _means(pairs: Scores, draws: npt.NDArray[np.intp]) -> dict[str, Any]:
    """Of AUROC and of the TPR at 1 % FPR, shape (n_sources, 2)."""
    return {name: asdict(mean_with_interval(pairs[:, i], draws)) for i, name in enumerate(("auroc", "tpr"))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder that read_corpus writes")
    parser.add_argument("--texts", type=int, default=0, help="take at most so many of the corpus")
    parser.add_argument("--max-features", type=int, default=40)
    parser.add_argument("--kept", type=Path, default=DEFAULT_FOLDER, help="where finished searches are kept")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    began, scores, candidates = time.perf_counter(), {}, {}
    for panel in PANELS:
        material = of_first_lot(read(options.corpus, panel, options.texts))
        columns = columns_of(material, "standard", 1)
        stamp = f"{code_digest()} first lot {panel} {len(material.texts)} {options.max_features}"
        study = Study(material, columns, options.max_features, Results(options.kept, stamp))
        candidates[panel] = {BASE: int(np.count_nonzero(study.family == BASE)), ALL: len(columns.features)}
        scores[panel] = scored(study)
        print(f"{panel}: {len(material.texts)} texts, {time.perf_counter() - began:.0f} s", flush=True)
    path = data_of(options.docs, "newer-features")
    figures = json.loads(path.read_text("utf-8")) if path.exists() else {}
    figures[PANEL_FEATURES] = {
        "texts": len(material.texts),
        "max_features": options.max_features,
        "candidates": candidates,
        "spaces": measured(material, scores),
    }
    write_page(options.docs, "newer-features", figures, page(figures))


if __name__ == "__main__":
    main()
