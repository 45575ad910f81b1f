"""Folds for cross-validation (stratified, grouped, one source left out), sample weights, label classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Bool1d, Float1d, Int1d
from ghostbuster.errors import InputError, SettingError

Fold = tuple[Int1d, Int1d]
"""Indices of the texts to train on, and of those held out."""
Folds = list[Fold]

MACHINE_FROM = 0.5
"""From this probability of machine on, a text counts as machine where a class is needed."""

LEAST_SOURCES = 3
"""With two, a fold would train on one source alone."""


def is_machine(y: npt.ArrayLike) -> Bool1d:
    """Whether each label or probability is nearer to machine than to human; the middle counts as machine."""
    return np.asarray(np.asarray(y) >= MACHINE_FROM)


MOST_BUNDLES = 8
"""Folds at most that hold sources out."""


def sources_to_hold_out(sources: npt.ArrayLike | None) -> AnyArray | None:
    """The sources as an array where each can be held out once, which takes three or more; None elsewhere."""
    names = np.asarray([] if sources is None else sources)
    return names if np.unique(names).size >= LEAST_SOURCES else None


def grouped_folds(hard: Int1d, groups: npt.ArrayLike | None, n_folds: int, seed: int) -> Folds:
    """Folds stratified by label that keep every group on one side.

    Parameters
    ----------
    hard : array of shape (n_texts,), 0 human, 1 machine
    groups : array-like of shape (n_texts,), or None
        Texts of one prompt or document share a value.
    n_folds, seed : int

    Returns
    -------
    list of (train, test) index arrays, length n_folds

    Raises
    ------
    InputError
        When a class has fewer texts, or the whole fewer groups, than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    counts = np.bincount(hard, minlength=2)
    if counts.min() < n_folds:
        raise InputError(
            f"{counts[0]} human and {counts[1]} machine texts; expected at least {n_folds} of each, "
            "one a fold: add texts or lower n_folds"
        )
    if groups is None:
        return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(hard, hard))
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    if codes.max() + 1 < n_folds:
        raise InputError(
            f"{codes.max() + 1} groups; expected at least {n_folds}, one a fold: "
            "lower n_folds or leave groups out"
        )
    folds = list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(hard, hard, codes))
    for train, _ in folds:
        if np.unique(hard[train]).size < 2:  # noqa: PLR2004
            raise InputError(
                "the groups leave a fold's training side with one class only; expected both: "
                "use finer groups or leave them out"
            )
    return folds


def leave_one_out(hard: Int1d, sources: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Folds:
    """One fold a source: trained on all the others, less what shares a group with it, and tested on it.

    Raises
    ------
    InputError
        When there are fewer than two sources, or the others of one hold a single class.
    """
    codes = np.unique(np.asarray(sources), return_inverse=True)[1]
    if codes.max() == 0:
        raise InputError("one source only; expected two or more: leave sources out to use grouped folds")
    related = np.arange(codes.size) if groups is None else np.asarray(groups)
    folds: Folds = []
    for code in range(codes.max() + 1):
        test = np.flatnonzero(codes == code)
        folds.append((np.flatnonzero((codes != code) & ~np.isin(related, related[test])), test))
    for train, held in folds:
        if np.unique(hard[train]).size < 2:  # noqa: PLR2004
            culprit = np.asarray(sources).tolist()[held[0]]
            raise InputError(
                f"without source {culprit!r} one class is left; expected both in every training side"
            )
    return folds


def bundled(sources: npt.ArrayLike, most: int = MOST_BUNDLES) -> Int1d:
    """Bundle of each text's source, shape (n_texts,): one a source, or ``most`` bundles of like size.

    Leaving a bundle out leaves each of its sources out, at a cost that does not grow with their number.
    The largest sources are dealt first, each to the smallest bundle.
    """
    _, codes, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    if counts.size <= most:
        return np.asarray(codes, dtype=np.intp)
    bundle_of = np.empty(counts.size, dtype=np.intp)
    sizes = np.zeros(most, dtype=np.intp)
    for source in np.argsort(-counts, kind="stable"):
        bundle_of[source] = np.argmin(sizes)
        sizes[bundle_of[source]] += counts[source]
    return bundle_of[codes]


def balanced_weights(y: Float1d, sources: npt.ArrayLike | None = None) -> Float1d:
    """Weights under which human and machine, and within each every source, count the same; mean 1.

    Parameters
    ----------
    y : array of shape (n_texts,)
        Probability of machine; a soft label counts where it is nearer.
    sources : array-like of shape (n_texts,), or None
    """
    machine = is_machine(y)
    cells = machine.astype(np.intp)
    if sources is not None:
        codes = np.unique(np.asarray(sources), return_inverse=True)[1]
        cells = cells * (codes.max() + 1) + codes
    _, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[inverse]
    for side in (False, True):
        here = machine == side
        if here.any():
            weights[here] /= weights[here].sum()
    balanced: Float1d = weights * (weights.size / weights.sum())
    return balanced


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
    hard = is_machine(y).astype(np.intp)
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
        machine = is_machine(y[train])
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
    return tuple(_indices(*fold) for fold in leave_one_out(is_machine(y).astype(np.intp), sources, groups))


def fold_order(folds: Sequence[Fold], n_texts: int) -> tuple[Int1d, tuple[slice, ...]]:
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
