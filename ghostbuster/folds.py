"""Who is held out with whom, and how much each text weighs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d, Int1d
from ghostbuster.errors import InputError

Folds = list[tuple[Int1d, Int1d]]


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


def balanced_weights(y: Float1d, sources: npt.ArrayLike | None = None) -> Float1d:
    """Weights under which human and machine, and within each every source, count the same; mean 1.

    Parameters
    ----------
    y : array of shape (n_texts,)
        Probability of machine; a soft label counts where it is nearer.
    sources : array-like of shape (n_texts,), or None
    """
    cells = (np.asarray(y) >= 0.5).astype(np.intp)  # noqa: PLR2004
    if sources is not None:
        codes = np.unique(np.asarray(sources), return_inverse=True)[1]
        cells = cells * (codes.max() + 1) + codes
    _, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    label_of = np.asarray(y) >= 0.5  # noqa: PLR2004
    weights = 1.0 / counts[inverse]
    for side in (False, True):
        here = label_of == side
        if here.any():
            weights[here] /= weights[here].sum()
    balanced: Float1d = weights * (weights.size / weights.sum())
    return balanced
