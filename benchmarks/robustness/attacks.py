"""Adversarial attacks of the RAID benchmark, implemented from its paper.

Dugan et al. 2024, "RAID: A Shared Benchmark for Robust Evaluation of Machine-Generated Text Detectors"
(arXiv:2405.07940): each changes a share of the places that it could change. Where the description leaves
a choice, the harsher reading is taken. Paraphrase needs a large language model and is not here: texts of a
labelled source that were paraphrased stand in for it. ``homoglyph, any script`` is not RAID's: it draws on
all of Unicode.

A text, an attack and a seed give the same result everywhere: chance hangs on their digest alone.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.robustness.wordnet import DEFAULT_FOLDER, synonyms

# Letters that look alike in most typefaces: Cyrillic and Greek for Latin.
LOOKALIKES = dict(
    zip(
        "aceijopsxyABCEHIJKMNOPSTXYZ",
        "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443"
        "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u039d\u041e\u0420\u0405\u0422\u0425\u03a5\u0396",
        strict=True,
    )
)
ZERO_WIDTH = "\u200b"
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

Chance = np.random.Generator
Change = Callable[[str, Chance, float], str]


@dataclass(frozen=True)
class Attack:
    """A row of `ATTACKS`.

    Parameters
    ----------
    change : callable
        Text, source of chance and share in, text out.
    share : float
        Of the places that could be changed, as RAID chose it.
    undone : bool
        Whether canonicalisation can restore the text, at least to the detector's eye.
    """

    change: Change
    share: float
    undone: bool = False


def attack(name: str, text: str, seed: int = 0) -> str:
    """``text`` after the attack ``name`` of `ATTACKS`."""
    row = ATTACKS[name]
    key = hashlib.sha256(f"{seed}\0{name}\0{text}".encode(errors="replace")).digest()
    return row.change(text, np.random.default_rng(list(key)), row.share)


def _some(pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> Change:
    """Change a share of a pattern's matches."""

    def changed(text: str, chance: Chance, share: float) -> str:
        return pattern.sub(lambda m: change(m) if chance.random() < share else m.group(), text)

    return changed


def _homoglyph(text: str, chance: Chance, share: float) -> str:
    return "".join(LOOKALIKES.get(c, c) if chance.random() < share else c for c in text)


@cache
def every_lookalike() -> dict[str, tuple[str, ...]]:
    """Letters of Unicode's confusables for each Latin letter, in its case where they have one."""
    from confusable_homoglyphs.confusables import confusables_data

    return {
        letter: tuple(char for row in confusables_data[letter] if _passes_for(char := row["c"], letter))
        for letter in string.ascii_letters
        if letter in confusables_data
    }


def _passes_for(char: str, letter: str) -> bool:
    if len(char) != 1 or char.isascii() or not unicodedata.category(char).startswith("L"):
        return False
    another = unicodedata.normalize("NFKC", char)  # the long s is an s to Unicode, though it looks like an f
    if another.isascii() and another.casefold() != letter.casefold():
        return False
    return (char.isupper() or char.islower()) <= (char.isupper() == letter.isupper())


def _any_homoglyph(text: str, chance: Chance, share: float) -> str:
    def change(char: str) -> str:
        others = every_lookalike().get(char, ())
        return others[int(chance.integers(len(others)))] if others and chance.random() < share else char

    return "".join(map(change, text))


def _number(text: str, chance: Chance, share: float) -> str:
    return re.sub(r"\d", lambda m: str(chance.integers(10)) if chance.random() < share else m.group(), text)


def _between(mark: str) -> Change:
    """Put ``mark`` after a share of the characters."""

    def changed(text: str, chance: Chance, share: float) -> str:
        return "".join(c + mark if chance.random() < share else c for c in text)

    return changed


def _word_for_word(words: Callable[[], Mapping[str, tuple[str, ...]]]) -> Change:
    """Put another word in a share of the places where ``words`` knows one; capitals stay."""

    def changed(text: str, chance: Chance, share: float) -> str:
        known = words()

        def change(match: re.Match[str]) -> str:
            old = match.group()
            others = known.get(old.lower(), ())
            if not others or chance.random() >= share:
                return old
            new = others[int(chance.integers(len(others)))]
            return new.capitalize() if old[0].isupper() else new

        return _WORD.sub(change, text)

    return changed


@cache
def misspellings() -> dict[str, tuple[str, ...]]:
    """Common misspellings of each word, from codespell's dictionary of corrections."""
    found: dict[str, list[str]] = {}
    for wrong, right in _corrections("dictionary.txt"):
        found.setdefault(right, []).append(wrong)
    return {word: tuple(sorted(wrong)) for word, wrong in found.items()}


@cache
def british() -> dict[str, tuple[str, ...]]:
    """British spellings of American words, from codespell."""
    return {american: (briton,) for briton, american in _corrections("dictionary_en-GB_to_en-US.txt")}


def _corrections(name: str) -> list[tuple[str, str]]:
    """Pairs (wrong, right); of several corrections the first."""
    import codespell_lib

    lines = (Path(codespell_lib.__file__).parent / "data" / name).read_text("utf-8").splitlines()
    pairs = [line.split("->") for line in lines if "->" in line]
    return [(wrong, right.partition(",")[0].strip()) for wrong, right in pairs]


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    return synonyms(DEFAULT_FOLDER)


ATTACKS = {
    "homoglyph": Attack(_homoglyph, 1.0, undone=True),
    "homoglyph, any script": Attack(_any_homoglyph, 1.0, undone=True),
    "number": Attack(_number, 0.5),
    "article deletion": Attack(_some(_ARTICLE, lambda _: ""), 0.5),
    "paragraph insertion": Attack(_some(_SENTENCE_END, lambda _: "\n\n"), 0.5, undone=True),
    "misspelling": Attack(_word_for_word(misspellings), 0.2),
    "upper and lower": Attack(_some(_WORD, lambda m: m.group().swapcase()), 0.05),
    "white space": Attack(_between(" "), 0.2, undone=False),
    "zero width": Attack(_between(ZERO_WIDTH), 1.0, undone=True),
    "synonym": Attack(_word_for_word(_synonyms), 0.5),
    "alternative spelling": Attack(_word_for_word(british), 1.0),
}
