"""Shape of a vector within each text: moments, windows, scales, spectrum, diversity of patterns, drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d, Int1d
from ghostbuster.features.ragged import Layout, Ragged, segment_sums

WINDOW_DOUBLINGS = 4
WINDOW = 2**WINDOW_DOUBLINGS  # units, a short clause; a text of fewer is one window
HISTOGRAM_BINS = 20
DIVERSITY_BINS = 40  # of cosines between -1 and 1: far fewer than a text has, so that length says little
SCALES = 5
PATTERN = 3  # units of one pattern
SLOW = 1 / 8  # cycles a unit; below it a period is eight units or longer


def _over_variance(x: Ragged, moment: Float1d, power: float) -> Float1d:
    """Standardised moment; 0 for a text whose units are all the same."""
    scale = np.where(x.varies, x.variance, 1.0) ** power
    return np.where(x.varies, moment / scale, 0.0)


def skewness(x: Ragged) -> Float1d:
    """Third standardised moment."""
    return _over_variance(x, x.sum(x.squares * x.deviations) / x.layout.lengths, 1.5)


def excess_kurtosis(x: Ragged) -> Float1d:
    """Fourth standardised moment less 3; 0 where all units are the same."""
    fourth = _over_variance(x, x.sum(x.squares * x.squares) / x.layout.lengths, 2.0)
    return np.where(x.varies, fourth - 3.0, 0.0)


def autocorrelation(x: Ragged) -> Float1d:
    """Correlation of neighbouring units."""
    neighbours = np.zeros_like(x.values)
    np.multiply(x.deviations[:-1], x.deviations[1:], out=neighbours[:-1])
    neighbours[x.layout.ends - 1] = 0.0  # the last unit's neighbour is in another text
    return _over_variance(x, x.sum(neighbours) / x.layout.lengths, 1.0)


def over_windows(x: Ragged, choose: np.ufunc) -> Float1d:
    """Mean over all windows of the smallest or largest unit of each."""
    best = x.single
    for doubling in range(WINDOW_DOUBLINGS):
        if best.size <= 2**doubling:
            break
        best = choose(best[: -(2**doubling)], best[2**doubling :])
    values: Float1d = choose.reduceat(x.values, x.layout.starts)
    long = x.layout.lengths >= WINDOW
    if long.any():
        n = x.layout.lengths[long] - WINDOW + 1
        first = x.layout.starts[long]
        values[long] = segment_sums(best, first, first + n) / n
    return values


def shares_entropy(codes: Int1d, owner: Int1d, n_codes: Int1d) -> Float1d:
    """Entropy in nats of how often each code comes in each text.

    Parameters
    ----------
    codes, owner : arrays of shape (n_counted,)
        Code, from 0 on, and text of each counted thing.
    n_codes : array of shape (n_texts,)
        How many codes each text has.

    Returns
    -------
    array of shape (n_texts,); 0 where nothing was counted
    """
    layout = Layout(n_codes)
    counts = np.bincount(layout.starts[owner] + codes, minlength=int(layout.ends[-1])).astype(np.float64)
    totals = np.maximum(np.add.reduceat(counts, layout.starts), 1.0)
    shares = counts / np.repeat(totals, n_codes)
    terms = shares * np.log(np.where(shares > 0, shares, 1.0))
    return np.maximum(-np.add.reduceat(terms, layout.starts), 0.0)


def histogram_entropy(x: Ragged) -> Float1d:
    """Entropy, nats, of a histogram of 20 equal bins from a text's smallest to its largest unit."""
    low = np.minimum.reduceat(x.values, x.layout.starts)
    span = np.maximum.reduceat(x.values, x.layout.starts) - low
    place = (x.values - x.spread(low)) / x.spread(np.where(x.varies, span, np.inf))
    codes = np.clip((place * HISTOGRAM_BINS).astype(np.intp), 0, HISTOGRAM_BINS - 1)
    return shares_entropy(codes, x.layout.texts, np.full(x.layout.lengths.size, HISTOGRAM_BINS))


def window_sums(values: Float1d, width: int) -> Float1d:
    """Sum of each unit and the ``width - 1`` that follow, (n_units - width + 1,)."""
    sums = values[: max(values.size - width + 1, 0)].copy()
    for shift in range(1, width):
        sums += values[shift : shift + sums.size]
    return sums


