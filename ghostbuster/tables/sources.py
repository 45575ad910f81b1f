"""Tables read a chunk at a time, however long they are. To add a kind, add its row to ``SOURCES``."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.system.printable import encodable
from ghostbuster.tables.chunks import ArrowChunk, Chunk, RecordChunk, Source, readable
from ghostbuster.tables.folder import FolderSource
from ghostbuster.text.prepare import BYTE_ORDER_MARKS

CHUNK_ROWS = 512
CHUNK_BYTES = 2**20
"""A chunk of a file of lines ends with the row that reaches either."""
MOST_CELL = 2**30
"""Characters of a CSV cell; the csv module's own limit is shorter than an essay."""

_END = "\x00the file's end"  # read as a cell of its own, unless a quote before it was never closed


class FileSource:
    """A table in one file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []

    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        with readable(self.path), self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    def chunks(self, only: str | None = None) -> Iterator[Chunk]:
        """All rows in order; of one column where the kind can do so at less cost.

        Raises
        ------
        InputError
            When the file cannot be read, or is not of its kind.
        """
        with readable(self.path):
            yield from self._chunks(only)

    def _chunks(self, only: str | None) -> Iterator[Chunk]:
        raise NotImplementedError


class DelimitedSource(FileSource):
    """CSV and TSV: cells are strings; bytes that are not UTF-8 stay what they are."""

    separator = ","

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - lines hold all columns
        csv.field_size_limit(MOST_CELL)
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            cells = _closed(csv.reader(_with_end(handle), delimiter=self.separator))
            self.columns = self._header(next(cells, None))
            yield from _gathered(map(self._row, cells))

    def _header(self, names: list[str] | None) -> list[str]:
        with self.path.open("rb") as handle:
            mark = next((e for m, e in BYTE_ORDER_MARKS.items() if handle.peek(4).startswith(m)), "utf-8")
        if not mark.startswith("utf-8"):
            raise ValueError(f"it is in {mark.upper()}; expected UTF-8")
        if not names:
            raise ValueError("no header; expected the columns' names in the first line")
        for name in names:
            if encodable(name) != name:
                raise ValueError(f"column name {encodable(name)!r} is not UTF-8")
        return names

    def _row(self, cells: list[str]) -> tuple[dict[str, Any], str]:
        n, expected = len(cells), len(self.columns)
        counted = f"{n} cell" if n == 1 else f"{n} cells"
        fault = "" if n == expected else f"{counted}; expected {expected}, as in the header"
        if n > expected:
            surplus = json.dumps([encodable(cell) for cell in cells[expected:]], ensure_ascii=False)
            fault += f"; beyond them: {surplus}"
        return dict(zip(self.columns, cells + [""] * (expected - n), strict=False)), fault


class TabSource(DelimitedSource):
    """Cells between tabulators."""

    separator = "\t"


class LineSource(FileSource):
    """JSON lines: an object a line; columns are all keys that occur."""

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - lines hold all columns
        known = dict.fromkeys(self.columns)
        with self.path.open("rb") as handle:
            for chunk in _gathered(_object(line) for line in _filled(handle)):
                for row in chunk.rows:
                    known.update(dict.fromkeys(row))
                yield chunk
        self.columns = list(known)


class ParquetSource(FileSource):
    """Parquet: a batch at a time, one column alone where no other is asked for.

    Attributes
    ----------
    schema : pyarrow.Schema
        Known when the first chunk was read.
    """

    schema: Any

    def _chunks(self, only: str | None) -> Iterator[Chunk]:
        import pyarrow.parquet as pq

        try:
            yield from self._batches(pq, only)
        except (
            TypeError,
            LookupError,
            NotImplementedError,
        ) as error:  # those of pyarrow that are no ValueErrors
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def _batches(self, pq: Any, only: str | None) -> Iterator[Chunk]:
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=CHUNK_BYTES) as file:
            self.schema = file.schema_arrow
            self.columns = list(self.schema.names)
            columns = [only] if only in self.columns else None
            for batch in file.iter_batches(CHUNK_ROWS, columns=columns):
                batch.validate(full=True)
                yield ArrowChunk(batch)


SOURCES: dict[str, type[FileSource]] = {
    ".csv": DelimitedSource,
    ".tsv": TabSource,
    ".jsonl": LineSource,
    ".ndjson": LineSource,
    ".parquet": ParquetSource,
}
"""Suffix to the way a table is read."""


def open_source(path: Path, id_column: str, text_column: str) -> Source:
    """A table file or a folder of documents.

    Raises
    ------
    InputError
        When there is no such file or folder, or no kind has its suffix.
    """
    if path.is_dir() and path.suffix.lower() not in SOURCES:
        return FolderSource(path, id_column, text_column)
    if path.suffix.lower() not in SOURCES:
        raise unknown(path.suffix.lower() or path.name, SOURCES, "kind of table", InputError)
    return SOURCES[path.suffix.lower()](path)


def _gathered(rows: Iterator[tuple[dict[str, Any], str]]) -> Iterator[RecordChunk]:
    """Rows in chunks that no long text makes large."""
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


def _with_end(lines: Iterator[str]) -> Iterator[str]:
    yield from lines
    yield _END


def _closed(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows with cells; the last quote has to be closed, or rows have vanished in a cell."""
    for number, cells in enumerate(rows):
        if cells and cells[-1].endswith(_END):
            if cells != [_END]:
                raise ValueError(f"row {number} opens a quote that is never closed")
            return
        if cells:
            yield cells


def _filled(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines that hold anything; a byte order mark before the first belongs to none."""
    for number, line in enumerate(lines):
        kept = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        if kept.strip():
            yield kept


def _object(line: bytes) -> tuple[dict[str, Any], str]:
    """The object of a line, or what is wrong with the line and all that it holds."""
    shown = line.decode("utf-8", "backslashreplace").strip()
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return {}, f"not UTF-8 (byte 0x{line[error.start]:02x} at {error.start + 1}): {shown}"
    except (ValueError, RecursionError) as error:
        return {}, f"no JSON ({error}): {shown}"
    return (value, "") if isinstance(value, dict) else ({}, f"no JSON object: {shown}")
