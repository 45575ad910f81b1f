"""How much each labelled text weighs in training: sources alike, small ones less, people alone nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.data.labelled import LabelledText

FEW = 200
"""Texts of a class and source that weigh like a source's; fewer weigh in proportion."""


def training_weights(texts: Sequence[LabelledText], few: int = FEW) -> npt.NDArray[np.float64]:
    """Weights of mean 1 under which both classes count alike.

    A source with human texts alone weighs nothing: who learns from it learns that its register is human. Its
    texts set thresholds all the same, each by readers that never saw its source. One with machine texts alone
    weighs like any other: newer language models are found only by who has seen some of them.

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
    if not others and text.label == 0:
        return 0.0
    return min(1.0, n / few) / n
