"""Vector operations. To add one, add its row to ``OPS``; never change what a row means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d

LARGEST = 1e12  # results are held within it, so that squares and float32 copies stay finite
SMALLEST_DIVISOR = 1e-30


@dataclass(frozen=True, slots=True)
class Op:
    """Element by element, (n,) and (n,) to (n,); within ``LARGEST`` for vectors within it.

    Parameters
    ----------
    name : str
        As written in an expression.
    apply : callable
        Takes the left and the right vector.
    formula : str
        What it computes, for developers.
    words : str
        The same for readers of a verdict, with ``{}`` for the left and for the right vector.
    binary : bool
        Results are 0 or 1 only.
    """

    name: str
    apply: Callable[[Float1d, Float1d], Float1d]
    formula: str
    words: str
    binary: bool = False


def bounded(values: Float1d) -> Float1d:
    """``values`` held within ``LARGEST``, in place."""
    return np.clip(values, -LARGEST, LARGEST, out=values)


def _divide(a: Float1d, b: Float1d) -> Float1d:
    divisible = np.abs(b) > SMALLEST_DIVISOR
    return bounded(np.divide(a, b, out=np.zeros_like(a), where=divisible))


def _over_root(a: Float1d, b: Float1d) -> Float1d:
    positive = b > SMALLEST_DIVISOR
    root = np.sqrt(np.where(positive, b, 1.0))
    return bounded(np.where(positive, a / root, 0.0))


def _clipped_ratio(a: Float1d, b: Float1d) -> Float1d:
    ratio: Float1d = np.clip(a, 1e-4, 1e4) / np.clip(b, 1e-4, 1e4)
    return ratio


OPS: dict[str, Op] = {
    op.name: op
    for op in (
        Op("v-add", lambda a, b: bounded(a + b), "a + b", "{} and {} together"),
        Op("v-sub", lambda a, b: bounded(a - b), "a - b", "{} compared with {}"),
        Op("v-mul", lambda a, b: bounded(a * b), "a b", "{} combined with {}"),
        Op("v-div", _divide, "a / b; 0 where b is 0", "{} relative to {}"),
        Op(
            "v->",
            lambda a, b: (a > b).astype(np.float64),
            "1 where a > b, else 0",
            "places where {} exceeds {}",
            binary=True,
        ),
        Op(
            "v-<",
            lambda a, b: (a < b).astype(np.float64),
            "1 where a < b, else 0",
            "places where {} is below {}",
            binary=True,
        ),
        Op("v-ratio", _clipped_ratio, "a / b, both first held within [1e-4, 1e4]", "{} relative to {}"),
        Op("v-over-root", _over_root, "a / sqrt(b); 0 where b is not positive", "{} in units of {}"),
    )
}


@dataclass(frozen=True, slots=True)
class Skip:
    """Leaves out the first units of every text that has more.

    Parameters
    ----------
    name : str
        As written in an expression, before the reducer.
    n_units : int
        How many; a text of no more than these keeps all.
    words : str
        What it does, after the words of a feature, for readers of a verdict.
    """

    name: str
    n_units: int
    words: str


SKIPS: dict[str, Skip] = {skip.name: skip for skip in (Skip("u-skip-25", 25, ", after the first 25 tokens"),)}
