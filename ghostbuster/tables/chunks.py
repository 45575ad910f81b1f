"""What a table is read as: some rows at a time, and what is wrong with each."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable

if TYPE_CHECKING:
    from pyarrow import RecordBatch

ABSENT = object()
"""Value of a column that a row does not have."""


class Chunk(Protocol):
    """Rows that stand one after another.

    Attributes
    ----------
    faults : sequence of str, length n_rows
        What is wrong with a row as a whole; empty for a sound one.
    """

    @property
    def faults(self) -> Sequence[str]: ...  # noqa: D102

    def values(self, column: str) -> list[Any]:
        """A column, ``ABSENT`` where a row has no such."""
        ...

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows by column."""
        ...


class Source(Protocol):
    """A table that can be read again and again, in chunks.

    Attributes
    ----------
    path : Path
    columns : list of str
        In order; known once all chunks were read for the first time.
    """

    path: Path
    columns: list[str]

    def chunks(self, only: str | None = None) -> Iterator[Chunk]:
        """All rows in order, or one column of them."""
        ...

    def digest(self) -> str:
        """SHA-256 of what the table holds."""
        ...


@dataclass(frozen=True)
class RecordChunk:
    """Rows of a file of lines."""

    rows: Sequence[dict[str, Any]]
    faults: Sequence[str]

    def values(self, column: str) -> list[Any]:
        """A column, ``ABSENT`` where a row has no such."""
        return [row.get(column, ABSENT) for row in self.rows]

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows by column."""
        return self.rows


@dataclass(frozen=True)
class ArrowChunk:
    """Rows of a Parquet file, types and all."""

    batch: RecordBatch

    @property
    def faults(self) -> Sequence[str]:
        """None: damage shows before rows do."""
        return [""] * len(self.batch)

    def values(self, column: str) -> list[Any]:
        """A column."""
        with unpackable():
            listed: list[Any] = self.batch.column(column).to_pylist()
        return listed

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows by column."""
        with unpackable():
            rows: list[dict[str, Any]] = self.batch.to_pylist()
        return rows


def texts_in(chunk: Chunk, column: str) -> Iterator[tuple[str, str]]:
    """The text of each row and what is wrong with it; one of the two is always empty."""
    for value, fault in zip(chunk.values(column), chunk.faults, strict=True):
        wrong = fault or fault_of(value, column)
        yield ("", wrong) if wrong else (value, "")


def fault_of(value: Any, column: str) -> str:
    """Why a cell is no text, or nothing where it is one."""
    if value is ABSENT:
        return f"no column {column!r} in this row; expected a text"
    if value is None or (isinstance(value, float) and math.isnan(value)):
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


@contextmanager
def unpackable() -> Iterator[None]:
    """Values of a Parquet file that Python has none for: years after 9999, bytes that are no UTF-8.

    Raises
    ------
    InputError
        With what is wrong with them.
    """
    try:
        yield
    except (ValueError, OverflowError, TypeError, LookupError, NotImplementedError) as error:
        raise InputError(f"a Parquet column holds what cannot be read ({error}): drop or mend it") from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What goes wrong with a file, as its reader should read it."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: give the path of a table or a folder") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}): expected a table") from None
    except (ValueError, csv.Error) as error:  # pyarrow's own errors are ValueErrors
        if isinstance(error, InputError):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} is no {path.suffix[1:].upper()} table ({first}): check the file") from None
