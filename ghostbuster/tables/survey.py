"""A table looked over before anything costly: its length, its faults, and whether it can be scored at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.tables.chunks import Chunk, Source, texts_in
from ghostbuster.tables.folder import FolderSource
from ghostbuster.tables.parquet_schema import Types
from ghostbuster.tables.sinks import LINE_SINKS, NUMBER, WORD
from ghostbuster.tables.sources import ParquetSource

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 10
"""Faults told one by one; the column tells them all."""

Fault = tuple[int, str]
"""Number of a row, from 1, and what is wrong with it."""


@dataclass(frozen=True)
class Survey:
    """A table looked over before anything costly.

    Attributes
    ----------
    digest : str
        Of what it holds.
    n_rows : int
    n_characters : int
        Of all texts; 0 where they were not read.
    n_faults : int
        Rows that hold no text.
    faults : tuple of (int, str)
        Numbers, from 1, of the first such rows, and what is wrong with them.
    schema : pyarrow.Schema or None
        Types of its columns, where they were asked for.
    """

    digest: str
    n_rows: int
    n_characters: int
    n_faults: int
    faults: tuple[Fault, ...]
    schema: pa.Schema | None


@dataclass(frozen=True)
class Job:
    """What is asked for.

    Attributes
    ----------
    source : Source
    output : Path
    text_column : str
    prefix : str
        Put before the names of added columns.
    submission : str
        Column of ids, to write nothing but these and a number each; empty to keep all columns.
    """

    source: Source
    output: Path
    text_column: str
    prefix: str = ""
    submission: str = ""

    @property
    def added(self) -> dict[str, str]:
        """New columns and their types; ``error`` comes where a row has one."""
        if self.submission:
            return {"generated": NUMBER}
        return {self.prefix + "probability": NUMBER, self.prefix + "label": WORD}

    @property
    def error_column(self) -> str:
        """Column that tells what is wrong with a row."""
        return self.prefix + "error"


def survey(job: Job) -> Survey:
    """Read all rows once: count them, and refuse what cannot be scored before a model is loaded.

    Raises
    ------
    InputError
        When the table cannot be read, has no row, lacks a column that is asked for, or has one that would be
        overwritten.
    """
    source = job.source
    digest = source.digest()
    types = Types() if _parquet(job) and not isinstance(source, ParquetSource) else None
    n_rows = n_characters = n_faults = 0
    faults: list[Fault] = []
    if isinstance(source, FolderSource):  # its texts are read once, when they are scored
        n_rows = len(source.documents)
    else:
        for chunk in source.chunks(job.text_column):
            if types is not None:
                types.see(chunk.records())
            for n_rows, (text, fault) in enumerate(_texts(job, chunk), start=n_rows + 1):  # noqa: B020
                n_characters += len(text)
                if fault:
                    n_faults += 1
                    faults += [(n_rows, fault)] * (n_faults <= SHOWN)
    if not n_rows:
        raise InputError(f"{source.path} has no row; expected a header and at least one text")
    _check_columns(job, faults=n_faults > 0 or isinstance(source, FolderSource))
    return Survey(digest, n_rows, n_characters, n_faults, tuple(faults), _schema(job, types))


def _texts(job: Job, chunk: Chunk) -> Iterator[tuple[str, str]]:
    """Text and fault of each row; a column that no row can have is an error of the table."""
    columns = job.source.columns
    if columns and job.text_column not in columns:
        raise unknown(job.text_column, columns, f"column of {job.source.path}", InputError)
    return texts_in(chunk, job.text_column)


def _check_columns(job: Job, *, faults: bool) -> None:
    columns = job.source.columns
    for name in ("" if isinstance(job.source, FolderSource) else job.text_column, job.submission):
        if name and name not in columns:
            raise unknown(name, columns, f"column of {job.source.path}", InputError)
    double = next((name for i, name in enumerate(columns) if name in columns[:i]), None)
    if double is not None:
        raise InputError(f"{job.source.path} has two columns called {double!r}: rename one")
    if job.submission:
        return
    for name in [*job.added, *([job.error_column] if faults else [])]:
        if name in columns:
            raise InputError(
                f"{job.source.path} already has a column {name!r}, which would be lost: rename it, or give "
                "--prefix"
            )


def _parquet(job: Job) -> bool:
    return job.output.suffix.lower() not in LINE_SINKS


def _schema(job: Job, types: Types | None) -> pa.Schema | None:
    if not _parquet(job):
        return None
    if isinstance(job.source, ParquetSource):
        schema: pa.Schema = job.source.schema
        return schema
    return (types or Types()).schema(job.source.columns)
