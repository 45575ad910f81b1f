"""How unlike prose a text looks: log-odds, learned by ``benchmarks/robustness/not_prose.py``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ghostbuster.text.surface import NAMES

BASE = -10.74
"""Log-odds (nats) of a text that looks like prose in everything."""
LEAST_ODD = 3.1
"""Log-odds from which on a text is called no prose: fewer than 0.2 % of labelled prose reach it."""
PROSE_HAS = frozenset({"function words", "least function words", "plain words", "words in sentences"})
"""Shares that prose has much of: what counts of these is how much is missing."""
SEGMENTS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "digits": (
        (0, 0.014, 5.8),
        (0.094, 0.146, 39),
    ),
    "function words": (
        (0, 0.549, 1.2),
        (0.549, 0.65, 2.7),
        (0.65, 0.745, 23.8),
        (0.745, 0.936, 14.9),
        (0.936, 0.971, 45.5),
        (0.971, 1, 93.8),
    ),
    "least function words": (
        (0, 0.583, 1.2),
        (0.583, 0.7, 2.9),
        (0.7, 0.817, 8.7),
    ),
    "plain words": (
        (0.01, 0.056, 23.4),
        (0.056, 0.162, 26.2),
    ),
    "code words": ((0.01, 0.062, 17.4),),
    "capitals": (
        (0.093, 0.172, 0.5),
        (0.172, 0.203, 0.2),
        (0.203, 0.313, 1.5),
        (0.313, 0.506, 5.7),
    ),
    "entries": (
        (0.008, 0.039, 35.6),
        (0.039, 0.088, 90),
    ),
    "words in sentences": ((0, 0.051, 19.7),),
    "loose lines": (
        (0, 0.092, 39.1),
        (0.092, 0.549, 6.8),
    ),
    "indented lines": (
        (0, 0.833, 1.4),
        (0.833, 0.864, 55.4),
        (0.864, 1, 13.4),
    ),
}
"""For each share, stretches (from, to, nats per unit) that add so much where it crosses them."""


def oddness(shares: Sequence[float]) -> float:
    """Log-odds (nats) that a text is no prose, by the shares that ``surface.look`` measured."""
    return BASE + math.fsum(
        weight * (min(max(value, start), stop) - start)
        for name, share in zip(NAMES, shares, strict=True)
        for value in [1 - share if name in PROSE_HAS else share]
        for start, stop, weight in SEGMENTS.get(name, ())
    )
