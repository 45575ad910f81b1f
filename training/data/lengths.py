"""Length matching: cut texts so that human and machine texts have one distribution of word counts."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

SENTENCE_END = re.compile(r"[.!?][\"'\u201d\u2019)\]]*(?=\s|$)")


def sentence_ends(text: str) -> list[int]:
    """Where sentences end, in characters; the end of the text is always the last."""
    ends = [found.end() for found in SENTENCE_END.finditer(text)]
    whole = len(text.rstrip())
    return ends if ends and ends[-1] == whole else [*ends, whole]


def cut_to(text: str, n_words: int) -> str:
    """The first sentences of ``text``: as many as bring it nearest to ``n_words`` words, at least one."""
    if len(text.split()) <= n_words:
        return text
    ends = sentence_ends(text)
    lengths = np.array([len(text[:end].split()) for end in ends])
    return text[: ends[int(np.argmin(np.abs(lengths - n_words)))]]


def matched_targets(
    lengths: npt.NDArray[np.integer], labels: npt.NDArray[np.integer], max_words: int
) -> npt.NDArray[np.intp]:
    """To how many words each text is to be cut so that both classes are equally long.

    Parameters
    ----------
    lengths : array of shape (n_texts,), in words
    labels : array of shape (n_texts,), 0 or 1; with one class only, lengths are just capped
    max_words : int
        No text stays longer.

    Returns
    -------
    array of shape (n_texts,)
        min(own length, the other class's length at the same quantile, ``max_words``).
    """
    capped = np.minimum(lengths, max_words)
    targets = capped.astype(np.intp)
    for label in (0, 1):
        own, other = np.flatnonzero(labels == label), capped[labels != label]
        if not own.size or not other.size:
            continue
        order = own[np.argsort(capped[own], kind="stable")]
        quantiles = (np.arange(own.size) + 0.5) / own.size
        theirs = np.quantile(other, quantiles, method="hazen")
        targets[order] = np.minimum(capped[order], np.maximum(np.rint(theirs), 1)).astype(np.intp)
    return targets
