"""Undo styles of letters (mathematical, enclosed, small capitals, raised) and twins of letters and marks."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache

from ghostbuster.text.confusables import confusables

MARKS = ",.;:!?"
"""Marks that end a clause, whose look-alikes are undone behind a word."""
JOINERS = "'-"
"""Marks inside words."""

_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]+")
_STYLED_NAME = re.compile(
    r"(?:(?:NEGATIVE |CROSSED NEGATIVE )?(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER"
    r"|LATIN LETTER SMALL CAPITAL) ([A-Z])"
)
_ORDINALS = "\u00aa\u00ba"
_LONG_S = "\u017f"
_LAST_LATIN = 0x24F
FEWEST_TURKISH = 0.5
"""Words with other letters beyond ASCII, for each with a dotless i, from which on it is spelling."""


def undo_styles(text: str) -> tuple[str, int]:
    """Replace styled letters by the plain ones that they are styles of, and count them.

    Unicode's compatibility decomposition says which letter that is, or the character's name. A single one
    that stands alone, such as an enclosed letter before an item of a list, stays, unless more are disguised.
    """
    n = sum(len(found.group()) for found in _MATHEMATICAL.finditer(text))
    if n:
        text = _MATHEMATICAL.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    text = text.replace(_LONG_S, "s")
    plain = {char: letter for char in set(text) if (letter := _plain_letter(char))}
    if not plain:
        return text, n
    styled = "[" + "".join(sorted(plain)) + "]"
    joined = rf"{styled}{{2,}}|(?<=[A-Za-z]){styled}|{styled}(?=[A-Za-z])"
    length = len(re.findall(styled, text))
    text = re.sub(joined, lambda found: "".join(plain[char] for char in found.group()), text)
    left = len(re.findall(styled, text))
    if length - left > left:
        text, left = re.sub(styled, lambda found: plain[found.group()], text), 0
    return text, n + length - left


@cache
def _plain_letter(char: str) -> str:
    """The ASCII letter that a character is a style of; empty for any other character."""
    if char.isascii() or char in _ORDINALS or unicodedata.normalize("NFC", char) != char:
        return ""
    folded = unicodedata.normalize("NFKC", char).strip("()")
    if folded.isascii() and len(folded) == 1:
        return folded if folded.isalpha() else ""
    named = _STYLED_NAME.fullmatch(unicodedata.name(char, ""))
    if named is None:
        return ""
    return named[1].lower() if "SMALL CAPITAL" in named.string else named[1]


def undo_latin_twins(text: str) -> tuple[str, int]:
    """Replace Latin letters beyond ASCII that look like an ASCII one (dotless i), where they are no spelling.

    A word with further letters beyond ASCII keeps them, all words do where such words are many, and so does
    a capitalised word, which may be a name, unless more words are in disguise.
    """
    twins = {char: letter for char, letter in _confusable(string.ascii_letters).items() if char in text}
    twins = {char: letter for char, letter in twins.items() if ord(char) <= _LAST_LATIN and char.isalpha()}
    if not twins:
        return text, 0
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    alone, others, lower = 0, 0, 0
    for word in words:
        rest = word.translate(dict.fromkeys(map(ord, twins), ""))
        others += not rest.isascii()
        disguised = rest.isascii() and len(rest) < len(word)
        alone += disguised
        lower += disguised and word[0].islower()
    if not lower or others > FEWEST_TURKISH * alone:
        return text, 0
    table = {ord(char): letter for char, letter in twins.items()}
    n = 0

    def plain(found: re.Match[str]) -> str:
        nonlocal n
        word = found.group()
        made = word.translate(table)
        if not made.isascii() or (not word[0].islower() and lower * 2 < alone):
            return word
        n += sum(char in twins for char in word)
        return made

    return re.sub(r"[^\W\d_]+", plain, text), n


def undo_marks(text: str) -> tuple[str, int]:
    """Replace what looks like a comma, a full stop and the like behind a Latin word by the mark.

    A low quotation mark opens a quotation before a word, and is a comma behind one. A leader dot is a full
    stop everywhere. Apostrophes and hyphens inside words are set right without being counted.
    """
    dots = text.count("\u2024")
    text = text.replace("\u2024", ".")
    ends = {char: mark for char, mark in _confusable(MARKS).items() if char in text}
    n = 0
    if ends:
        behind = (
            f"(?<=[A-Za-z0-9)\\]\"'\u2019\u201d])[{''.join(sorted(ends))}](?=[\\s\"'\u2019\u201d)\\]]|\\Z)"
        )
        text, n = re.subn(behind, lambda found: ends[found.group()], text)
    inside = {char: mark for char, mark in _confusable(JOINERS).items() if char in text}
    if inside:
        between = f"(?<=[A-Za-z])[{''.join(sorted(map(re.escape, inside)))}](?=[A-Za-z])"
        text = re.sub(between, lambda found: inside[found.group()], text)
    return text, n + dots


@cache
def _confusable(prototypes: str) -> dict[str, str]:
    """Which of ``prototypes`` each single character beyond ASCII looks like, as Unicode lists them."""
    return {
        char: one
        for one in prototypes
        for char in confusables().get(one, ())
        if len(char) == 1 and not char.isascii()
    }
