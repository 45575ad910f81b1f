"""Thresholds by length of text: short texts are harder, so one threshold would wrong some people more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d, Int1d
from ghostbuster.decision.thresholds import HELD_OUT, RATES, SOME, Threshold, thresholds, worst_share
from ghostbuster.metrics.classification import clopper_pearson, threshold_at_fpr

EDGES = (150, 250, 400, 800)
"""Tokens from which a longer band begins, where enough people wrote such texts."""
MOST_IN_A_SOURCE = 2.0
"""Times the promised rate that people of one source may be called machine, of those that were held out."""
_JUST = 1e-9
EXPECTED = 5
"""False alarms that a band must be large enough to expect; a smaller one is joined with its neighbour."""


def thresholds_by_length(
    human_probability: Float1d,
    n_tokens: Int1d,
    rates: Sequence[float] = RATES,
    sources: AnyArray | None = None,
) -> tuple[Threshold, ...]:
    """`thresholds`, each kept by length and, within limits, by source; parameters as those of `by_length`."""
    made = thresholds(human_probability, rates, sources)
    return tuple(by_length(one, human_probability, n_tokens, sources) for one in made)


def by_length(
    threshold: Threshold, human_probability: Float1d, n_tokens: Int1d, sources: AnyArray | None = None
) -> Threshold:
    """The same promise, kept in each length band by itself, and never broken badly in a source.

    Each band's threshold is the conformal quantile of its human texts: at most ``rate * (n + 1) - 1`` of them
    reach it, so that the next person's text of such a length does with a probability of at most ``rate``,
    if it is as those are. Then all bands are raised alike, in log-odds, until no source of `SOME` human texts
    has more than `MOST_IN_A_SOURCE` times the rate.

    Parameters
    ----------
    threshold : Threshold
        Of all human texts.
    human_probability : array of shape (n_human,)
        Probability of machine of human texts that training has not seen.
    n_tokens : array of shape (n_human,)
        Their lengths.
    sources : array of shape (n_human,), optional
        Where each text comes from.

    Returns
    -------
    Threshold
        With bands, where there are enough texts for two, and with the shares called machine under them.

    References
    ----------
    Zhu et al., "Reliably Bounding False Positives: A Zero-Shot Machine-Generated Text Detection Framework via
    Multiscaled Conformal Prediction", arXiv:2505.05084; Vovk, "Conditional validity of inductive conformal
    predictors", ACML 2012.
    """
    starts = _band_starts(n_tokens, threshold.rate)
    band = np.searchsorted(starts, n_tokens, side="right") - 1
    least = np.array([threshold.probability])
    if len(starts) > 1:
        least = np.array(
            [_conformal(human_probability[band == k], threshold.rate) for k in range(len(starts))]
        )
    least = _raised(least, human_probability, band, sources, threshold.rate)
    called = human_probability >= least[band]
    whole = replace(
        threshold,
        probability=float(least[0]) if len(starts) == 1 else threshold.probability,
        fpr=clopper_pearson(int(called.sum()), int(called.size)),
        worst=worst_share(called, sources),
    )
    if len(starts) == 1:  # one band is no band
        return whole
    lengths = [
        f"{first} tokens or more" if k + 1 == len(starts) else f"{first} to {starts[k + 1] - 1} tokens"
        for k, first in enumerate(starts)
    ]
    lengths[0] = f"fewer than {starts[1]} tokens"
    bands = tuple(
        replace(
            whole,
            probability=float(least[k]),
            fpr=clopper_pearson(int(called[band == k].sum()), int(np.sum(band == k))),
            n_human=int(np.sum(band == k)),
            n_sources=1 if sources is None else int(np.unique(sources[band == k]).size),
            worst=worst_share(called[band == k], None if sources is None else sources[band == k]),
            about=f"{HELD_OUT} of {lengths[k]}",
            from_tokens=first,
        )
        for k, first in enumerate(starts)
    )
    return replace(whole, bands=bands)


def _band_starts(n_tokens: Int1d, rate: float) -> list[int]:
    """Shortest length of each band, the first 0; each band holds enough texts."""
    starts = [0]
    for edge in EDGES:
        here = np.sum((n_tokens >= starts[-1]) & (n_tokens < edge))
        longer = np.sum(n_tokens >= edge)
        if min(here, longer) * rate >= EXPECTED:
            starts.append(edge)
    return starts


def _conformal(human: Float1d, rate: float) -> float:
    """Just above the human score that may be exceeded by ``rate * (n + 1) - 1`` others."""
    allowed = max(int(np.floor(rate * (human.size + 1) + 1e-9)) - 1, 0)
    return float(np.nextafter(np.sort(human)[human.size - 1 - allowed], np.inf))


def _raised(least: Float1d, human: Float1d, band: Int1d, sources: AnyArray | None, rate: float) -> Float1d:
    """Thresholds, each raised by as many log-odds as the source needs whose people are called most often."""
    names, sizes = np.unique([] if sources is None else sources, return_counts=True)
    above = _log_odds(human) - _log_odds(least)[band]  # texts at 0 and above are called
    needed = [
        threshold_at_fpr(above[sources == name], MOST_IN_A_SOURCE * rate) for name in names[sizes >= SOME]
    ]
    rise = max(needed, default=-np.inf)
    if rise < 0:
        return least
    odds = np.exp(_log_odds(least) + rise + _JUST)  # who stands there is called no longer
    return np.asarray(np.maximum(least, odds / (1 + odds)))


def _log_odds(probability: Float1d) -> Float1d:
    inside = np.clip(probability, 1e-15, 1 - 1e-15)
    return np.asarray(np.log(inside) - np.log1p(-inside))
