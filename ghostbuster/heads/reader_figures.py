"""What each reader of a detector earns on held-out texts, alone and mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d, Float2d
from ghostbuster.folds import is_machine
from ghostbuster.heads.mixing import shares_of
from ghostbuster.heads.scorer import READERS, mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr

FPR = 0.01
FEWEST = 20
"""Texts of each class that a source must have for figures of its own."""


def reader_figures(
    parts: Float2d, mix: Sequence[float], names: Sequence[str], y: Float1d, sources: AnyArray | None
) -> list[dict[str, Any]]:
    """Figures of each reader and of all mixed, fit for JSON.

    Parameters
    ----------
    parts : array of shape (n_texts, n_readers)
        Held-out log-odds, in the order of ``READERS``.
    mix : sequence of float, length n_readers
    names : sequence of str
        Readers that are there.
    y : array of shape (n_texts,), probability of machine
    sources : array of shape (n_texts,), or None
        Where each was held out: figures are then means over sources with `FEWEST` texts of each class.

    Returns
    -------
    list of dict
        ``reader``, ``share`` of the mixed score's spread, ``auroc``, ``tpr_at_1_percent_fpr``, ``n_sources``;
        the last is the mix, which is there where readers are several.
    """
    machine = is_machine(y)
    slices = [np.flatnonzero(sources == name) for name in np.unique(sources)] if sources is not None else []
    slices = [rows for rows in slices if min(machine[rows].sum(), (~machine[rows]).sum()) >= FEWEST]
    slices = slices or [np.arange(y.size)]
    shares = shares_of(parts, mix)
    columns = [
        (name, float(shares[k]), parts[:, k]) for k, name in enumerate(READERS[: len(mix)]) if name in names
    ]
    if len(columns) > 1:
        columns.append(("all, mixed", 1.0, mixed(parts, mix)))
    return [
        {
            "reader": name,
            "share": share,
            "auroc": float(np.mean([auroc(machine[rows], raw[rows]) for rows in slices])),
            "tpr_at_1_percent_fpr": float(
                np.mean([tpr_at_fpr(machine[rows], raw[rows], FPR) for rows in slices])
            ),
            "n_sources": len(slices) if sources is not None else 1,
        }
        for name, share, raw in columns
    ]
