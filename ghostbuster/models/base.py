"""What a weak model owes the rest: per-token scores of prepared texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ghostbuster.arrays import TokenScores


class WeakLM(Protocol):
    """A source: reads texts, says how much each token surprised it.

    Attributes
    ----------
    name : str
        Its role in a panel: ``weak`` or ``strong``.
    fingerprint : str
        Digest of the model file and of every setting that changes a number.
    tokenizer : str
        Digest of the vocabulary: equal digests mean equal tokens.
    """

    name: str
    fingerprint: str
    tokenizer: str

    def score(self, texts: Sequence[str]) -> TokenScores:
        """Score every text, in the order given; a text with no token owns an empty slice."""
        ...
