"""Robust standardisation: winsorised mean and standard deviation of each column, outliers clipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyFloat, Float1d
from ghostbuster.errors import InputError, SettingError

CLIP = 5.0
_LOW, _HIGH = 0.15865525393145707, 0.8413447460685429  # one standard deviation either side of a normal's mean


@dataclass(frozen=True, eq=False)
class ColumnScaler:
    """``clip((x - mean) / scale)``, with a mean and a scale that a few wild values cannot move.

    Quotients, skewness and their like have heavy tails: one text with a value a thousand times the usual
    would squeeze all others together, and at scoring time throw a linear head anywhere. So the mean and the
    standard deviation are taken after each column is winsorised at ``clip`` robust deviations from its median
    (half the distance between the 15.87th and the 84.13th percentile, a normal's standard deviation), and
    scaled values are held within ``clip``.

    Parameters
    ----------
    mean, scale : arrays of shape (n_columns,)
        What is taken off and what is divided by; a constant column has scale 1 and becomes 0.
    clip : float
        Largest size of a scaled value; ``inf`` never clips.

    Raises
    ------
    SettingError
        When shapes differ, a scale is not positive, or clip is not positive.

    References
    ----------
    Tukey, "The Future of Data Analysis", Annals of Mathematical Statistics 33 (1962), section 14.
    """

    mean: Float1d
    scale: Float1d
    clip: float = CLIP

    def __post_init__(self) -> None:
        mean, scale = np.asarray(self.mean, dtype=np.float64), np.asarray(self.scale, dtype=np.float64)
        if mean.ndim != 1 or mean.shape != scale.shape:
            raise SettingError(
                f"mean {mean.shape} and scale {scale.shape} differ; expected one value a column"
            )
        if not np.all(scale > 0):
            raise SettingError("scale holds a value that is not positive; fit the scaler again")
        if not self.clip > 0:
            raise SettingError(f"clip is {self.clip}; expected a positive number of standard deviations")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "clip", float(self.clip))

    @classmethod
    def fit(
        cls, X: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, clip: float = CLIP
    ) -> ColumnScaler:
        """Estimate mean and scale of every column of ``X``.

        Parameters
        ----------
        X : array of shape (n_texts, n_columns)
            Finite numbers; float32 stays float32 until it is summed.
        sample_weight : array of shape (n_texts,), optional
            Weights the mean and the standard deviation; the winsorising limits are taken unweighted.
        clip : float
            See the class.

        Raises
        ------
        InputError
            When ``X`` is not a matrix, has no row, or holds NaN or infinity.
        """
        matrix = _matrix(X)
        if matrix.shape[0] == 0:
            raise InputError("no rows to fit the scaler on; expected at least one text")
        weight = np.ones(matrix.shape[0]) if sample_weight is None else np.asarray(sample_weight, np.float64)
        weight = weight / weight.sum()
        mean, scale = np.empty(matrix.shape[1]), np.empty(matrix.shape[1])
        for first in range(0, matrix.shape[1], 256):  # bounds the float64 copies
            part = slice(first, first + 256)
            mean[part], scale[part] = _winsorised_moments(matrix[:, part], weight, clip)
        return cls(mean, scale, clip)

    def transform(self, X: npt.ArrayLike) -> Float1d:
        """Scaled copy of ``X``, float64 of shape (n_texts, n_columns).

        Raises
        ------
        InputError
            When ``X`` is not a finite matrix of as many columns as were fitted.
        """
        matrix = _matrix(X)
        if matrix.shape[1] != self.mean.size:
            raise InputError(
                f"matrix has {matrix.shape[1]} columns; the scaler was fitted on {self.mean.size}"
            )
        scaled = (matrix - self.mean) / self.scale
        return np.clip(scaled, -self.clip, self.clip, out=scaled)

    def state(self) -> dict[str, object]:
        """Plain arrays and numbers that ``from_state`` reads."""
        return {"mean": self.mean, "scale": self.scale, "clip": self.clip}

    @classmethod
    def from_state(cls, state: Mapping[str, object]) -> ColumnScaler:
        """The scaler that ``state`` describes."""
        clip = state["clip"]
        if not isinstance(clip, float | int):
            raise SettingError(f"clip is {clip!r}; expected a number")
        return cls(np.asarray(state["mean"]), np.asarray(state["scale"]), float(clip))


def _matrix(X: npt.ArrayLike) -> AnyFloat:
    """A finite matrix of floats."""
    matrix = np.asarray(X)
    if matrix.ndim != 2:  # noqa: PLR2004 - a matrix has two dimensions
        raise InputError(f"matrix has shape {matrix.shape}; expected (n_texts, n_columns)")
    if not np.issubdtype(matrix.dtype, np.floating):
        matrix = matrix.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise InputError("matrix holds NaN or infinity; expected finite features only")
    return matrix


def _winsorised_moments(columns: AnyFloat, weight: Float1d, clip: float) -> tuple[Float1d, Float1d]:
    """Weighted mean and standard deviation of the winsorised columns."""
    values = columns.astype(np.float64)
    low, median, high = _quantiles(values, (_LOW, 0.5, _HIGH))
    spread = (high - low) / 2
    reach = np.where(spread > 0, clip * spread, np.inf)  # mostly one value: robust deviation says nothing
    np.clip(values, median - reach, median + reach, out=values)
    mean = weight @ values
    values -= mean
    scale = np.sqrt(weight @ np.square(values, out=values))
    # rounding leaves a constant column a deviation of some 1e-16 of its size
    return mean, np.where(scale > 1e-9 * np.abs(mean), scale, 1.0) if scale.size else scale


def _quantiles(values: AnyFloat, at: tuple[float, ...]) -> list[Float1d]:
    """Quantiles of every column, linear between neighbours, from one sort."""
    ordered = np.sort(values.T, axis=1)  # contiguous rows sort fastest
    where = [q * (ordered.shape[1] - 1) for q in at]
    found = []
    for place in where:
        below = int(place)
        above = min(below + 1, ordered.shape[1] - 1)
        found.append(ordered[:, below] + (place - below) * (ordered[:, above] - ordered[:, below]))
    return found
