"""Figures as cells of a table and as words of a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figure = Mapping[str, Any]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def percent(value: float) -> str:
    """A share, as precise as it is worth: 0.4 %, 12 %; 0 % and 100 % only where exact."""
    points = 100 * value
    if 99.95 <= points < 100:
        return "over 99.9 %"
    if 0 < points < 10 or 99 < points < 100:
        return f"{points:.1f} %" if points >= 0.05 else "under 0.1 %"
    return f"{points:.0f} %"


def interval(one: Figure) -> str:
    """The interval of a share, in percent."""
    low, high = 100 * one["low"], 100 * one["high"]
    form = ".1f" if high < 10 else ".0f"
    return f"[{low:{form}}, {high:{form}}]"


def share(one: Figure | None) -> str:
    """A share with its interval, and of how many texts."""
    return "-" if one is None else f"{percent(one['value'])} {interval(one)} of {one['n']:,}"


def plain_share(one: Figure | None) -> str:
    """A share with its interval."""
    return "-" if one is None else f"{percent(one['value'])} {interval(one)}"


def number(one: Figure | float | None, digits: int = 3) -> str:
    """A metric between 0 and 1, with its interval where it has one."""
    if one is None:
        return "-"
    if not isinstance(one, Mapping):
        return f"{one:.{digits}f}"
    return f"{one['value']:.{digits}f} [{one['low']:.{digits}f}, {one['high']:.{digits}f}]"


def in_words(one: Figure, noun: str) -> str:
    """A share in a sentence: ``1.7 % of 3,000 texts (95 % interval 1.3 to 2.2)``."""
    low, high = interval(one)[1:-1].split(", ")
    return f"{percent(one['value'])} of {one['n']:,} {noun} (95 % interval {low} to {high})"
