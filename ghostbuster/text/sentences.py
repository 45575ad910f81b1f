"""Split a prepared text into sentences."""

from __future__ import annotations

import re

import numpy as np

from ghostbuster.arrays import AnyInt

_END = re.compile(r"(?<![.!?])[.!?]++[\"')\]]*+(?= [\"'(\[]*+[^\Wa-z])")  # no run of marks is read twice
_TITLES = "Dr|Mr|Mrs|Ms|Prof|Rev|Hon|St|Sr|Jr|Mt|Gen|Col|Capt|Lt|Sgt|Sen|Rep|Gov|vs|cf|No|Fig|Vol|pp"
_NO_END = re.compile(rf"(?:\b(?:{_TITLES})|\b[A-Z](?:\.[A-Z])*|\be\.g|\bi\.e)\.$")
"""Titles, initials and a few abbreviations: their dot ends no sentence."""
_LOOK_BACK = 16  # characters; longer than any of those


def sentence_ends(text: str) -> list[int]:
    """Where each sentence of a prepared text ends, in characters behind its last mark.

    A sentence ends at ``.``, ``!`` or ``?`` (and closing quotes or brackets) before a space and a letter that
    is not small, or a digit; not at the dot of an initial or a title. The end of the text is always the last.

    Parameters
    ----------
    text : str
        One line with single spaces, as ``prepare`` makes it.

    Returns
    -------
    list of int
        Rising; empty for an empty text.
    """
    ends = [
        found.end()
        for found in _END.finditer(text)
        if not _NO_END.search(text, max(found.end() - _LOOK_BACK, 0), found.end())
    ]
    return [*ends, len(text)] if text else []


def sentence_spans(text: str, ends: AnyInt) -> list[tuple[int, int, int, int]]:
    """Every sentence that holds a unit: its start and end in characters, its first unit, and the one behind.

    Parameters
    ----------
    text : str
    ends : array of shape (n_units,)
        Where each unit ends, rising; the sentence in which it ends owns it.
    """
    stops = sentence_ends(text)
    if not stops:
        return []
    units = np.searchsorted(ends, stops, side="right").tolist()
    units[-1] = ends.size
    spans = zip([0, *stops[:-1]], stops, [0, *units[:-1]], units, strict=True)
    return [(a + (text[a : a + 1] == " "), b, first, last) for a, b, first, last in spans if first < last]
