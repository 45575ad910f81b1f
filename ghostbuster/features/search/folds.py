"""The folds of a search: drawn once, or given; the same for every candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError, SettingError
from ghostbuster.folds import grouped_folds, leave_one_out

Float1d = npt.NDArray[np.float64]
Int1d = npt.NDArray[np.intp]
Fold: TypeAlias = tuple[Int1d, Int1d]

MACHINE_FROM = 0.5  # soft labels from here on count as machine where a class is needed


def drawn_folds(y: Float1d, groups: npt.ArrayLike | None, n_folds: int, seed: int) -> tuple[Fold, ...]:
    """Stratified folds that never part a group.

    Parameters
    ----------
    y : array of shape (n_texts,)
        Labels between 0 and 1.
    groups : array-like of shape (n_texts,), or None
    n_folds, seed : int

    Raises
    ------
    SettingError
        When there are fewer than 2 folds.
    InputError
        When groups do not fit the texts, or there are too few texts or groups of a class.
    """
    if n_folds < 2:  # noqa: PLR2004 - one fold holds nothing out
        raise SettingError(f"cv is {n_folds}; expected at least 2 folds")
    if groups is not None and np.shape(groups) != y.shape:
        raise InputError(f"groups have shape {np.shape(groups)}; expected {y.shape}, one group a text")
    hard = (y >= MACHINE_FROM).astype(np.intp)
    return tuple(_indices(*fold) for fold in grouped_folds(hard, groups, n_folds, seed))


def given_folds(cv: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]], y: Float1d) -> tuple[Fold, ...]:
    """Folds of the caller's making, such as those that leave one source out, checked.

    Parameters
    ----------
    cv : iterable of (train, test)
        Text indices; a text may be in several tests, or in none.
    y : array of shape (n_texts,)
        Labels between 0 and 1.

    Raises
    ------
    SettingError
        When there are fewer than 2 folds, or one is empty, overlaps, or points at no text.
    InputError
        When a fold trains on one class only.
    """
    folds = tuple(_checked(i, *_indices(*fold), y.size) for i, fold in enumerate(cv))
    if len(folds) < 2:  # noqa: PLR2004
        raise SettingError(f"cv has {len(folds)} fold(s); expected at least 2")
    for i, (train, _) in enumerate(folds):
        machine = y[train] >= MACHINE_FROM
        if machine.all() or not machine.any():
            raise InputError(f"fold {i} trains on texts of one class only; expected both human and machine")
    return folds


def source_folds(y: Float1d, sources: Int1d, groups: npt.ArrayLike | None) -> tuple[Fold, ...]:
    """One fold a source: trained on the others, less what shares a group with it, and tested on it.

    Raises
    ------
    InputError
        When there are fewer than two sources, or the others of one hold a single class.
    """
    return tuple(
        _indices(*fold) for fold in leave_one_out((y >= MACHINE_FROM).astype(np.intp), sources, groups)
    )


def fold_order(folds: Sequence[Fold], n_texts: int) -> tuple[npt.NDArray[np.intp], tuple[slice, ...]]:
    """Texts in an order that puts each fold's held-out ones side by side, and where they then lie.

    A text held out by several folds stands with the first; those that no fold holds out are the last slice.
    """
    cell = np.full(n_texts, len(folds))
    for i in range(len(folds) - 1, -1, -1):
        cell[folds[i][1]] = i
    order = np.argsort(cell, kind="stable")
    edges = np.searchsorted(cell[order], np.arange(len(folds) + 2))
    return order, tuple(slice(a, b) for a, b in pairwise(edges.tolist()))


def _indices(train: npt.ArrayLike, test: npt.ArrayLike) -> Fold:
    return np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)


def _checked(i: int, train: Int1d, test: Int1d, n_texts: int) -> Fold:
    for name, rows in (("train", train), ("test", test)):
        if rows.ndim != 1 or rows.size == 0:
            raise SettingError(f"fold {i}: {name} is empty or no list; expected indices of texts")
        if rows.min() < 0 or rows.max() >= n_texts:
            raise SettingError(f"fold {i}: {name} points at a text outside 0..{n_texts - 1}")
    if np.intersect1d(train, test).size:
        raise SettingError(f"fold {i} tests on texts it trains on; expected no text in both")
    return train, test
