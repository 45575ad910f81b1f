"""Remove what no reader sees: default-ignorable characters, blanks that are no white space, format marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from ghostbuster.text.english import FUNCTION_WORDS

IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), as ranges of a pattern."""

MOST_CUT = 0.2
"""Share of function words among the pieces beside blanks from which on blanks stand for spaces: pieces of cut
words are rarely such words, whole words nearly every second time."""
FEWEST_PIECES = 4
"""With fewer the share says nothing, and blanks are taken for marks in words."""

_IGNORABLE = re.compile(f"[{IGNORABLE}]+")
_EMOJI_MARKS = re.compile("(?<=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff#*0-9])[\ufe0e\ufe0f\u200d]+")
_EMOJI = range(0x1F000, 0x1FB00)  # where later versions of Unicode put new ones


def remove_invisible(text: str) -> tuple[str, int]:
    """Remove marks that a reader cannot see, and say how many; those that belong to emoji are not counted.

    Blanks that stand in place of spaces become spaces.
    """
    if text.isascii():
        return text, 0
    text = _EMOJI_MARKS.sub("", text)
    kept = _IGNORABLE.sub("", text)
    n = len(text) - len(kept)
    beyond = {char for char in set(kept) if char > "\u07ff"}
    if blanks := _among(beyond, _is_blank):
        kept, more = re.subn(blanks, " " if _part_words(kept, blanks) else "", kept)
        n += more
    if odd := _among(beyond, _is_formless):
        kept, more = re.subn(f"(?<=[A-Za-z]){odd}|{odd}(?=[A-Za-z])", "", kept)
        n += more
    return kept, n


def _among(chars: set[str], is_one: Callable[[str], bool]) -> str:
    """A pattern of the characters of a kind; empty where there is none."""
    found = "".join(sorted(filter(is_one, chars)))
    return f"[{found}]+" if found else ""


@cache
def _is_blank(char: str) -> bool:
    """Whether a character that is no white space has nothing to show, by its name."""
    return unicodedata.name(char, "").endswith((" BLANK", " NULL NOTEHEAD"))


@cache
def _is_formless(char: str) -> bool:
    """Whether a character only steers others, or is not assigned to anything (in Python's Unicode)."""
    return unicodedata.category(char) in {"Cf", "Cn"} and ord(char) not in _EMOJI


def _part_words(text: str, blanks: str) -> bool:
    """Whether blanks stand between words rather than in them."""
    pieces = re.findall(rf"[^\W\d_]+(?={blanks})|(?<={blanks.rstrip('+')})[^\W\d_]+", text.lower())
    longer = [piece for piece in pieces if len(piece) > 1]
    n_small = sum(piece in FUNCTION_WORDS for piece in longer)
    return len(longer) >= FEWEST_PIECES and n_small > MOST_CUT * len(longer)
