"""Numbers of a verdict, and the promise behind them, in words that a teacher can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostbuster.decision.thresholds import Threshold
    from ghostbuster.decision.verdict import Evidence
    from ghostbuster.detector.passages import Passages

CLASS = 30
"""Texts in the example of a class in which everybody wrote their own."""
SHARES = (2, 5, 20, 100)
"""One in how many texts might be machine-written, in the table of other shares."""

OPEN = 0.75
"""An interval of a share that is wider leaves open how much a machine wrote."""

LABELS = {"machine": "machine-written", "human": "human-written", "unsure": "unsure"}

_WORDS = re.compile(r"words (['\"])(.*)\1", re.DOTALL)


def percent(share: float) -> str:
    """A share as a percentage: two significant digits, three near 100 %; 0 % and 100 % only where exact."""
    if 0 < share < 0.0001:  # noqa: PLR2004
        return "under 0.01\u00a0%"
    if 0.995 <= share < 1:  # noqa: PLR2004 - two digits would round it to 100 %
        return "over 99.9\u00a0%" if share >= 0.9995 else f"{100 * share:.1f}\u00a0%"  # noqa: PLR2004
    return f"{100 * share:.0f}\u00a0%" if share >= 0.1 else f"{100 * share:.2g}\u00a0%"  # noqa: PLR2004


def decimals(probability: float) -> str:
    """A probability with three decimals; never 1.000 or 0.000 where it is not exact."""
    if probability >= 0.9995:  # noqa: PLR2004
        return "over 0.999"
    return "under 0.001" if probability < 0.0005 else f"{probability:.3f}"  # noqa: PLR2004


def promise(threshold: Threshold) -> str:
    """The threshold and its false-positive rate, with interval, as sentences."""
    fpr = threshold.fpr
    if threshold.lowest > 1:
        return (
            f"This detector calls no text machine-written: the {threshold.n_human:,} texts by people that it "
            f"was measured on are too few to promise {percent(threshold.rate)}."
        )
    return (
        f"A text is called machine-written from {from_where(threshold)}. Of {threshold.n_human:,} "
        f"texts by people that the detector had never seen, {percent(fpr.value)} scored that high "
        f"(95\u00a0% interval {percent(fpr.low)} to {percent(fpr.high)})."
    )


def from_where(threshold: Threshold) -> str:
    """The probability from which a text is called machine-written; a range where it hangs on the length."""
    low, high = (f"{one:.3f}" for one in (threshold.lowest, threshold.highest))
    return f"{low} on" if low == high else f"{low} to {high} on, by its length"


def in_a_class(threshold: Threshold) -> str:
    """The chance of at least one false accusation in a class of ``CLASS`` people, as a sentence."""
    wronged = 1 - (1 - threshold.fpr.value) ** CLASS
    if not wronged:
        return (
            f"None of those people was accused; with so many texts as were measured, up to "
            f"{percent(threshold.fpr.high)} might be."
        )
    return (
        f"So if all {CLASS} people of a class wrote their texts themselves, the chance that at least one of "
        f"them is called machine-written is still about {percent(wronged)}."
    )


def other_shares(probability: float) -> list[tuple[str, str]]:
    """The probability at other base rates: where machine-written texts are rarer than human ones.

    Bayes' rule: the posterior odds are ``p / (1 - p)`` times ``1 / (n - 1)`` where one text in n is
    machine-written; the stated probability holds for n = 2.
    """
    odds = probability / max(1.0 - probability, 1e-15)
    made = []
    for n in SHARES:
        posterior = odds / (odds + n - 1)
        made.append((f"1 text in {n}", decimals(posterior)))
    return made


def evidence_in_words(one: Evidence) -> tuple[str, str]:
    """What a piece of evidence measures, in words, and the feature's expression where it adds to them."""
    found = _WORDS.fullmatch(one.feature)
    if one.meaning:
        return one.meaning, "" if found else one.feature
    if not found:
        return "", one.feature
    term = found[2]
    if " " in term:
        return f"\u201c{term}\u201d side by side", ""
    kind = "word" if term.isalnum() else "mark"
    return f"the {kind} \u201c{term}\u201d", ""


def share_in_words(passages: Passages) -> str:
    """How much of a text is machine-written, as its passages tell, as a sentence; why not, where they do not.

    The words are never stronger than the interval: it is stated whole, and called open where it is wide.
    """
    share = passages.share
    if share is None:
        reason = passages.reason or "every window is unlike the texts the detector knows"
        return f"No share of machine-written passages: {reason}."
    n = sum(not window.doubts for window in passages.windows)
    bounds = f"{_share(share.low)} to {_share(share.high)}"
    if share.high - share.low > OPEN:
        return (
            f"How much of it a machine wrote stays open: {n} windows allow a share of {bounds} (95\u00a0% "
            "interval)."
        )
    return (
        f"Share of its passages that a machine wrote: {bounds} (95\u00a0% interval), most likely "
        f"{_share(share.value)}, by {n} windows. The promise about people says nothing of passages."
    )


def _share(value: float) -> str:
    """In whole percent: an estimate of few windows is worth no more."""
    return f"{100 * value:.0f}\u00a0%"


def without_notes(reasons: Sequence[str], notes: Sequence[str]) -> tuple[str, ...]:
    """The reasons of a verdict without the notes on what was changed in the text."""
    kept = len(reasons) - len(notes)
    return tuple(reasons[:kept]) if tuple(reasons[kept:]) == tuple(notes) else tuple(reasons)
