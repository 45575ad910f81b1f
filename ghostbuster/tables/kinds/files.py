"""Base classes for kinds of tables that are one file: a reader, a sink of lines, and their errors."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ghostbuster.errors import InputError
from ghostbuster.tables.base import Added, Chunk, Layout, TextRow
from ghostbuster.tables.chunks import check_names, texts_in
from ghostbuster.tables.dialect import Dialect

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame


class FileReader:
    """Base class: a table in one file. A kind implements ``_chunks``, which sets ``columns``.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self.schema: pa.Schema | None = None
        self.n_rows: int | None = None
        self.dialect: Dialect | None = None
        self.passed_over = ""

    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        import hashlib

        with file_errors(self.path), self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    def chunks(self, only: str | None = None) -> Iterator[Chunk]:
        """All rows in order; of one column where the kind can do so at less cost.

        Raises
        ------
        InputError
            When the file cannot be read, or is not of its kind.
        """
        with file_errors(self.path):
            yield from self._chunks(only)

    def texts(self, column: str, start: int = 0) -> Iterator[TextRow]:
        """The text of each row, from row ``start`` on, or what is wrong with it."""
        return islice((row for chunk in self.chunks(column) for row in texts_in(chunk, column)), start, None)

    def _chunks(self, only: str | None) -> Iterator[Chunk]:
        raise NotImplementedError


class LineSink:
    """Base class: a file written line by line. A kind implements ``line``; ``header``, ``footer`` at need.

    Parameters
    ----------
    path : Path
    layout : Layout
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.columns, self.added = list(layout.kept), list(layout.added)
        self.dialect = Dialect()
        self._handle = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._handle.write(self._encoded(self.footer()))
        self._handle.close()

    def write(self, chunk: Chunk, added: Added) -> None:
        """Write rows with their new columns."""
        if not self._handle.tell():
            self._handle.write(self.dialect.mark + self._encoded(self.header()))
        for i, row in enumerate(chunk.records()):
            line = self.line(row, {name: added[name][i] for name in self.added})
            self._handle.write(self._encoded(line))

    def header(self) -> str:
        """What stands before the first row, its line end included."""
        return ""

    def footer(self) -> str:
        """What stands behind the last row."""
        return ""

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its line end included."""
        raise NotImplementedError

    def _encoded(self, text: str) -> bytes:
        """UTF-8, and whatever other bytes a CSV file held; UTF-16 where the input was."""
        if not self.dialect.encoding.startswith("utf-8"):
            return text.encode(self.dialect.written, "surrogatepass")
        for errors in ("strict", "surrogateescape"):
            try:
                return text.encode("utf-8", errors)
            except UnicodeEncodeError:
                continue
        return text.encode("utf-8", "backslashreplace")


def whole(reader: FileReader) -> DataFrame:
    """All rows of a file of lines in memory; a row with a fault ends it.

    Raises
    ------
    InputError
        When the file cannot be read, a row is no row, or two columns have one name.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for chunk in reader.chunks():
        for number, fault in enumerate(chunk.faults, start=len(rows) + 1):
            if fault:
                raise InputError(f"row {number} of {reader.path}: {fault}: mend it or drop the row")
        rows += chunk.records()
    check_names(reader.columns, reader.path)
    return pd.DataFrame(rows, columns=reader.columns, dtype=object)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn any error of reading a table into an InputError that names the file.

    Raises
    ------
    InputError
        When the file is missing, cannot be read, or is not of its kind.
    """
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
