"""Groups of texts that may not be split: a prompt, a document or a passage in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ghostbuster.text.shingles import shingles as passages

PASSAGE = 16  # words that two texts must share in a row; shorter runs are set phrases
COMMON = 30  # a passage in more texts than this is boilerplate, not kinship


def components(n: int, sets: Iterable[Sequence[int]]) -> npt.NDArray[np.intp]:
    """Connected components of ``n`` items when all items of each set belong together.

    Returns
    -------
    array of shape (n,)
        The smallest index of each item's component.
    """
    parent = list(range(n))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for members in sets:
        for other in members[1:]:
            a, b = sorted((root(int(members[0])), root(int(other))))
            parent[b] = a
    return np.array([root(item) for item in range(n)], dtype=np.intp)


def shingles(texts: Sequence[str], length: int = PASSAGE) -> list[npt.NDArray[np.intp]]:
    """Sets of texts that share ``length`` words in a row, whatever the case and the marks between them.

    Passages are compared by a 64-bit hash.
    """
    hashes, owners = [], []
    for index, text in enumerate(texts):
        found = np.unique(passages(text, length))
        hashes.append(found)
        owners.append(np.full(found.size, index, dtype=np.intp))
    if not hashes:
        return []
    values, texts_of = np.concatenate(hashes), np.concatenate(owners)
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=values[order][:1] + np.uint64(1)))
    found = np.split(texts_of[order], starts[1:]) if starts.size else []
    return [members for members in found if 1 < members.size <= COMMON]
