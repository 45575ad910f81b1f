"""Readings to verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghostbuster.calibration import Calibration
from ghostbuster.familiarity import Familiarity, surprise, too_short
from ghostbuster.fitting import Fitted
from ghostbuster.reading import Reading
from ghostbuster.thresholds import Threshold
from ghostbuster.verdict import Verdict, decide, top_evidence


@dataclass(frozen=True)
class JudgeParts:
    """What a verdict is made with."""

    fitted: Fitted
    calibration: Calibration
    familiarity: Familiarity
    threshold: Threshold
    min_tokens: int


def judge_reading(reading: Reading, parts: JudgeParts) -> list[Verdict]:
    """A verdict for each text of a reading, in order; texts below the floor get no probability."""
    doubts = too_short(reading.n_tokens.tolist(), parts.min_tokens)
    long_enough = np.flatnonzero([not doubt for doubt in doubts])
    judged = iter(_judge_long(reading.take(long_enough), parts) if long_enough.size else [])
    return [
        _unjudged(reading, i, doubt, parts.threshold) if doubt else next(judged)
        for i, doubt in enumerate(doubts)
    ]


def _judge_long(reading: Reading, parts: JudgeParts) -> list[Verdict]:
    matrix = parts.fitted.matrix(reading.vectors)
    probabilities = parts.calibration.probability(parts.fitted.head.raw_score(matrix))
    contributions = parts.fitted.head.contributions(matrix)
    doubts = parts.familiarity.doubts(matrix, surprise(reading))
    names = [str(feature) for feature in parts.fitted.features]
    verdicts = []
    for i, prepared in enumerate(reading.prepared):
        label, reasons = decide(float(probabilities[i]), parts.threshold, doubts[i])
        verdicts.append(
            Verdict(
                probability=float(probabilities[i]),
                label=label,
                reasons=reasons + prepared.notes,
                n_tokens=int(reading.n_tokens[i]),
                n_words=prepared.n_words,
                evidence=top_evidence(names, matrix[i].tolist(), contributions[i].tolist()),
            )
        )
    return verdicts


def _unjudged(reading: Reading, i: int, doubts: list[str], threshold: Threshold) -> Verdict:
    label, reasons = decide(float("nan"), threshold, doubts)
    prepared = reading.prepared[i]
    return Verdict(float("nan"), label, reasons + prepared.notes, int(reading.n_tokens[i]), prepared.n_words)
