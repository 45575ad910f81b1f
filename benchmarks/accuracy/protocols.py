"""Train-test splits: grouped in-domain folds, and leave one source out; no group on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from training.data.dataset import PROBES, STRESS
from training.data.labelled import LabelledText

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Split:
    """Learn from ``train``, ask about ``test``: indices into the texts."""

    name: str
    train: Indices
    test: Indices


def in_domain(texts: Sequence[LabelledText], file: str, n_folds: int = 5, seed: int = 0) -> list[Split]:
    """Grouped folds of one file, each with about the file's share of machine texts.

    A file with one class only has no such folds: the list is empty.
    """
    own = np.flatnonzero([text.file == file for text in texts])
    asked = np.array([not text.is_crop for text in texts])
    y = np.array([texts[i].label for i in own])
    if np.unique(y).size < 2:
        return []
    groups = np.array([texts[i].group for i in own])
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return [
        Split(f"{file} fold {k}", own[train], own[test][asked[own[test]]])
        for k, (train, test) in enumerate(folds.split(own, y, groups), 1)
    ]


def leave_one_source_out(texts: Sequence[LabelledText]) -> list[Split]:
    """For each source: learn from every other one, less what is related to a text of the source.

    Stress files and probes are asked about, never learned from; of their texts, those related to a text that
    is learned from are left out, so that they cost no training text.
    """
    sources = np.array([text.source for text in texts])
    groups = np.array([text.group for text in texts])
    asked = np.array([not text.is_crop for text in texts])
    learnable = np.array([text.file not in STRESS | PROBES for text in texts])
    splits = []
    for source in dict.fromkeys(sources.tolist()):
        own = sources == source
        train = learnable & ~own & ~np.isin(groups, groups[own & learnable])
        kept = learnable | ~np.isin(groups, groups[train])
        splits.append(Split(source, np.flatnonzero(train), np.flatnonzero(own & asked & kept)))
    return splits
