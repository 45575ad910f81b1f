"""Surface features of words: length, capitals, punctuation. To add a channel, add its row to ``SURFACE``.

No language model is needed: a channel gives each word of a text a number, and a unit (token or word) takes
the number of its word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyInt, Float32
from ghostbuster.features.words import owners, split, word_ends

_CLOSED = r"[\"')\]]*$"
_SENTENCE_END = re.compile(r"[.!?]" + _CLOSED)
_CLAUSE_END = re.compile(r"(?:[.!?,;:]" + _CLOSED + r"|-$)")


def _letters(words: Sequence[str]) -> list[float]:
    return [sum(map(str.isalnum, word)) for word in words]


def _capitals(words: Sequence[str]) -> list[float]:
    return [sum(map(str.isupper, word)) / max(sum(map(str.isalpha, word)), 1) for word in words]


def _marks(words: Sequence[str]) -> list[float]:
    return [len(word) - sum(map(str.isalnum, word)) for word in words]


def _spans(words: Sequence[str], end: re.Pattern[str]) -> Float32:
    """Number of words in the span of each word; a span ends with a word that ``end`` matches."""
    ends = np.array([end.search(word) is not None for word in words])
    span = np.cumsum(ends) - ends
    words_of_span = np.bincount(span)[span]
    return np.asarray(words_of_span, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class SurfaceChannel:
    """A number for each word of a text.

    Parameters
    ----------
    name : str
        Its vector is ``surface.`` and this name.
    apply : callable
        The words of one text to one number a word: (n_words,).
    formula : str
        What it computes, for developers.
    words : str
        The same for readers of a verdict.
    """

    name: str
    apply: Callable[[Sequence[str]], npt.ArrayLike]
    formula: str
    words: str


SURFACE: dict[str, SurfaceChannel] = {
    channel.name: channel
    for channel in (
        SurfaceChannel("word_length", _letters, "letters and digits of the word", "length of words"),
        SurfaceChannel("capitals", _capitals, "share of capitals among its letters", "share of capitals"),
        SurfaceChannel("marks", _marks, "number of its other characters", "punctuation"),
        SurfaceChannel(
            "log_clause_length",
            lambda words: np.log(_spans(words, _CLAUSE_END)),
            "log of the number of words between two marks that end a clause",
            "length of clauses",
        ),
        SurfaceChannel(
            "log_sentence_length",
            lambda words: np.log(_spans(words, _SENTENCE_END)),
            "log of the number of words of the sentence",
            "length of sentences",
        ),
    )
}


def surface_channels(texts: Sequence[str], ends: AnyInt, offsets: AnyInt) -> dict[str, Float32]:
    """Every channel of ``SURFACE`` on the units of all texts, named ``surface.channel``.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Prepared.
    ends : array of shape (n_units,)
        End of each unit, in characters of its own text.
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns units ``offsets[i]:offsets[i + 1]``.
    """
    made = {f"surface.{name}": np.empty(ends.size, dtype=np.float32) for name in SURFACE}
    for i, text in enumerate(texts):
        units = slice(int(offsets[i]), int(offsets[i + 1]))
        if units.start == units.stop:
            continue
        cut = split(text)
        words = [word for word, _ in cut]
        owner = owners(ends[units], word_ends(cut))
        for name, channel in SURFACE.items():
            made[f"surface.{name}"][units] = np.asarray(channel.apply(words), dtype=np.float32)[owner]
    return made
