"""Repair characters: floods of marks, wrong encodings, entities, controls, half characters."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from ghostbuster.text import encoding

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
_MARK_FLOOD = re.compile(f"[{_MARKS}]{{4,}}")  # polytonic Greek, the richest of scripts, stacks three
_MAYBE_MARKS = re.compile(r"[^\x00-\u02ff\w\s]{31,}")  # every combining mark is among these
MOST_MARKS = 30  # on one letter, in text of any script: UAX #15, Stream-Safe Text Format
_OVERLAYS = re.compile(r"(?<=[^\W\d_])[\u0334-\u0338]+")  # strike-through

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NESTED_AMPERSAND = re.compile(r"&(?:amp;){2,}")


def trim_mark_floods(text: str) -> tuple[str, int]:
    """Remove combining marks stacked four or more high, and strike-through.

    Runs first: normalising a long run of marks takes quadratic time.
    """
    if text.isascii():
        return text, 0
    length = len(text)
    text = _OVERLAYS.sub("", _MARK_FLOOD.sub("", text))
    text = _MAYBE_MARKS.sub(lambda match: _without_floods(match.group()), text)
    return text, length - len(text)


def _without_floods(marks: str) -> str:
    """Without runs of more combining marks than any script stacks."""
    runs = ((is_mark, "".join(run)) for is_mark, run in groupby(marks, _combines))
    return "".join(run for is_mark, run in runs if not is_mark or len(run) <= MOST_MARKS)


def _combines(char: str) -> bool:
    return unicodedata.combining(char) != 0


def _is_flooded(text: str) -> bool:
    return any(_without_floods(match.group()) != match.group() for match in _MAYBE_MARKS.finditer(text))


def repair_encoding(text: str) -> tuple[str, int]:
    """Repair text that was decoded with the wrong encoding (mojibake), as ftfy finds it."""
    if text.isascii():
        return text, 0
    repaired = encoding.fix_encoding(text)
    return repaired, int(repaired != text)


def normalise(text: str) -> tuple[str, int]:
    """Replace HTML entities, ligatures, full-width forms, controls and surrogates; compose to NFC."""
    if text.isascii() and "&" not in text and not _CONTROLS.search(text):
        return text, 0
    text = encoding.unescape(_NESTED_AMPERSAND.sub("&", text))
    if _MARK_FLOOD.search(text) or _is_flooded(text):
        return text, 0  # entities held a flood of marks: the next pass trims it
    return encoding.compose(text), 0
