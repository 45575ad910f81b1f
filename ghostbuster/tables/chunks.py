"""Rows in memory and the texts in them: what a cell holds, and what is wrong with one that holds no text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostbuster.errors import GhostbusterError, InputError
from ghostbuster.registry import unknown
from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Chunk, TextRow

CHUNK_ROWS = 512
CHUNK_BYTES = 2**20
"""A chunk of a file of lines ends with the row that reaches either."""

LONGEST_NAME = 40
"""Characters of a column's name that messages show."""

ABSENT = object()
"""Value of a column that a row does not have."""


@dataclass(frozen=True)
class RecordChunk:
    """Rows of a text file, each a dict from column to value."""

    rows: Sequence[dict[str, Any]]
    faults: Sequence[str]

    def values(self, column: str) -> list[Any]:
        """Values of a column; ``ABSENT`` where a row does not have it."""
        return [row.get(column, ABSENT) for row in self.rows]

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows, each a dict from column to value."""
        return self.rows


def gather_chunks(rows: Iterator[tuple[dict[str, Any], str]]) -> Iterator[RecordChunk]:
    """Group rows and their faults into chunks of bounded size."""
    listed: list[dict[str, Any]] = []
    faults: list[str] = []
    size = 0
    for row, fault in rows:
        listed.append(row)
        faults.append(fault)
        size += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(listed) == CHUNK_ROWS or size >= CHUNK_BYTES:
            yield RecordChunk(listed, faults)
            listed, faults, size = [], [], 0
    if listed:
        yield RecordChunk(listed, faults)


def texts_in(chunk: Chunk, column: str) -> Iterator[TextRow]:
    """The text of each row, or what is wrong with it."""
    for value, fault in zip(chunk.values(column), chunk.faults, strict=True):
        wrong = fault or fault_of(value, column)
        yield TextRow("", wrong) if wrong else TextRow(value)


def fault_of(value: Any, column: str) -> str:
    """What is wrong with a cell that should hold a text; empty if nothing is."""
    if value is ABSENT:
        return f"no column {column!r} in this row; expected a text"
    if value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        return f"column {column!r} holds nothing; expected a text"
    if not isinstance(value, str):
        return f"column {column!r} holds {type(value).__name__}; expected a text"
    try:
        value.encode()
    except UnicodeEncodeError as error:
        letter, at = value[error.start], error.start + 1
        if "\udc80" <= letter <= "\udcff":  # how Python keeps a byte that it cannot decode
            byte = ord(letter) - 0xDC00
            return f"column {column!r} is not UTF-8 (byte 0x{byte:02x} at character {at}); expected a text"
        return f"column {column!r} holds half a character ({encodable(letter)}, at {at}); expected a text"
    return ""


def check_names(columns: Sequence[str], path: Path) -> None:
    """Refuse a table with two columns of one name.

    Raises
    ------
    InputError
        Names the first such.
    """
    double = next((name for i, name in enumerate(columns) if name in columns[:i]), None)
    if double is not None:
        raise InputError(f"{path} has two columns called {double!r}: rename one")


def unknown_column(name: str, columns: Sequence[str], path: Path) -> GhostbusterError:
    """The error for a column that a table does not have.

    One whose only column has another name has a first line that names no columns, or cells that nothing
    known parts: whoever named that column would have whole lines judged.
    """
    shown = [one if len(one) <= LONGEST_NAME else one[: LONGEST_NAME - 1] + "\u2026" for one in columns]
    if len(columns) == 1 and not columns[0].replace("_", "").isalnum():
        return InputError(
            f"{path} has no column {name!r}: its first line is {shown[0]!r}; expected the columns' names, "
            "parted by commas, semicolons or tabs: save it as CSV with a header"
        )
    return unknown(name, shown, f"column of {path}", InputError)


def is_missing(value: Any) -> bool:
    """Whether a cell of a DataFrame holds nothing at all."""
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def is_blank(value: Any) -> bool:
    """Whether a cell of a DataFrame holds nothing, or white space only."""
    return not value.strip() if isinstance(value, str) else is_missing(value)


@contextmanager
def conversion_errors() -> Iterator[None]:
    """Catch what Arrow raises for values that Python cannot hold: years after 9999, text that is not UTF-8.

    Raises
    ------
    InputError
        With what is wrong with them.
    """
    try:
        yield
    except (ValueError, OverflowError, TypeError, LookupError, NotImplementedError) as error:
        raise InputError(f"a Parquet column holds what cannot be read ({error}): drop or mend it") from error
