"""Read-only arrays, and the offsets that say which text owns which units; both checked once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError


def frozen(array: npt.ArrayLike, kind: str, n_dimensions: int = 1) -> npt.NDArray[Any]:
    """A read-only view or copy of ``array``, which must have so many dimensions."""
    made = np.asarray(array)
    if made.ndim != n_dimensions:
        expected = "one dimension: flatten it first" if n_dimensions == 1 else f"{n_dimensions} dimensions"
        raise InputError(f"{kind} has shape {made.shape}; expected {expected}")
    view = made.view()
    view.flags.writeable = False
    return view


def check_offsets(offsets: npt.NDArray[np.integer], n_units: int) -> None:
    """Offsets start at 0, never fall, and end at the number of units."""
    if offsets.size == 0 or offsets[0] != 0 or offsets[-1] != n_units or np.any(np.diff(offsets) < 0):
        raise InputError(
            f"offsets must rise from 0 to {n_units}, the number of units, one entry a text and one more; "
            f"got {offsets[:3]}...{offsets[-1:]}"
        )


def rows_of(
    offsets: npt.NDArray[np.integer], texts: npt.ArrayLike
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Unit indices of the chosen ``texts`` in order, and their new offsets."""
    chosen = np.asarray(texts, dtype=np.intp)
    lengths = np.diff(offsets)[chosen]
    new = np.concatenate(([0], np.cumsum(lengths)))
    starts = np.asarray(offsets)[:-1][chosen]
    return np.repeat(starts - new[:-1], lengths) + np.arange(new[-1]), new
