"""Short hashes of the texts that an adapter learned from: whether one was, without keeping it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def text_hashes(prepared: Iterable[str]) -> npt.NDArray[np.uint64]:
    """64 bits of each prepared text's letters and digits, whatever stands between them; shape (n_texts,)."""
    letters = ("".join(filter(str.isalnum, text.casefold())) for text in prepared)
    digests = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in letters]
    return np.array([int.from_bytes(one, "little") for one in digests], dtype=np.uint64)
