"""Tables written a chunk at a time. To add a kind, add its row to ``SINKS``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.chunks import ArrowChunk, Chunk
from ghostbuster.tables.delimited import line

if TYPE_CHECKING:
    import pyarrow as pa

Added = Mapping[str, Sequence[Any]]
"""Values for new columns of a chunk, one a row; a sink takes those it was opened for."""

GROUP_BYTES = 32 * 2**20
"""Bytes after which a row group of a Parquet file ends."""
GROUP_ROWS = 2**16
NUMBER, WORD = "double", "string"
"""Types of added columns, as Arrow names them."""


class Sink(Protocol):
    """A table being written."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, chunk: Chunk, added: Added) -> None:
        """Rows with their new columns."""
        ...


class LineSink:
    """A file of lines.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        To keep, in order.
    added : mapping of str to str
        New columns and their types.
    """

    def __init__(self, path: Path, columns: Sequence[str], added: Mapping[str, str]) -> None:
        self.columns, self.added = list(columns), list(added)
        self._handle = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.close()

    def write(self, chunk: Chunk, added: Added) -> None:
        """Rows with their new columns."""
        if not self._handle.tell():
            self._handle.write(_encoded(self.header()))
        for i, row in enumerate(chunk.records()):
            self._handle.write(_encoded(self.line(row, {name: added[name][i] for name in self.added})))

    def header(self) -> str:
        """What stands before the first row."""
        return ""

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its end included."""
        raise NotImplementedError


class CsvSink(LineSink):
    """Cells between commas; nothing in a gap."""

    separator = ","

    def header(self) -> str:
        """The columns' names."""
        return line([*self.columns, *self.added], self.separator)

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its end included."""
        values = [*(row.get(name) for name in self.columns), *(added[name] for name in self.added)]
        return line(map(_cell, values), self.separator)


class TsvSink(CsvSink):
    """Cells between tabulators."""

    separator = "\t"


class JsonSink(LineSink):
    """An object a line; keys that a row does not have stay absent."""

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its end included."""
        kept = {name: row[name] for name in self.columns if name in row} | dict(added)
        written = json.dumps(kept, ensure_ascii=False, default=str)
        if encodable(written) != written:  # half characters stay the escapes they were
            written = json.dumps(kept, default=str)
        return written + "\n"


class ParquetSink:
    """Row groups of about ``GROUP_BYTES``; columns of a Parquet source keep their types and metadata."""

    def __init__(self, path: Path, schema: pa.Schema, added: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._kept = self._schema = schema
        self._added = {name: pa.type_for_alias(kind) for name, kind in added.items()}
        for name, kind in self._added.items():
            self._schema = self._schema.append(pa.field(name, kind))
        self._writer = pq.ParquetWriter(path, self._schema)
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def write(self, chunk: Chunk, added: Added) -> None:
        """Rows with their new columns."""
        import pyarrow as pa

        arrays = chunk.batch.columns if isinstance(chunk, ArrowChunk) else self._arrays(chunk)
        new = [pa.array(added[name], kind) for name, kind in self._added.items()]
        batch = pa.RecordBatch.from_arrays([*arrays, *new], schema=self._schema)
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        self._rows += batch.num_rows
        if self._bytes >= GROUP_BYTES or self._rows >= GROUP_ROWS:
            self._flush()

    def _arrays(self, chunk: Chunk) -> list[pa.Array]:
        import pyarrow as pa

        rows = chunk.records()
        arrays = []
        for field in self._kept:
            values = [row.get(field.name) for row in rows]
            try:
                arrays.append(pa.array([_value(value, field.type) for value in values], field.type))
            except (pa.ArrowException, OverflowError) as error:
                raise InputError(
                    f"column {field.name!r} cannot be stored as Parquet ({error}): write .jsonl instead"
                ) from error
        return arrays

    def _flush(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=GROUP_ROWS)
        self._waiting, self._bytes, self._rows = [], 0, 0


LINE_SINKS: dict[str, type[LineSink]] = {
    ".csv": CsvSink,
    ".tsv": TsvSink,
    ".jsonl": JsonSink,
    ".ndjson": JsonSink,
}
"""Suffix to the way a file of lines is written; Parquet has its own."""


def _value(value: Any, kind: pa.DataType) -> Any:
    """A value of JSON or of a cell as a column of this type takes it."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_string(kind):
        return encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return float(value) if pa.types.is_floating(kind) else value


def _cell(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def _encoded(text: str) -> bytes:
    """UTF-8, and whatever other bytes a CSV file held."""
    for errors in ("strict", "surrogateescape"):
        try:
            return text.encode("utf-8", errors)
        except UnicodeEncodeError:
            continue
    return text.encode("utf-8", "backslashreplace")