def variance_ratio(x: Ragged, width: int) -> Float1d:
    """``width`` times the variance of means of ``width`` neighbours, over that of units; 1 says nothing.

    References
    ----------
    Lo and MacKinlay, "Stock Market Prices Do Not Follow Random Walks", Rev. Financial Studies 1 (1988).
    """
    ratio = np.ones(x.layout.lengths.size)
    long = x.varies & (x.layout.lengths >= 2 * width)
    if long.any():
        n = x.layout.lengths[long] - width + 1
        first = x.layout.starts[long]
        squares = np.square(window_sums(x.deviations, width) / width)
        ratio[long] = width * segment_sums(squares, first, first + n) / n / x.variance[long]
    return ratio


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Power of each text at 1, 2, ... cycles a text; one frequency without power where it has one unit."""

    power: Ragged
    frequency: Float1d

    def share(self, weight: Float1d) -> Float1d:
        """Weighted share of the power, (n_texts,); 0 where there is none."""
        total = self.power.total
        weighted = self.power.sum(self.power.values * weight)
        return np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)


def spectrum(x: Ragged) -> Spectrum:
    """Periodogram of the units of each text less their mean."""
    layout = Layout(np.maximum(x.layout.lengths // 2, 1))
    power = np.zeros(int(layout.ends[-1]))
    varies = np.flatnonzero(x.varies)
    scaled = x.deviations / x.spread(np.sqrt(np.where(x.varies, x.variance, 1.0)))
    for i in varies.tolist():  # one by one: a text's numbers may not hang on its neighbours
        units = scaled[x.layout.starts[i] : x.layout.ends[i]]
        power[layout.starts[i] : layout.ends[i]] = np.square(np.abs(np.fft.rfft(units)[1:]))
    cycles = 1 + np.arange(power.size) - np.repeat(layout.starts, layout.lengths)
    frequency = cycles / np.repeat(x.layout.lengths, layout.lengths)
    return Spectrum(Ragged(power, layout), frequency)


def spectral_centroid(x: Ragged) -> Float1d:
    """Mean frequency, cycles a unit, where power weighs: 0.25 for units that do not hang together."""
    made = spectrum(x)
    return made.share(made.frequency)


def slow_share(x: Ragged) -> Float1d:
    """Share of the power at periods of eight units or longer."""
    made = spectrum(x)
    return made.share((made.frequency <= SLOW).astype(np.float64))


def spectral_entropy(x: Ragged) -> Float1d:
    """Entropy of the shares of power, over the log of how many frequencies there are."""
    power = spectrum(x).power
    shares = power.values / power.spread(np.where(power.total > 0, power.total, 1.0))
    entropy = -power.sum(shares * np.log(np.where(shares > 0, shares, 1.0)))
    return entropy / np.log(np.maximum(power.layout.lengths, 2))


def diversity(x: Ragged, scale: int, n_bins: Int1d) -> Float1d:
    """Diversity entropy: how evenly the cosines of neighbouring patterns of three fill their bins, 0 to 1.

    Parameters
    ----------
    scale : int
        Units are first averaged over so many neighbours.
    n_bins : array of shape (n_texts,)
        Equal bins between -1 and 1, at least 2.

    Returns
    -------
    array of shape (n_texts,); 0 for a text of ``scale + 2`` units or fewer

    References
    ----------
    Xu et al. 2024 (Lastde), arXiv:2410.06072, after Wang et al., "Multiscale Diversity Entropy", 2021.
    """
    means = window_sums(x.values, scale)
    own = window_sums(means * means, PATTERN)
    with_next = window_sums(means[:-1] * means[1:], PATTERN)
    size = with_next.size
    norm = np.sqrt(own[:size] * own[1 : size + 1])
    cosine = np.divide(with_next, norm, out=np.zeros(size), where=norm > 0)
    counted = np.flatnonzero(x.layout.left[:size] > scale + PATTERN - 1)
    owner = x.layout.texts[counted]
    bins = n_bins[owner]
    codes = np.clip(((cosine[counted] + 1) / 2 * bins).astype(np.intp), 0, bins - 1)
    return shares_entropy(codes, owner, n_bins) / np.log(n_bins)


def fixed_diversity(x: Ragged, scale: int) -> Float1d:
    """``diversity`` with as many bins for every text."""
    return diversity(x, scale, np.full(x.layout.lengths.size, DIVERSITY_BINS))


def diversity_spread(x: Ragged, n_bins: Int1d) -> Float1d:
    """Standard deviation (of a sample) of ``diversity`` over the scales 1 to 5."""
    spread: Float1d = np.std([diversity(x, scale, n_bins) for scale in range(1, SCALES + 1)], axis=0, ddof=1)
    return spread


def drift(x: Ragged) -> Float1d:
    """Mean of the last half of the units less that of the first half."""
    n = np.maximum(x.layout.lengths // 2, 1)
    first, last = x.layout.starts, x.layout.ends
    return (segment_sums(x.values, last - n, last) - segment_sums(x.values, first, first + n)) / n
