"""Operations between two vectors of one layout. To add one, add its row; never change what a row means."""

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
        What it computes, for people.
    binary : bool
        Results are 0 or 1 only.
    """

    name: str
    apply: Callable[[Float1d, Float1d], Float1d]
    formula: str
    binary: bool = False


def bounded(values: Float1d) -> Float1d:
    """``values`` held within ``LARGEST``, in place."""
    return np.clip(values, -LARGEST, LARGEST, out=values)


def _divide(a: Float1d, b: Float1d) -> Float1d:
    divisible = np.abs(b) > SMALLEST_DIVISOR
    return bounded(np.divide(a, b, out=np.zeros_like(a), where=divisible))


def _clipped_ratio(a: Float1d, b: Float1d) -> Float1d:
    ratio: Float1d = np.clip(a, 1e-4, 1e4) / np.clip(b, 1e-4, 1e4)
    return ratio


OPS: dict[str, Op] = {
    op.name: op
    for op in (
        Op("v-add", lambda a, b: bounded(a + b), "a + b"),
        Op("v-sub", lambda a, b: bounded(a - b), "a - b"),
        Op("v-mul", lambda a, b: bounded(a * b), "a b"),
        Op("v-div", _divide, "a / b; 0 where b is 0"),
        Op("v->", lambda a, b: (a > b).astype(np.float64), "1 where a > b, else 0", binary=True),
        Op("v-<", lambda a, b: (a < b).astype(np.float64), "1 where a < b, else 0", binary=True),
        Op("v-ratio", _clipped_ratio, "a / b, both first held within [1e-4, 1e4]"),
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
    """

    name: str
    n_units: int


SKIPS: dict[str, Skip] = {skip.name: skip for skip in (Skip("u-skip-25", 25),)}
