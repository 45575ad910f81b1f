"""Detectors on sources that none has seen: metrics by source, paired differences, means over sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from benchmarks.measures import FPR
from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.intervals import Estimate, resamples

RESAMPLES = 1000
METRICS = {"auroc": auroc, "tpr": partial(tpr_at_fpr, fpr=FPR)}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BySource:
    """A metric of each source, and of resamples of its groups.

    Attributes
    ----------
    values : array of shape (n_sources,)
    draws : array of shape (n_sources, RESAMPLES)
        Groups of each source drawn with replacement, the same ones for all detectors: differences are paired.
    """

    values: Floats
    draws: Floats

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.values - other.values, self.draws - other.draws)

    def of(self, source: int) -> Estimate:
        """The value of one source, with its 95 % interval over groups."""
        low, high = np.quantile(self.draws[source], (0.025, 0.975))
        return Estimate(float(self.values[source]), float(low), float(high))

    def mean(self) -> Estimate:
        """Mean over sources; for its 95 % interval sources are drawn with replacement, and groups in each."""
        rng = np.random.default_rng(0)
        shape = (RESAMPLES, len(self.values))
        sources, draws = rng.integers(len(self.values), size=shape), rng.integers(RESAMPLES, size=shape)
        low, high = np.quantile(self.draws[sources, draws].mean(axis=1), (0.025, 0.975))
        return Estimate(float(self.values.mean()), float(low), float(high))

    def figures(self, names: Sequence[str]) -> dict[str, Any]:
        """Estimates of all sources and of their mean, fit for JSON."""
        of_sources = {name: asdict(self.of(i)) for i, name in enumerate(names)}
        return {"sources": of_sources, "mean": asdict(self.mean())}


def by_source(
    metric: Callable[[npt.NDArray[Any], npt.NDArray[Any]], float],
    y: npt.NDArray[Any],
    score: Floats,
    sources: npt.NDArray[Any],
    groups: npt.NDArray[Any],
    names: Sequence[str],
) -> BySource:
    """A metric of each of the sources ``names``.

    Parameters
    ----------
    metric : callable of labels and scores
    y, score, sources, groups : array of shape (n_texts,)
    names : sequence of str
        Sources that hold both classes.
    """
    values, draws = [], []
    for name in names:
        rows = np.flatnonzero(sources == name)
        here, said = y[rows], score[rows]
        values.append(metric(here, said))
        draws.append(
            [metric(here[drawn], said[drawn]) for drawn in resamples(here, groups[rows], RESAMPLES, 0)]
        )
    return BySource(np.array(values, float), np.array(draws, float))
