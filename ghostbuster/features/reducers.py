"""Reducers: a text's vector to one number. To add one, add its row; never change what a row means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.features import dynamics
from ghostbuster.features.ragged import Ragged

TOP = 25


@dataclass(frozen=True, slots=True)
class Reducer:
    """One vector to one finite number a text.

    Parameters
    ----------
    name : str
        As written in an expression.
    apply : callable
        Ragged vector without empty texts to (n_texts,).
    formula : str
        What it computes, for developers.
    words : str
        The same for readers of a verdict, with ``{}`` for the vector.
    depends_on_length : bool
        Its size depends on how long the text is, not only on how it is written.
    empty : float
        Value of a text without units.
    everywhere : bool
        Offered for every chain of our own spaces; otherwise only for those that a family names.
    """

    name: str
    apply: Callable[[Ragged], Float1d]
    formula: str
    words: str
    depends_on_length: bool = False
    empty: float = 0.0
    everywhere: bool = True


def _largest(x: Ragged) -> Float1d:
    largest: Float1d = np.maximum.reduceat(x.values, x.layout.starts)
    return largest


def _smallest(x: Ragged) -> Float1d:
    smallest: Float1d = np.minimum.reduceat(x.values, x.layout.starts)
    return smallest


def _mean_of_top(x: Ragged) -> Float1d:
    n = np.minimum(x.layout.lengths, TOP)
    return x.ordered_mean(x.layout.ends - n, n)


def _length(x: Ragged) -> Float1d:
    return x.layout.lengths.astype(np.float64)


def _mean_size(x: Ragged) -> Float1d:
    return x.sum(np.abs(x.values)) / x.layout.lengths


def _under(level: float) -> Callable[[Ragged], Float1d]:
    return lambda x: x.sum((x.values < level).astype(np.float64)) / x.layout.lengths


def _over(level: float) -> Callable[[Ragged], Float1d]:
    return lambda x: x.sum((x.values > level).astype(np.float64)) / x.layout.lengths


def _for_families(reducer: Reducer) -> Reducer:
    return replace(reducer, everywhere=False)


REDUCERS: dict[str, Reducer] = {
    reducer.name: reducer
    for reducer in (
        # Ghostbuster's own (Verma et al. 2024)
        Reducer("s-max", _largest, "largest unit", "highest value of {}", depends_on_length=True),
        Reducer("s-min", _smallest, "smallest unit", "lowest value of {}", depends_on_length=True),
        Reducer("s-avg", lambda x: x.mean, "mean", "average {}"),
        Reducer(
            "s-avg-top-25",
            _mean_of_top,
            "mean of the 25 largest, of all if fewer",
            "25 highest values of {}",
            depends_on_length=True,
        ),
        Reducer("s-len", _length, "number of units", "length in tokens", depends_on_length=True),
        Reducer("s-var", lambda x: x.variance, "population variance", "variation of {}"),
        Reducer(
            "s-l2",
            lambda x: np.sqrt(x.mean_square * x.layout.lengths),
            "root of the sum of squares",
            "total size of {}",
            depends_on_length=True,
        ),
        # free of length
        Reducer("s-std", lambda x: np.sqrt(x.variance), "population standard deviation", "variation of {}"),
        Reducer("s-rms", lambda x: np.sqrt(x.mean_square), "root mean square", "usual size of {}"),
        Reducer(
            "s-skew",
            dynamics.skewness,
            "third standardised moment; 0 where all units are the same",
            "lopsidedness of {}",
        ),
        Reducer(
            "s-kurt",
            dynamics.excess_kurtosis,
            "fourth standardised moment - 3; 0 where all units are the same",
            "rare extremes of {}",
        ),
        Reducer(
            "s-autocorr",
            dynamics.autocorrelation,
            "correlation of neighbours: sum d_t d_(t+1) / sum d_t^2",
            "likeness of neighbours in {}",
        ),
        Reducer(
            "s-p05",
            lambda x: x.quantile(0.05),
            "5th percentile, linear between neighbours",
            "lowest twentieth of {}",
        ),
        Reducer("s-p10", lambda x: x.quantile(0.10), "10th percentile", "lowest tenth of {}"),
        Reducer("s-p25", lambda x: x.quantile(0.25), "25th percentile", "lower quarter of {}"),
        Reducer("s-p50", lambda x: x.quantile(0.50), "median", "typical {}"),
        Reducer("s-p75", lambda x: x.quantile(0.75), "75th percentile", "upper quarter of {}"),
        Reducer("s-p90", lambda x: x.quantile(0.90), "90th percentile", "highest tenth of {}"),
        Reducer("s-p95", lambda x: x.quantile(0.95), "95th percentile", "highest twentieth of {}"),
        Reducer(
            "s-avg-top-quarter",
            lambda x: x.quarters[1],
            "mean of the largest quarter, rounded up",
            "highest quarter of {}",
        ),
        Reducer(
            "s-avg-bottom-quarter",
            lambda x: x.quarters[0],
            "mean of the smallest quarter, rounded up",
            "lowest quarter of {}",
        ),
        Reducer(
            "s-win-min",
            lambda x: dynamics.over_windows(x, np.minimum),
            "mean, over all windows of 16 neighbouring units, of the window's smallest",
            "low points, clause by clause, of {}",
        ),
        Reducer(
            "s-win-max",
            lambda x: dynamics.over_windows(x, np.maximum),
            "mean, over all windows of 16 neighbouring units, of the window's largest",
            "high points, clause by clause, of {}",
        ),
        *map(
            _for_families,
            (
                # differences of neighbours, and theirs: DivEye, Basani and Chen 2025, arXiv:2509.18880
                Reducer(
                    "s-diff-std",
                    lambda x: np.sqrt(x.differences.variance),
                    "population standard deviation of the differences between neighbours",
                    "jumps, from one to the next, of {}",
                ),
                Reducer(
                    "s-diff2-std",
                    lambda x: np.sqrt(x.differences.differences.variance),
                    "population standard deviation of the differences of these differences",
                    "changes of pace of {}",
                ),
                Reducer(
                    "s-diff2-entropy",
                    lambda x: dynamics.histogram_entropy(x.differences.differences),
                    "entropy (nats) of a histogram of them, 20 equal bins from smallest to largest",
                    "variety in the changes of pace of {}",
                ),
                Reducer(
                    "s-diff2-autocorr",
                    lambda x: dynamics.autocorrelation(x.differences.differences),
                    "correlation of neighbours among them",
                    "rhythm in the changes of pace of {}",
                ),
                # further moments of differences
                Reducer(
                    "s-diff-abs",
                    lambda x: _mean_size(x.differences),
                    "mean size of the differences between neighbours",
                    "usual jump, from one to the next, of {}",
                ),
                Reducer(
                    "s-diff-skew",
                    lambda x: dynamics.skewness(x.differences),
                    "third standardised moment of the differences between neighbours",
                    "lopsidedness of the jumps of {}",
                ),
                Reducer(
                    "s-diff-kurt",
                    lambda x: dynamics.excess_kurtosis(x.differences),
                    "fourth standardised moment - 3 of the differences between neighbours",
                    "rare large jumps of {}",
                ),
                # slow and fast
                Reducer(
                    "s-var-ratio-4",
                    lambda x: dynamics.variance_ratio(x, 4),
                    "4 times the variance of means of 4 neighbours over that of units; 1 for under 8 units",
                    "ups and downs over a phrase, of all those, of {}",
                    empty=1.0,
                ),
                Reducer(
                    "s-var-ratio-16",
                    lambda x: dynamics.variance_ratio(x, 16),
                    "16 times the variance of means of 16 over that of units; 1 for under 32 units",
                    "ups and downs over a sentence, of all those, of {}",
                    empty=1.0,
                ),
                # spectrum of likelihood: Xu et al. 2024, arXiv:2406.19874
                Reducer(
                    "s-spec-centroid",
                    dynamics.spectral_centroid,
                    "mean frequency, cycles a unit, where the periodogram weighs",
                    "speed of the ups and downs of {}",
                ),
                Reducer(
                    "s-spec-entropy",
                    dynamics.spectral_entropy,
                    "entropy of the periodogram's shares over the log of their number",
                    "irregularity of the ups and downs of {}",
                ),
                Reducer(
                    "s-spec-slow",
                    dynamics.slow_share,
                    "share of the periodogram at periods of eight units or longer",
                    "slow ups and downs, of all those, of {}",
                ),
                # diversity of patterns: Lastde, Xu et al. 2024, arXiv:2410.06072, with a fixed number of bins
                Reducer(
                    "s-diversity",
                    lambda x: dynamics.fixed_diversity(x, 1),
                    "diversity entropy of patterns of 3 units, 40 bins",
                    "variety of the patterns in {}",
                ),
                Reducer(
                    "s-diversity-5",
                    lambda x: dynamics.fixed_diversity(x, 5),
                    "the same of means of 5 neighbours",
                    "variety of the slow patterns in {}",
                ),
                Reducer(
                    "s-diversity-std",
                    lambda x: dynamics.diversity_spread(
                        x, np.full(x.layout.lengths.size, dynamics.DIVERSITY_BINS)
                    ),
                    "standard deviation (of a sample) of the same over means of 1 to 5 neighbours",
                    "difference between quick and slow patterns in {}",
                ),
                # both tails of the units
                Reducer("s-abs", _mean_size, "mean size", "usual size, whichever the sign, of {}"),
                *(
                    Reducer(
                        f"s-under-{n}", _under(-n), f"share of units below -{n}", f"share of {words} in {{}}"
                    )
                    for n, words in (
                        (2, "low places"),
                        (5, "very low places"),
                        (10, "extremely low places"),
                        (15, "the lowest places"),
                    )
                ),
                Reducer(
                    "s-over-minus-half",
                    _over(-0.5),
                    "share of units above -0.5",
                    "share of sure places in {}",
                ),
                *(
                    Reducer(f"s-over-{n}", _over(n), f"share of units above {n}", f"share of {words} in {{}}")
                    for n, words in ((1, "high places"), (5, "very high places"), (7, "the highest places"))
                ),
                # position
                Reducer(
                    "s-drift",
                    dynamics.drift,
                    "mean of the last half of the units less that of the first; the middle one is left out",
                    "change from the first to the second half of {}",
                ),
            ),
        ),
    )
}
