"""Cut an input into parts: runs of rows of about as many characters each, which is what reading costs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PARTS_A_WORKER = 8
"""Parts are so small that a worker does as many, unless that makes them smaller or larger than below."""
LEAST_CHARACTERS, MOST_CHARACTERS = 2**16, 2**25
"""Characters of a part: a second or so of the embedded models, and what a worker may have to do again."""
MOST_ROWS = 2**16
MOST_MARKS = 2048
"""Rows of a file at which a part can end; with more characters they are further apart."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive rows of one file.

    Attributes
    ----------
    file : int
        Position of the file in the input.
    start : int
        Its first row, from 0.
    n_rows, n_characters : int
    """

    file: int
    start: int
    n_rows: int
    n_characters: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one worker does in one go, and one file of the output.

    Attributes
    ----------
    number : int
        From 0; parts in the order of their numbers are the input in order.
    name : str
        Of its file: from its number, and a digest of what is in it and of all that moves its scores.
    spans : tuple of Span
    """

    number: int
    name: str
    spans: tuple[Span, ...]

    @property
    def errors_name(self) -> str:
        """Name of the file that lists its rows with an error; it is there before the part is."""
        return f"_{self.name.rpartition('.')[0]}.errors.json"

    @property
    def n_rows(self) -> int:
        """Rows of all spans."""
        return sum(one.n_rows for one in self.spans)

    @property
    def n_characters(self) -> int:
        """Characters of all spans' texts."""
        return sum(one.n_characters for one in self.spans)


class Marks:
    """Rows of a file at which a part can end, evenly by characters, however long the file is.

    Attributes
    ----------
    listed : list of (int, int)
        Rows and characters up to each, the last row's included once `close` was called.
    """

    def __init__(self) -> None:
        self.listed: list[tuple[int, int]] = []
        self._rows = self._characters = 0
        self._grain, self._grain_rows = LEAST_CHARACTERS // 4, 2**10
        self._last = (0, 0)

    def see(self, n_characters: int) -> None:
        """Take note of the next row."""
        self._rows += 1
        self._characters += n_characters
        rows, characters = self._last
        if self._characters - characters >= self._grain or self._rows - rows >= self._grain_rows:
            self._mark()

    def close(self) -> list[tuple[int, int]]:
        """All marks; the last is the end of the file."""
        if self._last[0] != self._rows:
            self._mark()
        return self.listed

    def _mark(self) -> None:
        self._last = (self._rows, self._characters)
        self.listed.append(self._last)
        if len(self.listed) == MOST_MARKS:
            self.listed = self.listed[1::2]
            self._grain, self._grain_rows = 2 * self._grain, 2 * self._grain_rows


def part_characters(n_characters: int, n_workers: int) -> int:
    """Characters that a part should have."""
    wanted = n_characters // max(n_workers * PARTS_A_WORKER, 1)
    return min(max(wanted, LEAST_CHARACTERS), MOST_CHARACTERS)


def cut(marks: Sequence[Sequence[tuple[int, int]]], size: int) -> list[tuple[Span, ...]]:
    """Cut files into runs of spans of about ``size`` characters, in order; every row is in one.

    Parameters
    ----------
    marks : sequence, one a file, of sequences of (rows, characters)
        As `Marks` lists them.
    size : int, characters
    """
    parts: list[tuple[Span, ...]] = []
    spans: list[Span] = []
    rows = characters = 0
    for file, listed in enumerate(marks):
        start = begun = 0  # rows and characters of the file before this span
        for n_rows, n_characters in listed:
            is_last = (n_rows, n_characters) == listed[-1]
            full = characters + n_characters - begun >= size or rows + n_rows - start >= MOST_ROWS
            if not (full or is_last):
                continue
            spans.append(Span(file, start, n_rows - start, n_characters - begun))
            rows, characters = rows + n_rows - start, characters + n_characters - begun
            start, begun = n_rows, n_characters
            if full:
                parts.append(tuple(spans))
                spans, rows, characters = [], 0, 0
    return [*parts, tuple(spans)] if spans else parts


def named(parts: Iterable[tuple[Span, ...]], identity: str, suffix: str) -> list[Part]:
    """Parts with the names of their files.

    Parameters
    ----------
    parts : iterable of tuple of Span
    identity : str
        Digest of everything that moves what is in a part.
    suffix : str
        Of the names, with the dot.
    """
    made = []
    for number, spans in enumerate(parts):
        content = repr((identity, number, [(one.file, one.start, one.n_rows) for one in spans]))
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        made.append(Part(number, f"part-{number:06d}-{digest}{suffix}", spans))
    return made
