"""Read texts into vectors: prepare, score by the panel, align. Training and scoring share this path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import AnyInt, Int1d, Progress, TokenScores, Vectors
from ghostbuster.errors import InputError
from ghostbuster.features.align import Unit, align, unit_ends
from ghostbuster.reading.cache import cached_scores
from ghostbuster.text.prepare import PreparedText, prepare_or_refuse

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


@dataclass(frozen=True)
class Reading:
    """Some texts with their token scores by a panel, aligned to common units.

    Attributes
    ----------
    prepared : tuple of PreparedText, length n_texts
    vectors : Vectors
        Of all texts; a text without a token owns no unit.
    n_tokens : array of shape (n_texts,)
        Tokens of the strong model.
    ends : array of shape (n_units,)
        Where each unit ends, in characters of its prepared text; empty where it was not kept.
    """

    prepared: tuple[PreparedText, ...]
    vectors: Vectors
    n_tokens: Int1d
    ends: AnyInt = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def texts(self) -> tuple[str, ...]:
        """Prepared texts."""
        return tuple(one.text for one in self.prepared)

    def annotated(self, notes: Sequence[Sequence[str]], refusals: Sequence[str]) -> Reading:
        """The same, with what is known of each text's document: notes on it, and why it is not judged."""
        known = zip(self.prepared, notes, refusals, strict=True)
        prepared = tuple(
            replace(one, notes=(*told, *one.notes), refusal=refusal or one.refusal)
            for one, told, refusal in known
        )
        return replace(self, prepared=prepared)

    @classmethod
    def concatenate(cls, parts: Sequence[Reading]) -> Reading:
        """All texts of ``parts``, one after another, read by one panel.

        Raises
        ------
        InputError
            When there is no part, or they were read by different panels.
        """
        return cls(
            tuple(one for part in parts for one in part.prepared),
            Vectors.concatenate([part.vectors for part in parts]),
            np.concatenate([part.n_tokens for part in parts]),
            np.concatenate([part.ends for part in parts]),
        )

    def take(self, texts: Int1d) -> Reading:
        """The chosen texts, in the order given."""
        chosen = tuple(self.prepared[i] for i in texts.tolist())
        offsets = self.vectors.offsets
        kept = [self.ends[offsets[i] : offsets[i + 1]] for i in texts.tolist()]
        ends = np.concatenate([self.ends[:0], *kept])
        return Reading(chosen, self.vectors.take(texts), self.n_tokens[texts], ends)


def reading_of(
    scores: Mapping[str, TokenScores], prepared: Sequence[PreparedText], shared_tokenizer: bool
) -> Reading:
    """A reading of texts already scored: units are tokens where all sources share a tokenizer, else words."""
    texts = [one.text for one in prepared]
    by: Unit = "token" if shared_tokenizer else "word"
    vectors = align(scores, texts, by)
    return Reading(tuple(prepared), vectors, np.diff(scores["strong"].offsets), unit_ends(scores, texts, by))


def read(texts: Sequence[str], panel: Panel, progress: Progress | None = None) -> Reading:
    """Prepare, score and align ``texts``, in the order given; cached scores are used where there are some.

    Parameters
    ----------
    texts : sequence of str
        One that is too long is not read, and has no unit.
    panel : Panel
    progress : callable, optional
        Called with (tokens done, tokens in all).
    """
    prepared = tuple(prepare_or_refuse(text) for text in texts)
    scores = cached_scores(panel, [one.text for one in prepared], progress)
    return reading_of(scores, prepared, panel.shared_tokenizer)


def refuse_empty(reading: Reading) -> None:
    """Refuse texts of which nothing is left to read, or that were not read.

    Raises
    ------
    InputError
        Names the first.
    """
    empty = np.flatnonzero(reading.vectors.lengths == 0)
    for i in empty.tolist():
        if reading.prepared[i].refusal:
            raise InputError(f"text {i} is {reading.prepared[i].refusal}")
    if empty.size:
        raise InputError(
            f"text {empty[0]} is empty once prepared; expected at least one word: drop it, or use judge, "
            "which answers 'unsure'"
        )
