"""Centre each training source's features (within-source fixed effects)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d
from ghostbuster.folds import is_machine

Real = TypeVar("Real", np.float32, np.float64)


def center_sources(matrix: npt.NDArray[Real], y: Float1d, sources: AnyArray | None) -> npt.NDArray[Real]:
    """Columns with each source's midpoint moved to the mean midpoint of all sources.

    A source's midpoint is the mean of its human texts' mean and its machine texts' mean. Sources differ in
    topic and register, which moves people and machines alike; a model that sees the difference learns where
    a text comes from. Moving midpoints is what an unpenalised intercept for every source would do (a fixed
    effect). Texts to be scored are not moved: their source is unknown.

    Parameters
    ----------
    matrix : array of shape (n_texts, n_features)
    y : array of shape (n_texts,)
        Probability of machine; a soft label counts as the nearer class.
    sources : array of shape (n_texts,), or None
        Without sources, and for one with a single class, nothing moves.

    Returns
    -------
    array of shape (n_texts, n_features), of the same dtype; a copy where something moved

    References
    ----------
    Mundlak, "On the Pooling of Time Series and Cross Section Data", Econometrica 46 (1978).
    """
    if sources is None:
        return matrix
    machine = is_machine(y)
    middles = {}
    for source in np.unique(sources):
        rows = np.flatnonzero(sources == source)
        if machine[rows].any() and not machine[rows].all():
            sides = [
                matrix[rows[machine[rows] == side]].mean(axis=0, dtype=np.float64) for side in (False, True)
            ]
            middles[source] = (sides[0] + sides[1]) / 2
    if len(middles) < 2:  # noqa: PLR2004
        return matrix
    level = np.mean(list(middles.values()), axis=0)
    moved = matrix.copy()
    for source, middle in middles.items():
        moved[sources == source] += (level - middle).astype(matrix.dtype)
    return moved
