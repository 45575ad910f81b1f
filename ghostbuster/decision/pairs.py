"""Judge pairs of texts: which of two is likelier the machine's, beside what each is called by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.decision.judge import judge_reading
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.trained import Trained
from ghostbuster.decision.verdict import Label, Verdict
from ghostbuster.errors import InputError
from ghostbuster.reading.read import Reading, refuse_empty

Likelier = Literal["a", "b", "tie"]

_BOTH: dict[Label, str] = {
    "human": "both texts are called human-written by themselves: perhaps neither is the machine's",
    "machine": "both texts are called machine-written by themselves: perhaps each is a machine's",
    "unsure": "both texts are unsure by themselves",
}
"""What the answer does not know: a pair is told apart whoever wrote its texts."""


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """Which of two texts is likelier the machine's, were one of them by a person and the other by a machine.

    It is given whoever wrote them: of two people's texts one is likelier too. ``a`` and ``b`` say what each
    is called by itself.

    Attributes
    ----------
    probability : float
        That the first text (A) is the machine's; 0.5 for a tie.
    likelier : {"a", "b", "tie"}
        A tie is two texts of equal score: as a rule the same text twice.
    a, b : Verdict
        What ``judge`` says of each.
    reasons : tuple of str
        What is to be known of this answer.
    """

    probability: float
    likelier: Likelier
    a: Verdict
    b: Verdict
    reasons: tuple[str, ...] = ()


def judge_pairs(
    reading: Reading, trained: Trained, threshold: Threshold, min_tokens: int
) -> list[PairVerdict]:
    """A verdict for each pair of a reading, in order.

    A text's score hangs on that text alone, and the probability on the difference of two scores: which text
    comes first moves nothing, so that no second reading in the other order is needed.

    Parameters
    ----------
    reading : Reading
        Of both texts of each pair, side by side.
    trained : Trained
    threshold : Threshold
        Of the single verdicts.
    min_tokens : int
        Likewise.

    Raises
    ------
    InputError
        When the texts are odd in number, or one is empty or too long to read; it is named.
    """
    if len(reading.prepared) % 2:
        raise InputError(f"{len(reading.prepared)} texts; expected pairs, an even number")
    if not reading.prepared:
        return []
    refuse_empty(reading)
    scores = _log_odds(reading, trained)
    probabilities = trained.pairs.probability(scores[::2], scores[1::2]).tolist()
    verdicts = judge_reading(reading, trained, threshold, min_tokens)
    return [
        _verdict(probability, *pair)
        for probability, *pair in zip(probabilities, verdicts[::2], verdicts[1::2], strict=True)
    ]


def _log_odds(reading: Reading, trained: Trained) -> Float1d:
    """Calibrated log-odds of machine of every text, however short; shape (n_texts,)."""
    raw = trained.scorer.raw_score(reading.vectors, reading.texts)
    return trained.calibration.log_odds(np.asarray(raw))


def _verdict(probability: float, a: Verdict, b: Verdict) -> PairVerdict:
    likelier: Likelier = "tie" if probability == 0.5 else "a" if probability > 0.5 else "b"  # noqa: PLR2004
    reasons = [_BOTH[a.label]] if a.label == b.label else []
    short = [name for name, one in (("A", a), ("B", b)) if math.isnan(one.probability)]
    if short:
        reasons.append(
            f"{' and '.join(short)} alone would not be judged: {(a if short[0] == 'A' else b).reasons[0]}"
        )
    if likelier == "tie":
        reasons.append("the texts score the same, so neither is likelier")
    return PairVerdict(probability, likelier, a, b, tuple(reasons))
