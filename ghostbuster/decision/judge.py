"""Readings to verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Bool1d, Int1d
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.explain import compared, in_words, term_in_words
from ghostbuster.decision.novelty import Familiarity, english_share, lone_letters, surprise, too_short
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Evidence, Verdict, decide, top_evidence
from ghostbuster.heads.scorer import Fitted
from ghostbuster.reading.read import Reading


@dataclass(frozen=True)
class JudgeParts:
    """What a verdict is made with."""

    fitted: Fitted
    calibration: Calibration
    familiarity: Familiarity
    threshold: Threshold
    min_tokens: int
    percentiles: Percentiles | None = None


def judge_reading(reading: Reading, parts: JudgeParts) -> list[Verdict]:
    """A verdict for each text of a reading, in order; too short or too long ones get no probability."""
    short = too_short(reading.n_tokens.tolist(), parts.min_tokens)
    doubts = [
        [one.refusal] if one.refusal else doubt for one, doubt in zip(reading.prepared, short, strict=True)
    ]
    long_enough = np.flatnonzero([not doubt for doubt in doubts])
    judged = iter(_judge_long(reading.take(long_enough), parts) if long_enough.size else [])
    return [
        _unjudged(reading, i, doubt, parts.threshold) if doubt else next(judged)
        for i, doubt in enumerate(doubts)
    ]


def judged_people(people: Bool1d, reading: Reading, min_tokens: int) -> Bool1d:
    """Texts by people that are long enough to be judged; all by people, where none is.

    Shorter ones are never called machine: counting them would make a promise look kept.
    """
    long_enough = people & (reading.n_tokens >= min_tokens)
    return long_enough if long_enough.any() else people


def is_judged(reading: Reading, parts: JudgeParts) -> Int1d:
    """Indices of the texts that get a probability and no doubt, shape (n_judged,)."""
    long_enough = np.flatnonzero(reading.n_tokens >= parts.min_tokens)
    if not long_enough.size:
        return long_enough
    chosen = reading.take(long_enough)
    matrix = parts.fitted.matrix(chosen.vectors)
    doubts = _doubts(matrix, chosen, parts)
    return long_enough[[not doubt for doubt in doubts]]


def _doubts(matrix: npt.NDArray[np.float64], reading: Reading, parts: JudgeParts) -> list[list[str]]:
    """Why each text should not be judged."""
    about = surprise(reading), english_share(reading), lone_letters(reading)
    return parts.familiarity.doubts(matrix, *about)


def _judge_long(reading: Reading, parts: JudgeParts) -> list[Verdict]:
    matrix = parts.fitted.matrix(reading.vectors)
    probabilities = parts.calibration.probability(parts.fitted.raw_score(matrix, reading.texts))
    of_features = feature_evidence(matrix, parts)
    doubts = _doubts(matrix, reading, parts)
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
                evidence=top_evidence(of_features[i] + _of_words(prepared.text, parts.fitted)),
            )
        )
    return verdicts


def feature_evidence(matrix: npt.NDArray[np.float64], parts: JudgeParts) -> list[list[Evidence]]:
    """What each feature added to each text's score, exactly, and what that means."""
    added = parts.fitted.head.contributions(matrix) * parts.fitted.mix[0]
    features = [(str(feature), in_words(feature)) for feature in parts.fitted.features]
    percent = None if parts.percentiles is None else parts.percentiles.of(matrix)
    made = []
    for i in range(len(matrix)):
        row = []
        for j, (name, meaning) in enumerate(features):
            place = "" if percent is None else f": {compared(float(percent[i, j]))}"
            value, share = float(matrix[i, j]), float(added[i, j])
            row.append(Evidence(name, value, share, f"{meaning}{place}, which {_speaks(share)}"))
        made.append(row)
    return made


def _speaks(contribution: float) -> str:
    return f"speaks for {'a machine' if contribution > 0 else 'a person'}"


def _of_words(text: str, fitted: Fitted) -> list[Evidence]:
    """What each word or pair of words added."""
    if fitted.lexicon is None:
        return []
    return [
        Evidence(
            f"words {term!r}",
            value,
            added * fitted.mix[1],
            f"{term_in_words(term)}, which {_speaks(added)}",
        )
        for term, value, added in fitted.lexicon.contributions(text)
    ]


def _unjudged(reading: Reading, i: int, doubts: list[str], threshold: Threshold) -> Verdict:
    label, reasons = decide(float("nan"), threshold, doubts)
    prepared = reading.prepared[i]
    return Verdict(float("nan"), label, reasons + prepared.notes, int(reading.n_tokens[i]), prepared.n_words)
