"""Judge texts already read: probability, out-of-distribution checks, label, evidence."""

from __future__ import annotations

import numpy as np

from ghostbuster.arrays import Bool1d, Float1d, Float2d, Int1d
from ghostbuster.decision.explain import READER_WORDS, compared, in_words, term_in_words
from ghostbuster.decision.novelty import english_share, lone_letters, surprise, too_short
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.trained import Trained
from ghostbuster.decision.verdict import Evidence, Verdict, decide, top_evidence
from ghostbuster.heads.scorer import READERS, Scorer, mixed
from ghostbuster.reading.read import Reading

WHOLE = ("reader states", "reader adapter")
"""The evidence of hidden states, which have no parts that a person could read."""


def judge_reading(reading: Reading, trained: Trained, threshold: Threshold, min_tokens: int) -> list[Verdict]:
    """A verdict for each text of a reading, in order; too short or too long ones get no probability."""
    short = too_short(reading.n_tokens.tolist(), min_tokens)
    doubts = [
        [one.refusal] if one.refusal else doubt for one, doubt in zip(reading.prepared, short, strict=True)
    ]
    long_enough = np.flatnonzero([not doubt for doubt in doubts])
    judged = iter(_judge_long(reading.take(long_enough), trained, threshold) if long_enough.size else [])
    return [
        _unjudged(reading, i, doubt, threshold) if doubt else next(judged) for i, doubt in enumerate(doubts)
    ]


def judged_people(people: Bool1d, reading: Reading, min_tokens: int) -> Bool1d:
    """Human texts long enough to be judged; all human texts, where none is.

    Shorter ones are never called machine: with them the false-positive rate would look too low.
    """
    long_enough = people & (reading.n_tokens >= min_tokens)
    return long_enough if long_enough.any() else people


def is_judged(reading: Reading, trained: Trained, min_tokens: int) -> Int1d:
    """Indices of the texts that get a probability and no doubt, shape (n_judged,)."""
    long_enough = np.flatnonzero(reading.n_tokens >= min_tokens)
    if not long_enough.size:
        return long_enough
    chosen = reading.take(long_enough)
    matrix = trained.scorer.matrix(chosen.vectors)
    doubts = _doubts(matrix, chosen, trained)
    return long_enough[[not doubt for doubt in doubts]]


def _doubts(matrix: Float2d, reading: Reading, trained: Trained) -> list[list[str]]:
    """Why each text should not be judged."""
    about = surprise(reading), english_share(reading), lone_letters(reading)
    found = trained.novelty.doubts(matrix, *about)
    return [
        [f"not prose: it looks like {text.unlike}; this detector knows prose alone"] if text.unlike else doubt
        for text, doubt in zip(reading.prepared, found, strict=True)
    ]


def _judge_long(reading: Reading, trained: Trained, threshold: Threshold) -> list[Verdict]:
    matrix = trained.scorer.matrix(reading.vectors)
    scorer = trained.scorer
    parts = scorer.parts_of(reading.vectors, reading.texts, matrix)
    probabilities = trained.calibration.probability(mixed(parts, scorer.mix))
    of_features = feature_evidence(matrix, trained)
    doubts = _doubts(matrix, reading, trained)
    verdicts = []
    for i, prepared in enumerate(reading.prepared):
        applied = threshold.for_length(int(reading.n_tokens[i]))
        label, reasons = decide(float(probabilities[i]), applied, doubts[i])
        readers = readers_said(scorer, parts[i])
        whole = [one for one in readers if one.feature in WHOLE]
        verdicts.append(
            Verdict(
                probability=float(probabilities[i]),
                label=label,
                reasons=reasons + prepared.notes,
                n_tokens=int(reading.n_tokens[i]),
                n_words=prepared.n_words,
                evidence=top_evidence(of_features[i] + _of_words(prepared.text, scorer) + whole),
                readers=readers,
                threshold=applied.probability,
            )
        )
    return verdicts


def readers_said(scorer: Scorer, parts: Float1d) -> tuple[Evidence, ...]:
    """What each reader made of one text, in the order of ``READERS``.

    Parameters
    ----------
    scorer : Scorer
    parts : array of shape (n_readers,)
        Log-odds of machine by each.
    """
    said = zip(READERS, parts.tolist(), scorer.mix, strict=False)
    return tuple(
        Evidence(f"reader {name}", raw, raw * weight, f"{READER_WORDS[name]}, which {_speaks(raw)}")
        for name, raw, weight in said
        if name in scorer.readers
    )


def feature_evidence(matrix: Float2d, trained: Trained) -> list[list[Evidence]]:
    """What each feature added to each text's score, exactly, and what that means."""
    added = trained.scorer.head.contributions(matrix) * trained.scorer.mix[0]
    features = [(str(feature), in_words(feature)) for feature in trained.scorer.features]
    percent = None if trained.percentiles is None else trained.percentiles.of(matrix)
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


def _of_words(text: str, scorer: Scorer) -> list[Evidence]:
    """What each word or pair of words added."""
    if scorer.lexicon is None:
        return []
    return [
        Evidence(
            f"words {term!r}",
            value,
            added * scorer.mix[1],
            f"{term_in_words(term)}, which {_speaks(added)}",
        )
        for term, value, added in scorer.lexicon.contributions(text)
    ]


def _unjudged(reading: Reading, i: int, doubts: list[str], threshold: Threshold) -> Verdict:
    label, reasons = decide(float("nan"), threshold, doubts)
    prepared = reading.prepared[i]
    return Verdict(float("nan"), label, reasons + prepared.notes, int(reading.n_tokens[i]), prepared.n_words)
