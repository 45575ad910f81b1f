"""Verdicts: label, reasons and evidence, from a calibrated probability and a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ghostbuster.decision.thresholds import Threshold
from ghostbuster.folds import MACHINE_FROM

Label = Literal["human", "machine", "unsure"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One feature's part in a verdict.

    Attributes
    ----------
    feature : str
        The feature's expression, or ``words '...'`` for a word or two neighbours.
    value : float
        What it measured in this text.
    contribution : float
        Log-odds (nats) it added; above 0 speaks for a machine.
    meaning : str
        The same for people: what it measures, how that compares with people's texts, which way it speaks.
    """

    feature: str
    value: float
    contribution: float
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the detector says of one text.

    Attributes
    ----------
    probability : float
        Calibrated probability that a machine wrote it, if machine and human texts were equally common; NaN
        for a text that was not judged.
    label : {"human", "machine", "unsure"}
    reasons : tuple of str
        Why this label; then what was changed in the text before it was read.
    n_tokens, n_words : int
        Length of the prepared text.
    evidence : tuple of Evidence
        What moved the score most, strongest first.
    readers : tuple of Evidence
        What each reader of the text (features, words, hidden states) said by itself, and added.
    threshold : float
        The probability from which this text, with its length, is called machine-written; NaN for a text that
        was not judged.
    """

    probability: float
    label: Label
    reasons: tuple[str, ...]
    n_tokens: int
    n_words: int
    evidence: tuple[Evidence, ...] = ()
    readers: tuple[Evidence, ...] = ()
    threshold: float = math.nan


def decide(probability: float, threshold: Threshold, doubts: Sequence[str]) -> tuple[Label, tuple[str, ...]]:
    """Label and reasons for one judged text.

    Parameters
    ----------
    probability : float
        Calibrated; NaN is allowed only together with a doubt.
    threshold : Threshold
        From its probability on, a text is called machine-written.
    doubts : sequence of str
        Reasons not to judge this text; any of them makes the label ``unsure``.
    """
    if doubts:
        return "unsure", tuple(doubts)
    if probability >= threshold.probability:
        return "machine", (f"probability {probability:.3f} is at or above {threshold}",)
    if probability < min(MACHINE_FROM, threshold.probability):
        return "human", (
            f"probability {probability:.3f} is below {min(MACHINE_FROM, threshold.probability):.3f}",
        )
    return "unsure", (f"too close to call: probability {probability:.3f} is above 0.5 and below {threshold}",)


def top_evidence(evidence: Sequence[Evidence], most: int = 5) -> tuple[Evidence, ...]:
    """The ``most`` with the largest contributions, either way; none that added nothing."""
    ranked = sorted(evidence, key=lambda one: -abs(one.contribution))[:most]
    return tuple(one for one in ranked if not math.isclose(one.contribution, 0.0, abs_tol=1e-9))
