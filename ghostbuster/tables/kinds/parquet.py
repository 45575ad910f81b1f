"""Parquet: columns have types; those of an input file, and its metadata, are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Added, Chunk, Layout
from ghostbuster.tables.chunks import CHUNK_BYTES, CHUNK_ROWS, conversion_errors
from ghostbuster.tables.kinds.files import FileReader

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

GROUP_BYTES = 32 * 2**20
"""Bytes after which a row group of a file ends."""
GROUP_ROWS = 2**16


def read(path: Path) -> DataFrame:
    """Read the whole table; columns keep their Arrow types."""
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        table.validate(full=True)
        frame: DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    except (OSError, ValueError, MemoryError):
        raise
    except Exception as error:  # pyarrow has errors of many kinds, and pandas for its own notes in the file
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return frame


def write(table: DataFrame, path: Path) -> None:
    """Write the whole table."""
    table.to_parquet(path)


@dataclass(frozen=True)
class ArrowChunk:
    """Rows of a Parquet file, with their types."""

    batch: pa.RecordBatch

    @property
    def faults(self) -> Sequence[str]:
        """None: damage shows before rows do."""
        return [""] * len(self.batch)

    def values(self, column: str) -> list[Any]:
        """Values of a column."""
        with conversion_errors():
            listed: list[Any] = self.batch.column(column).to_pylist()
        return listed

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows, each a dict from column to value."""
        with conversion_errors():
            rows: list[dict[str, Any]] = self.batch.to_pylist()
        return rows


class ParquetReader(FileReader):
    """Read the table in chunks; a single column at less cost than all."""

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


class ParquetSink:
    """Write the table in chunks, in row groups of about ``GROUP_BYTES``.

    Parameters
    ----------
    path : Path
    layout : Layout
        With a schema.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._kept = self._schema = pa.schema([]) if layout.schema is None else layout.schema
        self._added = {name: pa.type_for_alias(kind) for name, kind in layout.added.items()}
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
        """Write rows with their new columns."""
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


def _value(value: Any, kind: pa.DataType) -> Any:
    """A value of JSON or of a cell as a column of this type takes it."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_string(kind):
        return encodable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return float(value) if pa.types.is_floating(kind) else value
