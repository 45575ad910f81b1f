"""Long texts in pieces that can be read side by side: overlapping windows that score every token once."""

from __future__ import annotations

import numpy as np

from ghostbuster.arrays import Int64

Windows = Int64


def windows(offsets: Int64, length: int, overlap: int) -> Windows:
    """Cut each text into windows of at most ``length`` tokens.

    Window 0 of a text scores all its tokens. Every later one begins ``overlap`` tokens before the end of its
    predecessor; those are read and not scored. A text's windows depend on nothing but its own length.

    Parameters
    ----------
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns tokens ``offsets[i]:offsets[i + 1]``.
    length : int, tokens, at least 2
        The begin token takes the place of the last token, which is predicted but never read.
    overlap : int, tokens, less than ``length``

    Returns
    -------
    array of shape (n_windows, 3)
        ``start`` (first token read), ``scored`` (first token scored), ``stop``; text after text.
    """
    step = length - overlap
    lengths = np.diff(offsets)
    counts = np.where(lengths > length, 1 + -(-(lengths - length) // step), lengths > 0)
    of_text = np.repeat(np.arange(lengths.size), counts)
    nth = np.arange(of_text.size) - np.repeat(np.cumsum(counts) - counts, counts)
    start = offsets[of_text] + nth * step
    stop = np.minimum(start + length, offsets[of_text + 1])
    return np.column_stack([start, start + np.where(nth > 0, overlap, 0), stop])
