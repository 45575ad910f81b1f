"""A text as HTML, each token shaded by its surprisal; and the same numbers as tables, for every reader.

Texts of ten thousand tokens must open at once: a token costs one short element, and no script.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from ghostbuster.report.html.detail import Detail, Pieces, Sentence
from ghostbuster.system.printable import printable

LEVELS: tuple[tuple[float, str], ...] = (
    (10, "expected: at least 1 in 10"),
    (100, "1 in 10 to 1 in 100"),
    (1_000, "1 in 100 to 1 in 1,000"),
    (10_000, "1 in 1,000 to 1 in 10,000"),
    (float("inf"), "rarer still"),
)
"""One in how many the model expected a token at most, and how the legend says it; from plain to darkest."""


def level(logprob: float) -> int:
    """Index in ``LEVELS`` for a token of this log-prob (nats)."""
    return next(i for i, (rarest, _) in enumerate(LEVELS) if -logprob <= math.log(rarest))


def shaded(detail: Detail, key: str) -> str:
    """The text as HTML: a ``span`` a sentence, an ``i`` a token, in paragraphs as it was written.

    Parameters
    ----------
    detail : Detail
    key : str
        Sentences get the ids ``key-1``, ``key-2``, ...
    """
    breaks = set(detail.paragraphs)
    places = [0, *detail.pieces.ends.tolist()]
    tokens = list(_tokens(detail.pieces))
    parts = []
    for number, sentence in enumerate(detail.sentences, start=1):
        parts.append(f"<span id={key}-{number}>")
        for i in range(sentence.first, sentence.last):
            text = detail.pieces.texts[i]
            begins = places[i] + len(text) - len(text.lstrip(" "))
            if begins in breaks:
                parts.append("<span class=p></span>")
            parts.append(tokens[i])
        parts.append("</span>")
    return "".join(parts)


def _tokens(pieces: Pieces) -> Iterator[str]:
    """Each token as an element; its numbers show below when it is pointed at."""
    for text, logprob, rank, entropy in _rows(pieces, 0, len(pieces.texts)):
        shade = level(logprob)
        word = text.lstrip(" ")
        space = " " * (len(text) - len(word))
        classed = f" class=s{shade}" if shade else ""
        yield (
            f"{space}<i{classed} data-p={_signed(logprob)} data-r={rank:.0f} data-e={entropy:.2f}>"
            f"{shown(word)}</i>"
        )


def table_of(sentence: Sentence, pieces: Pieces) -> str:
    """Rows of a table: token, log-prob, rank, entropy."""
    return "".join(
        f"<tr><td>{shown(text.strip(' ') or text)}<td>{_signed(logprob)}<td>{rank:,.0f}<td>{entropy:.2f}"
        for text, logprob, rank, entropy in _rows(pieces, sentence.first, sentence.last)
    )


def _rows(pieces: Pieces, first: int, last: int) -> Iterator[tuple[str, float, float, float]]:
    columns: Sequence[list[float]] = [
        values[first:last].tolist() for values in (pieces.logprob, pieces.rank, pieces.entropy)
    ]
    return zip(pieces.texts[first:last], *columns, strict=True)


def shown(text: str) -> str:
    """``text`` escaped for HTML; control characters and direction marks are spelled out."""
    return escape(printable(text), quote=True)


def _signed(nats: float) -> str:
    """Two decimals with a true minus sign."""
    return f"{nats:.2f}".replace("-0.00", "0.00").replace("-", "\u2212")
