"""The folds of a search: drawn once, the same for every candidate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError, SettingError

Float1d = npt.NDArray[np.float64]
Int1d = npt.NDArray[np.intp]
Fold: TypeAlias = tuple[Int1d, Int1d]

MACHINE_FROM = 0.5  # soft labels from here on count as machine where a class is needed


def make_folds(
    cv: int | Iterable[tuple[npt.ArrayLike, npt.ArrayLike]],
    y: Float1d,
    groups: npt.ArrayLike | None = None,
    random_state: int = 0,
) -> tuple[Fold, ...]:
    """Stratified folds that never part a group, or the given ones, checked.

    Parameters
    ----------
    cv : int, or iterable of (train, test)
        Number of folds, or text indices such as those that leave one source out.
    y : array of shape (n_texts,)
        Labels between 0 and 1.
    groups : array-like of shape (n_texts,), optional
        Texts of one group stay together; with folds given outright they are checked.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    tuple of (train, test) index arrays

    Raises
    ------
    SettingError
        When there are fewer than 2 folds, a class has fewer texts or groups than folds, or a given fold is
        empty, overlaps, or points at no text.
    InputError
        When groups do not fit the texts, or a fold trains on one class only.
    """
    of_text = None if groups is None else np.asarray(groups)
    if of_text is not None and of_text.shape != y.shape:
        raise InputError(f"groups have shape {of_text.shape}; expected {y.shape}, one group a text")
    folds = (
        _drawn(cv, y, of_text, random_state)
        if isinstance(cv, int | np.integer)
        else tuple(_checked(i, *fold, of_text, y.size) for i, fold in enumerate(cv))
    )
    if len(folds) < 2:  # noqa: PLR2004 - one fold says nothing of the spread
        raise SettingError(f"{len(folds)} fold(s) given; expected at least 2")
    for i, (train, _) in enumerate(folds):
        machine = y[train] >= MACHINE_FROM
        if machine.all() or not machine.any():
            raise InputError(f"fold {i} trains on texts of one class only; expected both human and machine")
    return folds


def _drawn(
    n_folds: int, y: Float1d, groups: npt.NDArray[np.generic] | None, random_state: int
) -> tuple[Fold, ...]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if n_folds < 2:  # noqa: PLR2004
        raise SettingError(f"n_folds is {n_folds}; expected at least 2")
    machine = y >= MACHINE_FROM
    for label, of_class in (("human", ~machine), ("machine", machine)):
        n = np.count_nonzero(of_class) if groups is None else np.unique(groups[of_class]).size
        if n < n_folds:
            unit = "texts" if groups is None else "groups"
            raise SettingError(
                f"{n} {label} {unit} for {n_folds} folds; add some, or lower n_folds to {max(n, 2)}"
            )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = kind(n_splits=n_folds, shuffle=True, random_state=random_state)
    return tuple(splitter.split(np.zeros((y.size, 1)), machine, groups))


def _checked(
    i: int, train: npt.ArrayLike, test: npt.ArrayLike, groups: npt.NDArray[np.generic] | None, n_texts: int
) -> Fold:
    train, test = np.asarray(train), np.asarray(test)
    for name, rows in (("train", train), ("test", test)):
        if rows.ndim != 1 or rows.size == 0 or not np.issubdtype(rows.dtype, np.integer):
            raise SettingError(f"fold {i}: {name} is no list of text indices; expected at least one integer")
        if rows.min() < 0 or rows.max() >= n_texts:
            raise SettingError(f"fold {i}: {name} points at a text outside 0..{n_texts - 1}")
    if np.intersect1d(train, test).size:
        raise SettingError(f"fold {i} tests on texts it trains on; expected no text in both")
    if groups is not None and np.intersect1d(groups[train], groups[test]).size:
        raise SettingError(f"fold {i} parts a group; expected each group in train or in test alone")
    return train.astype(np.intp), test.astype(np.intp)
