"""Block quotations that nothing marks but their place: paragraphs further in than the text around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from ghostbuster.text.documents.document import Block, Part

FURTHER_IN = 17.0
"""Points beyond the usual place of a line; styles of citation ask for 36, word processors indent by 18."""
FEWEST_WORDS = 20
"""Of neighbouring paragraphs that stand further in; styles of citation set off what has 40 or more."""
MOST_OF_PROSE = 0.4
"""Share of the prose beyond which this is how the page is laid out, not what it quotes."""

_LIST_MARK = re.compile(r"\s*(?:[\u2022\u25cf\u25e6\u25aa\u2023\u00b7*\u2013\u2014o-]|\(?\w{1,3}[.)])\s")


def mark_indented(blocks: Sequence[Block]) -> list[Block]:
    """Blocks, with prose that stands further in than the rest called quotations.

    Parameters
    ----------
    blocks : sequence of Block
        With their indents.
    """
    n_words: Counter[float] = Counter()
    for block in blocks:
        if block.part is Part.PROSE:
            n_words[round(block.indent)] += block.n_words
    if len(n_words) < 2:  # noqa: PLR2004 - all of it stands in one place
        return list(blocks)
    least = max(n_words, key=lambda place: n_words[place]) + FURTHER_IN
    marked: list[Block] = []
    n_quoted = 0
    for is_in, group in groupby(blocks, key=lambda block: _is_further_in(block, least)):
        run = list(group)
        words = sum(block.n_words for block in run)
        if is_in and words >= FEWEST_WORDS and not _LIST_MARK.match(run[0].text):
            n_quoted += words
            run = [replace(block, part=Part.QUOTE) for block in run]
        marked += run
    return marked if n_quoted <= MOST_OF_PROSE * sum(n_words.values()) else list(blocks)


def _is_further_in(block: Block, least: float) -> bool:
    return block.part is Part.PROSE and block.indent >= least
