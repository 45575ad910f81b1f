"""Replace homoglyphs: letters and marks of other scripts and styles by the plain ones that they look like."""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from collections.abc import Callable

from ghostbuster.text.confusables import confusables
from ghostbuster.text.styles import undo_latin_twins, undo_styles

LAST_LATIN = 0x24F  # the end of Latin Extended-B; phonetic letters, a disguise, come after
_LETTERS = frozenset(("Lu", "Ll", "Lt", "Lo", "Nl"))  # Nl: Roman numerals

FEWEST_DISGUISES = 0.02  # share of letters in disguise from which on no other script is taken at its word


def replace_lookalikes(text: str) -> tuple[str, int]:
    """Replace homoglyphs: letters of other scripts inside Latin words by the Latin letters they resemble.

    A word wholly in another script stays, and so does a Greek letter beside a single Latin one (physics
    writes those); unless so many words are disguised that these are disguises too.
    """
    if text.isascii():
        return text, 0
    text, n_styled = undo_styles(text)
    text, n = _replace(text, _lookalikes(), _is_disguise)
    if n and _are_many(n, text):
        text, more = _replace(text, _letters_and_digits(), _is_disguise_among_many)
        n += more
    text, n_latin = undo_latin_twins(text)
    return text, n_styled + n + n_latin


def _are_many(n_disguises: int, rest: str) -> bool:
    """Whether disguises in Latin words make suspect what ``rest`` has of other scripts.

    Not where letters that resemble no Latin one are as many: somebody writes in that script.
    """
    twins = _lookalikes()
    n_foreign = sum(ord(char) > LAST_LATIN and char.isalpha() and char not in twins for char in rest)
    return n_disguises >= max(n_foreign, FEWEST_DISGUISES * sum(map(str.isalpha, rest)))


def _replace(
    text: str, table: dict[str, str], is_disguise: Callable[[str, int, int], bool]
) -> tuple[str, int]:
    """Look up each run of characters of ``table`` that is a disguise; the text, and how many those were."""
    present = sorted(set(text) & table.keys())
    if not present:
        return text, 0
    n = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal n
        run = match.group()
        if not is_disguise(match.string, match.start(), match.end()):
            return run
        n += len(run)
        return "".join(table[char] for char in run)

    return re.sub("[" + "".join(present) + "]+", replaced, text), n


@functools.cache
def _lookalikes() -> dict[str, str]:
    """The ASCII letter that each of Unicode's confusables, all of them letters too, looks like."""
    return {char: letter for char, letter in _letters_and_digits().items() if _is_foreign_letter(char)}


def _is_foreign_letter(char: str) -> bool:
    return ord(char) > LAST_LATIN and unicodedata.category(char) in _LETTERS


@functools.cache
def _letters_and_digits() -> dict[str, str]:
    """The ASCII letter that each of Unicode's confusables, letters or digits of any script, looks like."""
    table: dict[str, str] = {}
    for letter in string.ascii_letters:
        for char in confusables().get(letter, ()):
            if len(char) == 1 and not char.isascii() and unicodedata.category(char)[0] in "LN":
                # Unicode's prototype of every vertical bar is "l"
                bar = letter == "l" and char.isupper()
                table.setdefault(char, "I" if bar else letter)
    return table


def _is_disguise_among_many(text: str, start: int, end: int) -> bool:
    """Whether a run of look-alikes is a disguise where many are: all but numbers that stand by themselves."""
    around = text[max(start - 1, 0) : start] + text[end : end + 1]
    return any(char.isalpha() for char in text[start:end] + around)


def _is_latin(char: str) -> bool:
    """Whether ``char`` is a letter of Latin orthographies (not of phonetic alphabets)."""
    return char.isalpha() and ord(char) <= LAST_LATIN


def _is_disguise(text: str, start: int, end: int) -> bool:
    """Whether the run of look-alikes ``text[start:end]`` stands in a Latin word, or for one."""
    left, right = text[max(start - 2, 0) : start], text[end : end + 2]
    latin_left = len(left) - len(left.rstrip(string.ascii_letters))
    latin_right = len(right) - len(right.lstrip(string.ascii_letters))
    char = text[start]
    if "\u0370" <= char <= "\u03ff":
        return latin_left + latin_right > 1
    if latin_left or latin_right:
        return True
    alone = end - start == 1 and "\u0400" <= char <= "\u052f" and right[:1] == " "
    return alone and _is_latin(right[1:] or " ") and (not left[:1].isalpha() or _is_latin(left[0]))
