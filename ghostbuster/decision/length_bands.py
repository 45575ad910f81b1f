"""Thresholds by length of text: short texts are harder, so one threshold would wrong some people more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ghostbuster.arrays import AnyArray, Bool1d, Float1d, Int1d
from ghostbuster.decision.thresholds import ENOUGH, HELD_OUT, RATES, Threshold, thresholds
from ghostbuster.metrics.classification import clopper_pearson

EDGES = (150, 250, 400, 800)
"""Tokens from which a longer band begins, where enough people wrote such texts."""
EXPECTED = 5
"""False alarms that a band must be large enough to expect; a smaller one is joined with its neighbour."""


def thresholds_by_length(
    human_probability: Float1d,
    n_tokens: Int1d,
    rates: Sequence[float] = RATES,
    sources: AnyArray | None = None,
) -> tuple[Threshold, ...]:
    """`thresholds`, each kept in every length band with enough texts; parameters as those of `by_length`."""
    made = thresholds(human_probability, rates, sources)
    return tuple(by_length(one, human_probability, n_tokens, sources) for one in made)


def by_length(
    threshold: Threshold, human_probability: Float1d, n_tokens: Int1d, sources: AnyArray | None = None
) -> Threshold:
    """The same promise, kept in each length band by itself.

    Each band's threshold is the conformal quantile of its human texts: at most ``rate * (n + 1) - 1`` of them
    reach it, so that the next person's text of such a length does with a probability of at most ``rate``,
    if it is as those are.

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
        With bands, and with the shares called machine under them; as it was where there are too few texts
        for two bands.

    References
    ----------
    Zhu et al., "Reliably Bounding False Positives: A Zero-Shot Machine-Generated Text Detection Framework via
    Multiscaled Conformal Prediction", arXiv:2505.05084; Vovk, "Conditional validity of inductive conformal
    predictors", ACML 2012.
    """
    starts = _band_starts(n_tokens, threshold.rate)
    if len(starts) < 2:  # noqa: PLR2004 - one band is no band
        return threshold
    bands = []
    called = np.zeros(n_tokens.size, dtype=bool)
    for first, end in zip(starts, [*starts[1:], None], strict=True):
        rows = (n_tokens >= first) & (n_tokens < (np.inf if end is None else end))
        highest = _conformal(human_probability[rows], threshold.rate)
        called |= rows & (human_probability >= highest)
        lengths = f"{first} tokens or more" if end is None else f"{first} to {end - 1} tokens"
        lengths = lengths if first else f"fewer than {end} tokens"
        bands.append((first, highest, rows, f"{HELD_OUT} of {lengths}"))
    made = tuple(
        replace(
            threshold,
            probability=highest,
            fpr=clopper_pearson(int(called[rows].sum()), int(rows.sum())),
            n_human=int(rows.sum()),
            n_sources=1 if sources is None else int(np.unique(sources[rows]).size),
            worst=_worst(called, rows, sources),
            about=about,
            from_tokens=first,
        )
        for first, highest, rows, about in bands
    )
    fpr = clopper_pearson(int(called.sum()), int(called.size))
    return replace(threshold, fpr=fpr, worst=_worst(called, np.ones_like(called), sources), bands=made)


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


def _worst(called: Bool1d, rows: Bool1d, sources: AnyArray | None) -> float:
    """The highest share called machine in a source of `ENOUGH` of these texts; of all where there is none."""
    shares = [
        float(np.mean(called[rows & (sources == name)]))
        for name in ([] if sources is None else np.unique(sources[rows]))
        if np.sum(rows & (sources == name)) >= ENOUGH
    ]
    return max(shares, default=float(np.mean(called[rows])))
