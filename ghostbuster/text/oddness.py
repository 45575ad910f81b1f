"""How unlike prose a text looks: log-odds, learned by ``benchmarks/robustness/not_prose.py``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ghostbuster.text.surface import NAMES

BASE = -12.09
"""Log-odds (nats) of a text that looks like prose in everything."""
LEAST_ODD = 2.4
"""Log-odds from which on a text is called no prose: fewer than 0.2 % of labelled prose reach it."""
PROSE_HAS = frozenset({"function words", "least function words", "plain words", "words in sentences"})
"""Shares that prose has much of: what counts of these is how much is missing."""
SEGMENTS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "digits": (
        (0.014, 0.061, 3),
        (0.106, 0.147, 7.3),
    ),
    "function words": (
        (0, 0.552, 1.1),
        (0.552, 0.654, 13.1),
        (0.654, 0.746, 6),
        (0.746, 0.945, 2.5),
        (0.945, 0.985, 73.8),
        (0.985, 1, 244.5),
    ),
    "least function words": (
        (0, 0.583, 0.7),
        (0.583, 0.7, 1.5),
        (0.7, 0.817, 9),
        (0.983, 1, 101.3),
    ),
    "plain words": ((0.054, 0.154, 23.3),),
    "code words": (
        (0.008, 0.045, 64.4),
        (0.045, 0.159, 1.7),
        (0.324, 1, 0.2),
    ),
    "capitals": ((0.316, 0.49, 8.5),),
    "entries": (
        (0.042, 0.087, 155.5),
        (0.087, 1, 12.5),
    ),
    "words in sentences": ((0, 0.047, 45.9),),
    "loose lines": (
        (0, 0.087, 44.5),
        (0.087, 0.613, 7.6),
        (0.613, 0.918, 4.6),
        (0.918, 1, 8.3),
    ),
    "indented lines": (
        (0, 0.833, 1.4),
        (0.833, 0.859, 85.4),
        (0.859, 1, 16.8),
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
