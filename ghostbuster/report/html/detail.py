"""What a page shows of one text: its tokens, sentences, paragraphs, passages, and parts of its score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import AnyInt, Float1d
from ghostbuster.decision.explain import READER_WORDS
from ghostbuster.heads.scorer import READERS
from ghostbuster.text.sentences import sentence_spans

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.detector.passages import Passages
    from ghostbuster.reading.read import Reading

CHANNELS = ("logprob", "rank", "entropy")
SOURCE = "strong"
"""The language model whose surprise is shown."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LONG_LINE = 120
"""Characters of a line that is a paragraph; lines broken at a margin are shorter."""
_PROBE = 24
"""Letters and digits by which a paragraph is found again."""
_SHORTEST = 6
_SLACK = 200  # letters that preparing may have taken out or put in before a paragraph


@dataclass(frozen=True)
class Pieces:
    """A text in displayable pieces, with the strong model's statistics of each.

    A unit that ends where the one before it ended (a byte of a character) is one piece with the next.

    Attributes
    ----------
    texts : tuple of str, length n_pieces
        Together the prepared text.
    logprob, rank, entropy : array of shape (n_pieces,)
        Sums, and the largest rank, of the units in a piece.
    ends : array of shape (n_pieces,)
        In characters.
    """

    texts: tuple[str, ...]
    logprob: Float1d
    rank: Float1d
    entropy: Float1d
    ends: AnyInt


@dataclass(frozen=True)
class Sentence:
    """A sentence: its pieces are ``first`` to ``last - 1``; ``probability`` is None in a short text."""

    text: str
    first: int
    last: int
    probability: float | None


@dataclass(frozen=True)
class Detail:
    """One text, prepared, with the models' statistics.

    Attributes
    ----------
    text : str
    notes : tuple of str
        What was changed before it was read.
    pieces : Pieces
    sentences : tuple of Sentence
    paragraphs : tuple of int
        Where paragraphs begin, in characters, beside the first.
    passages : Passages
    parts : tuple of (str, float)
        What each reader (features, words, hidden states) added in all, before calibration (nats of log-odds).
    """

    text: str
    notes: tuple[str, ...]
    pieces: Pieces
    sentences: tuple[Sentence, ...]
    paragraphs: tuple[int, ...]
    passages: Passages
    parts: tuple[tuple[str, float], ...]


def detail_for(detector: Detector, reading: Reading, written: str) -> Detail:
    """All that a detector saw in one text.

    Parameters
    ----------
    detector : Detector
    reading : Reading
        Of that text alone, by that detector.
    written : str
        The text as it was given.
    """
    from ghostbuster.detector.passages import passages_of

    return detail_of(written, reading, passages_of(detector, reading), _parts(detector, reading))


def _parts(detector: Detector, reading: Reading) -> list[tuple[str, float]]:
    """What each reader of one text adds to its score in all."""
    scorer = detector.trained_.scorer
    parts = scorer.parts_of(reading.vectors, reading.texts)[0] * scorer.mix
    more = {"features": f" ({len(scorer.features)} features)"}
    named = zip(READERS, parts.tolist(), strict=False)
    return [
        (READER_WORDS[name] + more.get(name, ""), added) for name, added in named if name in scorer.readers
    ]


def detail_of(
    written: str, reading: Reading, passages: Passages, parts: Sequence[tuple[str, float]] = ()
) -> Detail:
    """Collect what a report shows of one text.

    Parameters
    ----------
    written : str
        The text as it was given.
    reading : Reading
        Of that text alone.
    passages : Passages
    parts : sequence of (str, float)
    """
    prepared = reading.prepared[0]
    pieces = _pieces(reading)
    known = {sentence.end: sentence.probability for sentence in passages.sentences}
    sentences = tuple(
        Sentence(prepared.text[start:end], first, last, known.get(end))
        for start, end, first, last in sentence_spans(prepared.text, pieces.ends)
    )
    starts = tuple(paragraph_starts(written, prepared.text))
    return Detail(prepared.text, prepared.notes, pieces, sentences, starts, passages, tuple(parts))


def _pieces(reading: Reading) -> Pieces:
    text, ends = reading.prepared[0].text, np.asarray(reading.ends)
    logprob, rank, entropy = (
        np.asarray(reading.vectors.channels[f"{SOURCE}.{name}"], dtype=np.float64) for name in CHANNELS
    )
    if not ends.size:
        return Pieces((), logprob, rank, entropy, ends)
    shows = np.diff(ends, prepend=0) > 0
    starts = np.flatnonzero(np.concatenate(([True], shows[:-1])))
    if starts.size > 1 and not shows[starts[-1] :].any():  # bytes that end the text spell nothing
        starts = starts[:-1]
    last = np.append(starts[1:], ends.size) - 1
    bounds = [0, *ends[last].tolist()]
    return Pieces(
        tuple(text[a:b] for a, b in pairwise(bounds)),
        np.add.reduceat(logprob, starts),
        np.maximum.reduceat(rank, starts),
        np.add.reduceat(entropy, starts),
        ends[last],
    )


def paragraph_starts(written: str, prepared: str) -> list[int]:
    """Where paragraphs begin in ``prepared``, in characters; one that is not found again is left out.

    Blank lines part paragraphs; where there is none, line breaks do if lines are long. A paragraph is found
    by its first letters: preparing changes marks and spaces, hardly ever letters.

    Parameters
    ----------
    written : str
        The text before ``prepare``.
    prepared : str
        The text after it.

    Returns
    -------
    list of int
        Rising, without the beginning of the text.
    """
    keys, places = _letters(prepared)
    starts, cursor = [], 0
    blocks = _blocks(written)
    for before, block in pairwise(blocks):
        probe = _letters(block[: 4 * _PROBE])[0][:_PROBE]
        reach = cursor + len(_letters(before)[0]) + len(probe) + _SLACK
        found = keys.find(probe, cursor, reach) if len(probe) >= _SHORTEST else -1
        if found > 0:
            cursor = found
            starts.append(prepared.rfind(" ", 0, places[found]) + 1)
    return sorted({start for start in starts if start})


def _blocks(written: str) -> list[str]:
    unified = written.replace("\r\n", "\n").replace("\r", "\n").strip()
    blocks = _BLANK_LINE.split(unified)
    lines = [line for line in unified.split("\n") if line.strip()]
    if len(blocks) == 1 and lines and median(map(len, lines)) >= _LONG_LINE:
        return lines
    return blocks


def _letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits in lower case, and where each stands."""
    pairs = [(low, i) for i, char in enumerate(text) if char.isalnum() for low in char.lower()]
    return "".join(low for low, _ in pairs), [i for _, i in pairs]
