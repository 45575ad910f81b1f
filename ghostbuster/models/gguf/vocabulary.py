"""Digest of a tokenizer's vocabulary: with equal digests, equal token ids are equal pieces of text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np


def vocabulary_digest(pieces: Sequence[bytes], scores: Sequence[float], types: Sequence[int]) -> str:
    """SHA-256 over the number of pieces, every piece with its length, the scores and the types.

    Parameters
    ----------
    pieces : sequence of bytes, length n_vocabulary
        As a GGUF file stores them.
    scores : sequence of float, length n_vocabulary or 0
        Hashed as float32, little-endian.
    types : sequence of int, length n_vocabulary or 0
        Hashed as int32, little-endian.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    hasher = hashlib.sha256(len(pieces).to_bytes(8, "little"))
    for piece in pieces:
        hasher.update(len(piece).to_bytes(4, "little"))
        hasher.update(piece)
    hasher.update(np.asarray(scores, dtype="<f4").tobytes())
    hasher.update(np.asarray(types, dtype="<i4").tobytes())
    return hasher.hexdigest()
