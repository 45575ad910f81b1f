"""Where the paragraphs of a text as it was written begin in its prepared form, which is one line."""

from __future__ import annotations

import re
from itertools import pairwise
from statistics import median

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LONG_LINE = 120
"""Characters of a line that is a paragraph; lines broken at a margin are shorter."""
_PROBE = 24
"""Letters and digits by which a paragraph is found again."""
_SHORTEST = 6
_SLACK = 200  # letters that preparing may have taken out or put in before a paragraph


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
