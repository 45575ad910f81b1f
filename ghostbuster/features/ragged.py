"""Ragged arrays: one vector of texts of unequal length, and the sums that several reducers share."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d, Float32, Int1d


class Layout:
    """Position of each text in a flat array; shared by every vector of the same texts.

    Parameters
    ----------
    lengths : array of shape (n_texts,)
        Units of each text, at least one.
    """

    def __init__(self, lengths: npt.ArrayLike) -> None:
        self.lengths: Int1d = np.asarray(lengths, dtype=np.intp)
        self.ends: Int1d = np.cumsum(self.lengths)
        self.starts: Int1d = self.ends - self.lengths

    @cached_property
    def filled(self) -> npt.NDArray[np.bool_] | None:
        """Which cells of a rectangle (n_texts, longest) hold units; None where all do."""
        longest = self.lengths.max()
        if np.all(self.lengths == longest):
            return None
        filled: npt.NDArray[np.bool_] = np.arange(longest) < self.lengths[:, None]
        return filled

    @cached_property
    def texts(self) -> Int1d:
        """Text of each unit, (n_units,)."""
        owners: Int1d = np.repeat(np.arange(self.lengths.size), self.lengths)
        return owners

    @cached_property
    def left(self) -> Int1d:
        """Units from each one to the end of its text, itself among them: (n_units,)."""
        left: Int1d = np.repeat(self.ends, self.lengths) - np.arange(self.ends[-1])
        return left

    @cached_property
    def shorter(self) -> tuple[npt.NDArray[np.bool_], Layout]:
        """Which units stay when each text loses its last but never its only one, and their layout."""
        return (self.left > 1) | (self.left == np.repeat(self.lengths, self.lengths)), Layout(
            np.maximum(self.lengths - 1, 1)
        )

    def without_first(self, n: int) -> tuple[npt.NDArray[np.bool_], Layout]:
        """Which units stay when each text of more than ``n`` loses its first ``n``, and their layout."""
        cut = np.where(self.lengths > n, n, 0)
        place = np.arange(self.ends[-1]) - np.repeat(self.starts, self.lengths)
        return place >= np.repeat(cut, self.lengths), Layout(self.lengths - cut)


class Ragged:
    """One vector: flat values and their layout. Each shared quantity is computed once, when first asked for.

    All sums run text by text, so a text's numbers do not depend on its neighbours, to the last bit.

    Parameters
    ----------
    values : float64 array of shape (n_units,)
    layout : Layout
        Of the same units; no text is empty.
    """

    def __init__(self, values: Float1d, layout: Layout) -> None:
        self.values = values
        self.layout = layout

    def sum(self, values: Float1d) -> Float1d:
        """Sum of any ``values`` on the same units, text by text: (n_texts,)."""
        total: Float1d = np.add.reduceat(values, self.layout.starts)
        return total

    def spread(self, per_text: Float1d) -> Float1d:
        """One value a text repeated over its units: (n_units,)."""
        return np.repeat(per_text, self.layout.lengths)

    @cached_property
    def total(self) -> Float1d:
        """Sum of each text."""
        return self.sum(self.values)

    @cached_property
    def mean(self) -> Float1d:
        """Mean of each text."""
        return self.total / self.layout.lengths

    @cached_property
    def mean_square(self) -> Float1d:
        """Mean square of each text."""
        return self.sum(self.values * self.values) / self.layout.lengths

    @cached_property
    def deviations(self) -> Float1d:
        """Units less their text's mean."""
        return self.values - self.spread(self.mean)

    @cached_property
    def squares(self) -> Float1d:
        """Squared deviations."""
        return self.deviations * self.deviations

    @cached_property
    def variance(self) -> Float1d:
        """Population variance of each text."""
        return self.sum(self.squares) / self.layout.lengths

    @cached_property
    def differences(self) -> Ragged:
        """Each unit's successor less the unit, one fewer than units; 0 where a text has one unit only."""
        steps = np.zeros_like(self.values)
        np.subtract(self.values[1:], self.values[:-1], out=steps[:-1])
        steps[self.layout.ends - 1] = 0.0  # the last unit's successor is in another text
        kept, layout = self.layout.shorter
        return Ragged(steps[kept], layout)

    @cached_property
    def varies(self) -> npt.NDArray[np.bool_]:
        """Texts whose units differ by more than rounding does: (n_texts,)."""
        # 1e-100: its square can still be divided by
        return self.variance > np.maximum(1e-20 * self.mean_square, 1e-100)

    @cached_property
    def single(self) -> Float32:
        """Values in float32: enough for what only compares units, and sorted four times as fast."""
        return self.values.astype(np.float32)

    @cached_property
    def ordered(self) -> Float32:
        """Units of each text from smallest to largest."""
        n_texts, filled = self.layout.lengths.size, self.layout.filled
        if filled is None:
            return np.sort(self.single.reshape(n_texts, -1), axis=1).ravel()
        cells = np.full(filled.shape, np.inf, dtype=np.float32)  # padding sorts behind every unit
        cells[filled] = self.single
        cells.sort(axis=1)
        return cells[filled]

    def quantile(self, q: float) -> Float1d:
        """Quantile of each text, linear between neighbours (Hyndman and Fan's type 7)."""
        place = q * (self.layout.lengths - 1)
        below = place.astype(np.intp)
        above = np.minimum(below + 1, self.layout.lengths - 1)
        low = self.ordered[self.layout.starts + below].astype(np.float64)
        high = self.ordered[self.layout.starts + above].astype(np.float64)
        quantile: Float1d = low + (place - below) * (high - low)
        return quantile

    @cached_property
    def quarters(self) -> tuple[Float1d, Float1d]:
        """Means of the smallest and of the largest quarter of each text, rounded up to whole units."""
        n = -(-self.layout.lengths // 4)
        return self.ordered_mean(self.layout.starts, n), self.ordered_mean(self.layout.ends - n, n)

    def ordered_mean(self, first: Int1d, n: Int1d) -> Float1d:
        """Mean of ``n`` ordered units from ``first`` on, text by text."""
        return segment_sums(self.ordered, first, first + n) / n


def segment_sums(values: Float32 | Float1d, first: Int1d, last: Int1d) -> Float1d:
    """Sums of ``values[first:last]`` in float64, none of them empty."""
    edges = np.stack([first, last], axis=1).ravel()
    if edges[-1] == values.size:
        edges = edges[:-1]  # reduceat wants indices inside, and sums the last to the end
    sums: Float1d = np.add.reduceat(values, edges, dtype=np.float64)[::2]
    return sums
