"""Which texts a run does not learn from, but watches to know when to stop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError, SettingError
from ghostbuster.finetuning.crops import Indices
from ghostbuster.folds import grouped_folds
from ghostbuster.registry import unknown

LEAST_SOURCES = 4
"""With fewer, a share of the texts is held out, whatever its source."""
LEAST_SHARE = 0.1
"""Of the texts: sources are held out until they have so many."""
N_FOLDS = 10


def held_out_texts(
    y: Indices,
    sources: npt.NDArray[np.str_],
    groups: npt.NDArray[np.str_] | None,
    names: Sequence[str],
    seed: int,
) -> npt.NDArray[np.bool_]:
    """Whether each text is held out, shape (n_texts,); what shares a group with one that is comes along.

    Parameters
    ----------
    y : array of shape (n_texts,), 0 human, 1 machine
    sources : array of shape (n_texts,)
    groups : array of shape (n_texts,), or None
    names : sequence of str
        Sources to hold out; drawn where there are none.
    seed : int

    Raises
    ------
    SettingError
        When there is no source of that name.
    InputError
        When one class is missing on either side.
    """
    there = np.unique(sources)
    if names and not any(there):
        raise SettingError("sources to hold out, but no text has a source: give --source-column")
    for name in names:
        if name not in there:
            raise unknown(name, there.tolist(), "source to hold out", SettingError)
    if names:
        held = np.isin(sources, list(names))
    elif there.size >= LEAST_SOURCES:
        held = np.isin(sources, _drawn(y, sources, seed))
    else:
        held = np.zeros(y.size, bool)
        held[grouped_folds(y, groups, N_FOLDS, seed)[0][1]] = True
    if groups is not None:
        held |= np.isin(groups, groups[held])
    for side, which in (("held out", held), ("left to learn from", ~held)):
        if np.unique(y[which]).size < 2:  # noqa: PLR2004
            raise InputError(
                f"texts of {int(np.unique(y[which]).size)} class(es) are {side}; expected human and machine "
                "texts on both sides: name other sources to hold out, or add texts"
            )
    return held


def _drawn(y: Indices, sources: npt.NDArray[np.str_], seed: int) -> list[str]:
    """Sources in a drawn order, those with both classes first, until they make `LEAST_SHARE` of the texts."""
    names = np.random.default_rng(seed).permutation(np.unique(sources)).tolist()
    both = [name for name in names if np.unique(y[sources == name]).size > 1]
    chosen: list[str] = []
    for name in [*both, *(name for name in names if name not in both)]:
        held = np.isin(sources, chosen)
        if held.mean() >= LEAST_SHARE and np.unique(y[held]).size > 1:
            break
        chosen.append(name)
    return chosen
