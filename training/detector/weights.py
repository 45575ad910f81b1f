"""How much each labelled text weighs in training: sources alike, small and one-sided ones less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.data.labelled import LabelledText

FEW = 200
"""Texts of a class and source that weigh like a source's; fewer weigh in proportion."""
ONE_SIDED = 0.5
"""Share of a source's weight that one with machine texts alone gets: its register is no sign of a machine."""


def training_weights(texts: Sequence[LabelledText], few: int = FEW) -> npt.NDArray[np.float64]:
    """Weights of mean 1 under which both classes count alike.

    A source with human texts alone weighs nothing: who learns from it learns that its register is human. Its
    texts set thresholds all the same, each by readers that never saw its source.

    Parameters
    ----------
    texts : sequence of LabelledText, length n_texts
    few : int
    """
    cells = Counter((text.source, text.label) for text in texts)
    weights = np.array([_of_cell(text, cells, few) for text in texts])
    labels = np.array([text.label for text in texts])
    for label in (0, 1):
        here = labels == label
        weights[here] /= weights[here].sum()
    return weights * (weights.size / weights.sum())


def _of_cell(text: LabelledText, cells: Counter[tuple[str, int]], few: int) -> float:
    n = cells[text.source, text.label]
    others = cells[text.source, 1 - text.label]
    if not others:
        return 0.0 if text.label == 0 else ONE_SIDED * min(1.0, n / few) / n
    return min(1.0, n / few) / n
