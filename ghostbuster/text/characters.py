"""Repair, remove or replace characters that are not what they look like (homoglyphs, zero-width marks)."""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from collections.abc import Callable
from itertools import groupby

from ghostbuster.text import encoding

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
_MARK_FLOOD = re.compile(f"[{_MARKS}]{{4,}}")  # polytonic Greek, the richest of scripts, stacks three
_MAYBE_MARKS = re.compile(r"[^\x00-\u02ff\w\s]{31,}")  # every combining mark is among these
MOST_MARKS = 30  # on one letter, in text of any script: UAX #15, Stream-Safe Text Format
_OVERLAYS = re.compile(r"(?<=[^\W\d_])[\u0334-\u0338]+")  # strike-through

# Zero-width and directional marks, fillers, soft hyphens, tags. Emoji need some: see _EMOJI_MARKS.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]+"
)
_EMOJI_MARKS = re.compile("(?<=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff#*0-9])[\ufe0e\ufe0f\u200d]+")

LAST_LATIN = 0x24F  # the end of Latin Extended-B; phonetic letters, a disguise, come after
_LETTERS = frozenset(("Lu", "Ll", "Lt", "Lo", "Nl"))  # Nl: Roman numerals

FEWEST_DISGUISES = 0.02  # share of letters in disguise from which on no other script is taken at its word

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NESTED_AMPERSAND = re.compile(r"&(?:amp;){2,}")
_STYLED = re.compile("[\U0001d400-\U0001d7ff]+")  # mathematical bold, script, monospace


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


def remove_invisible(text: str) -> tuple[str, int]:
    """Remove marks that a reader cannot see; those that belong to emoji are not counted."""
    if text.isascii():
        return text, 0
    text = _EMOJI_MARKS.sub("", text)
    kept = _INVISIBLE.sub("", text)
    return kept, len(text) - len(kept)


def normalise(text: str) -> tuple[str, int]:
    """Replace HTML entities, ligatures, full-width forms, controls and surrogates; compose to NFC."""
    if text.isascii() and "&" not in text and not _CONTROLS.search(text):
        return text, 0
    text = encoding.unescape(_NESTED_AMPERSAND.sub("&", text))
    if _MARK_FLOOD.search(text) or _is_flooded(text):
        return text, 0  # entities held a flood of marks: the next pass trims it
    return encoding.compose(text), 0


def replace_lookalikes(text: str) -> tuple[str, int]:
    """Replace homoglyphs: letters of other scripts inside Latin words by the Latin letters they resemble.

    A word wholly in another script stays, and so does a Greek letter beside a single Latin one (physics
    writes those); unless so many words are disguised that these are disguises too.
    """
    if text.isascii():
        return text, 0
    styled = sum(len(m.group()) for m in _STYLED.finditer(text))
    if styled:
        text = _STYLED.sub(lambda m: unicodedata.normalize("NFKC", m.group()), text)
    text, n = _replace(text, _lookalikes(), _is_disguise)
    if n and _are_many(n, text):
        text, more = _replace(text, _letters_and_digits(), _is_disguise_among_many)
        n += more
    return text, styled + n


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
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, str] = {}
    for letter in string.ascii_letters:
        for entry in confusables_data.get(letter, ()):
            char = entry["c"]
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
