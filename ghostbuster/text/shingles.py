"""Word shingles: hashes of every run of so many words, to find passages that texts have in common."""

from __future__ import annotations

import re
import zlib

import numpy as np
import numpy.typing as npt

_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that multiplying by it loses nothing modulo 2^64
_WORD = re.compile(r"[^\W_]+")

Hashes = npt.NDArray[np.uint64]


def shingles(text: str, length: int) -> Hashes:
    """A 64-bit polynomial hash of every run of ``length`` words, whatever case and marks they have.

    Returns
    -------
    array of shape (max(n_words - length + 1, 0),)
        In the order of the text; runs that occur twice stand twice.

    References
    ----------
    Broder, "On the Resemblance and Containment of Documents", SEQUENCES 1997.
    """
    words = _WORD.findall(text.casefold())
    if len(words) < length:
        return np.empty(0, dtype=np.uint64)
    codes = np.array([zlib.crc32(word.encode(errors="replace")) for word in words], dtype=np.uint64)
    hashed = np.zeros(codes.size - length + 1, dtype=np.uint64)
    for place in range(length):  # uint64 arithmetic wraps, as a hash modulo 2^64 wants
        hashed = hashed * np.uint64(_MULTIPLIER) + codes[place : place + hashed.size]
    return hashed


def containment(hashes: Hashes, known: Hashes) -> float:
    """Share of one text's shingles that another has too, 0 to 1; 0 for a text without one.

    Parameters
    ----------
    hashes, known : arrays of `shingles`
    """
    return float(np.isin(hashes, known).mean()) if hashes.size else 0.0


def share_distinct(hashes: Hashes) -> float:
    """Share of a text's shingles that are not repeats, 0 to 1; 1 for a text without one."""
    return np.unique(hashes).size / hashes.size if hashes.size else 1.0
