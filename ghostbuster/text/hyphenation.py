"""Words broken at the ends of lines: joined if they are one word, left with their hyphen if not."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

WORDS_FILE = Path(__file__).parent / "english_words.txt.gz"
"""English words of lower-case letters from SCOWL (size 60); ``training/data/word_list.py`` makes it."""

LONGEST_PART = 40
"""Letters of a part of a word; longer runs are no words, and are left as they are."""
_BREAK = re.compile(r"[-\u00ad\u2010][ \t]*\r?\n[ \t]*")
_BEFORE_WORDS = frozenset(
    {"co", "de", "ex", "mid", "multi", "non", "post", "pre", "pseudo", "quasi", "semi", "sub"}
)
"""Beginnings that are no words, and still stand before a hyphen."""
_DERIVED = re.compile(r"([a-z]{3,}?)(?:ed|er|ers|ing|ings|ness|ly|like|ish)")
_SOFT = "\u00ad"


def join_hyphenated(text: str) -> tuple[str, int]:
    """Join words that were broken at the end of a line.

    ``under-`` above ``stand`` is one word, since a dictionary has *understand*; ``well-`` above ``known`` is
    two, since it has both and not *wellknown*. What no dictionary knows in either way is joined: most such
    breaks are a hyphenating program's.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of (str, int)
        The text, and the number of words joined or brought on one line.
    """
    if "\n" not in text:
        return text, 0
    made: list[str] = []
    at = n_joined = 0
    for found in _BREAK.finditer(text):
        first, second = _word_before(text, found.start()), _word_behind(text, found.end())
        if first and second:
            one = found[0].startswith(_SOFT) or is_one_word(first, second)
            made += [text[at : found.start()], "" if one else "-"]
            at = found.end()
            n_joined += 1
    return "".join([*made, text[at:]]), n_joined


def _word_before(text: str, end: int) -> str:
    """Letters that end at a place; none where there are more than a word has."""
    start = end
    while start and end - start <= LONGEST_PART and text[start - 1].isalpha():
        start -= 1
    return text[start:end] if end - start <= LONGEST_PART else ""


def _word_behind(text: str, start: int) -> str:
    """Letters that begin at a place; none where there are more than a word has."""
    end = start
    while end < len(text) and end - start <= LONGEST_PART and text[end].isalpha():
        end += 1
    return text[start:end] if end - start <= LONGEST_PART else ""


def is_one_word(first: str, second: str) -> bool:
    """Whether two halves that a hyphen parts at the end of a line are one word."""
    if second[0].isupper():  # Anglo-Saxon; but SHOUT-ING
        return first.isupper() and second.isupper() and is_one_word(first.lower(), second.lower())
    known, head, tail = words(), first.lower(), second
    if head + tail in known:
        return True
    if len(head) == 1 or head in known or head in _BEFORE_WORDS:
        return not (tail in known or _stem(tail) in known)
    return True


def _stem(word: str) -> str:
    """What a word such as *hearted* or *rater* is made of; itself where it is of no such kind."""
    found = _DERIVED.fullmatch(word)
    return found[1] if found else word


@cache
def words() -> frozenset[str]:
    """The dictionary."""
    return frozenset(gzip.decompress(WORDS_FILE.read_bytes()).decode().split())
