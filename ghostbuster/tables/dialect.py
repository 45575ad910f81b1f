"""How a file of cells is written: its encoding, its separator, and the line that names it to spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ghostbuster.text.encoding import BYTE_ORDER_MARKS

MOST_CELL = 2**30
"""Characters of a cell; the csv module's own limit is shorter than an essay."""
SEPARATORS = (",", ";", "\t", "|")
"""What spreadsheets and databases put between cells."""
SAMPLE_CHARACTERS = 2**18
SAMPLE_ROWS = 50
"""Rows at most whose cells are counted to find the separator."""
LEAST_ALIKE = 0.5
"""Share of them that another separator than the usual one must part like the header."""

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?,*\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a table of one file is written; what is made of it is written likewise.

    Attributes
    ----------
    encoding : str
        For reading: Python's name; it drops the byte order mark.
    mark : bytes
        Byte order mark at the file's beginning; empty where there is none.
    separator : str
    separator_line : str
        The first line where that is ``sep=;`` or the like, which spreadsheets read; its line end included.
    """

    encoding: str = "utf-8"
    mark: bytes = b""
    separator: str = ","
    separator_line: str = ""

    @property
    def written(self) -> str:
        """Encoding for writing: that of the mark, without adding another."""
        ends = {b"\xff\xfe": "-le", b"\xfe\xff": "-be", b"\xff\xfe\0\0": "-le", b"\0\0\xfe\xff": "-be"}
        return self.encoding.removesuffix("-sig") + ends.get(self.mark, "")

    @property
    def errors(self) -> str:
        """How bytes are kept that are no characters: any byte of UTF-8, half a character of UTF-16."""
        return "surrogateescape" if self.encoding.startswith("utf-8") else "surrogatepass"

    def between(self, separator: str) -> Dialect:
        """The same encoding with another separator, and without a line that names it."""
        return replace(self, separator=separator, separator_line="")


def encoding_of(path: Path) -> Dialect:
    """Encoding by the byte order mark; UTF-8 without one.

    Raises
    ------
    ValueError
        When the bytes look like UTF-16 without its mark.
    """
    with path.open("rb") as handle:
        head = handle.read(64)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return Dialect(encoding, mark)
    if b"\0" in head[:2]:
        raise ValueError("it looks like UTF-16 without a byte order mark; save it as UTF-8")
    return Dialect()


def dialect_of(path: Path, usual: str) -> Dialect:
    """Encoding and separator of a file of cells.

    The separator is what a ``sep=`` line names. Without one it is ``usual``, unless that parts the header
    into fewer cells than two, or its rows into other numbers of cells than the header, where another one
    parts them all alike.

    Parameters
    ----------
    path : Path
    usual : str
        The separator that the file's suffix stands for.
    """
    found = encoding_of(path)
    with path.open(encoding=found.encoding, errors=found.errors, newline="") as handle:
        sample = handle.read(SAMPLE_CHARACTERS)
    named = _SEPARATOR_LINE.match(sample)
    if named:
        return replace(found, separator=named[1], separator_line=named[0])
    if len(sample) == SAMPLE_CHARACTERS:
        sample = sample[: sample.rfind("\n") + 1] or sample
    shares = {one: _share_alike(sample, one) for one in dict.fromkeys((usual, *SEPARATORS))}
    best = max(shares, key=lambda one: shares[one])  # the first of equals: the usual one
    return replace(found, separator=best if shares[best] >= LEAST_ALIKE else usual)


def _share_alike(sample: str, separator: str) -> float:
    """Share of rows that have as many cells as the header; 0 where the header is a single cell."""
    csv.field_size_limit(MOST_CELL)
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    try:
        header, *counts = [len(row) for row in islice(rows, SAMPLE_ROWS) if row] or [0]
    except csv.Error:
        return 0.0
    if header < 2:  # noqa: PLR2004 - a separator has cells on both sides
        return 0.0
    return counts.count(header) / len(counts) if counts else 1.0
