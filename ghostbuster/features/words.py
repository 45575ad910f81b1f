"""Split a text into words, and find the word in which each token ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyInt, Int64

_WORD = re.compile(r"\S+")


def split(text: str) -> list[tuple[str, int]]:
    """Each word, delimited by white space, and the character behind it; white space alone is one word."""
    found = [(match.group(), match.end()) for match in _WORD.finditer(text)]
    return found or [(text, len(text))] * bool(text)


def owners(ends: AnyInt, word_ends: AnyInt) -> npt.NDArray[np.intp]:
    """Index of the word in which each unit of one text ends: (n_units,).

    A unit that ends in white space belongs to the next word, or to the last.

    Parameters
    ----------
    ends : array of shape (n_units,)
        Character behind each unit.
    word_ends : array of shape (n_words,)
        Character behind each word.
    """
    return np.minimum(np.searchsorted(word_ends, ends, side="left"), max(word_ends.size - 1, 0))


def word_ends(words: Sequence[tuple[str, int]]) -> Int64:
    """Character behind each word of ``split``."""
    return np.array([end for _, end in words], dtype=np.int64)
