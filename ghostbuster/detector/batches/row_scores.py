"""What a row of a table is given for its text: a verdict's number and label, or a number alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ghostbuster.detector.detector import Detector
from ghostbuster.tables.journal import Score


def verdict_scores(detector: Detector) -> Callable[[list[str]], Sequence[Score]]:
    """Texts to probability and label, or why a text was refused."""

    def judge(texts: list[str]) -> Sequence[Score]:
        reading = detector.read(texts)
        return [
            Score(None if math.isnan(one.probability) else one.probability, one.label, text.refusal)
            for one, text in zip(detector.judge_reading(reading), reading.prepared, strict=True)
        ]

    return judge


def submission_scores(detector: Detector) -> Callable[[list[str]], Sequence[Score]]:
    """Texts to a number for every one that has a word, however short."""

    def judge(texts: list[str]) -> Sequence[Score]:
        reading = detector.read(texts)
        filled = np.flatnonzero(reading.vectors.lengths)
        scores = [Score(None, None, one.refusal) for one in reading.prepared]
        if filled.size:
            probabilities = detector.probability_of(reading.take(filled)).tolist()
            for i, probability in zip(filled.tolist(), probabilities, strict=True):
                scores[i] = Score(probability)
        return scores

    return judge
