"""Evaluate many features on many texts: shared prefixes once, in blocks that fit the CPU's cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyFloat, AnyInt, Float1d, Vectors
from ghostbuster.errors import FeatureError, SettingError
from ghostbuster.features.chains import Models, Path
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import OPS, SKIPS, bounded
from ghostbuster.features.ragged import Layout, Ragged
from ghostbuster.features.reducers import REDUCERS, Reducer
from ghostbuster.features.zero_shot import Statistic
from ghostbuster.registry import did_you_mean

BLOCK_UNITS = 32_768  # a float64 vector of a block is 256 KiB: a handful of them stay in a core's cache


@dataclass(frozen=True, slots=True)
class _Plan:
    """Chains, shared prefixes side by side, with the columns wanted of each; and statistics."""

    chains: tuple[tuple[Path, str, tuple[tuple[Reducer, int], ...]], ...]
    statistics: tuple[tuple[Statistic, tuple[str, ...], int], ...]


def evaluate(feature: Feature, vectors: Vectors) -> Float1d:
    """One feature's value for every text, shape (n_texts,).

    Raises
    ------
    FeatureError
        When ``vectors`` lacks one that the feature reads.
    """
    return np.asarray(evaluate_all((feature,), vectors)[:, 0], dtype=np.float64)


def evaluate_all(
    features: Sequence[Feature],
    vectors: Vectors,
    *,
    dtype: npt.DTypeLike = np.float64,
    n_jobs: int | None = 1,
) -> AnyFloat:
    """Every feature of every text.

    Texts are visited in blocks of about ``BLOCK_UNITS`` units of texts of similar length; beside the result,
    memory is a few vectors of one block. A text's row does not depend on the other texts.

    Parameters
    ----------
    features : sequence of Feature, length n_features
    vectors : Vectors
        Of n_texts texts.
    dtype : float64 or float32
        Of the result; everything is computed in float64.
    n_jobs : int, optional
        Threads, which share the vectors; the result is the same for any number. None is what
        ``joblib.parallel_config`` says around the call.

    Returns
    -------
    array of shape (n_texts, n_features), finite, column by column in memory

    Raises
    ------
    FeatureError
        When ``vectors`` lacks one that a feature reads.
    SettingError
        When ``n_jobs`` is not positive.
    """
    if n_jobs is not None and n_jobs < 1:
        raise SettingError(f"n_jobs is {n_jobs}; expected at least 1 thread")
    features = tuple(features)
    check_available(features, vectors)
    result = np.empty((vectors.n_texts, len(features)), dtype=dtype, order="F")
    empty = np.flatnonzero(vectors.lengths == 0)
    for column, feature in enumerate(features):
        result[empty, column] = (feature.statistic or REDUCERS[feature.reducer]).empty
    plan = _plan(features)
    blocks = _blocks(np.asarray(vectors.lengths))
    if n_jobs == 1:  # joblib takes a while to load
        for texts in blocks:
            _evaluate_block(plan, vectors, texts, result)
    else:
        from joblib import Parallel, delayed

        work = (delayed(_evaluate_block)(plan, vectors, texts, result) for texts in blocks)
        Parallel(n_jobs, require="sharedmem")(work)
    return result


def check_available(features: Sequence[Feature], vectors: Vectors) -> None:
    """Every vector that a feature reads is there.

    Raises
    ------
    FeatureError
        Names the first feature and vector that is not.
    """
    for feature in features:
        for name in feature.vectors:
            if name not in vectors.channels:
                raise FeatureError(f"{str(feature)!r} reads {name!r}: {did_you_mean(name, vectors.channels)}")


def _plan(features: tuple[Feature, ...]) -> _Plan:
    """Group what reads the same chain."""
    chains: dict[tuple[Path, str], list[tuple[Reducer, int]]] = {}
    statistics = []
    for column, feature in enumerate(features):
        if isinstance(feature.expression, Models):
            if feature.statistic is not None:
                statistics.append((feature.statistic, feature.vectors, column))
        else:
            wanted = chains.setdefault((feature.expression.path, feature.skip), [])
            wanted.append((REDUCERS[feature.reducer], column))
    ordered = tuple((path, skip, tuple(chains[path, skip])) for path, skip in sorted(chains))
    return _Plan(ordered, tuple(statistics))


def _blocks(lengths: AnyInt) -> Iterator[npt.NDArray[np.intp]]:
    """Texts that have units, from short to long, about ``BLOCK_UNITS`` units at a time."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    block = (np.cumsum(lengths[order]) - 1) // BLOCK_UNITS
    edges = np.concatenate(([0], np.flatnonzero(np.diff(block)) + 1, [order.size]))
    for first, last in pairwise(edges):
        if last > first:
            yield order[first:last]


class _Block:
    """The vectors of some texts, float64, read when first asked for."""

    def __init__(self, vectors: Vectors, texts: npt.NDArray[np.intp]) -> None:
        self.layout = Layout(vectors.lengths[texts])
        self._vectors = vectors
        self._rows = np.arange(self.layout.ends[-1]) + np.repeat(
            vectors.offsets[texts] - self.layout.starts, self.layout.lengths
        )
        self._read: dict[str, Ragged] = {}
        self._kept: dict[str, tuple[npt.NDArray[np.bool_], Layout]] = {}

    def read(self, name: str) -> Ragged:
        """A vector by name."""
        if name not in self._read:
            values = self._vectors.channels[name][self._rows].astype(np.float64)
            self._read[name] = Ragged(bounded(values), self.layout)
        return self._read[name]

    def ragged(self, values: Float1d, skip: str) -> Ragged:
        """A computed vector, without the units that are skipped."""
        if not skip:
            return Ragged(values, self.layout)
        if skip not in self._kept:
            self._kept[skip] = self.layout.without_first(SKIPS[skip].n_units)
        kept, layout = self._kept[skip]
        return Ragged(values[kept], layout)


def _evaluate_block(plan: _Plan, vectors: Vectors, texts: npt.NDArray[np.intp], result: AnyFloat) -> None:
    """Fill the rows of ``texts``."""
    block = _Block(vectors, texts)
    stack: list[Float1d] = []
    at: Path = ()
    for path, skip, wanted in plan.chains:
        shared = _shared_prefix(at, path)
        del stack[shared:]
        for op, name in path[shared:]:
            read = block.read(name).values
            stack.append(OPS[op].apply(stack[-1], read) if op else read)
        at = path
        ragged = block.ragged(stack[-1], skip)
        for reducer, column in wanted:
            result[texts, column] = reducer.apply(ragged)
    for statistic, names, column in plan.statistics:
        result[texts, column] = statistic.apply(*map(block.read, names))


def _shared_prefix(a: Path, b: Path) -> int:
    """Number of first steps that both paths have."""
    n = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        n += 1
    return n
