"""The rows that are read: counted and parted before any model is loaded, and copied beside their scores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.tables.base import Chunk, TableReader, TextRow
from ghostbuster.tables.chunks import check_names, texts_in, unknown_column
from ghostbuster.tables.registry import open_reader
from ghostbuster.tables.survey import SHOWN, Fault

TABLE = "table"
"""Name, without its suffix, of the copy of the table that was read."""
DOCUMENTS = f"{TABLE}.documents.jsonl"
"""What the documents of a folder say, in place of a copy."""
ERROR = "error"
"""Its column of why a document could not be read."""
PART_CHARACTERS = 2**18
"""A part ends with the row that reaches it: what is lost at most when a run is killed."""
PART_ROWS = 1024
ID = "id"
"""Column of a folder that holds each document's path in it."""


@dataclass(frozen=True)
class Looked:
    """What is known of a table before it is read.

    Attributes
    ----------
    first_rows : tuple of int, length n_parts + 1
        Where each part begins, from 0, and where the last one ends.
    n_characters : int
        Of all texts.
    n_faults : int
        Rows without a text.
    faults : tuple of (int, str)
        The first of them: number of the row, from 1, and what is wrong with it.
    """

    first_rows: tuple[int, ...]
    n_characters: int
    n_faults: int
    faults: tuple[Fault, ...]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.first_rows[-1]


def look(
    reader: TableReader, text_column: str, called: Path | None = None, *, documents: bool = False
) -> Looked:
    """Count a table's rows and part them; parts depend on the table alone.

    Parameters
    ----------
    reader : TableReader
        Of a table, not of a folder.
    text_column : str
    called : Path, optional
        What errors call the table.
    documents : bool
        Whether it is what the documents of a folder say.

    Raises
    ------
    InputError
        When the table cannot be read, lacks the column, or holds no text.
    """
    name = called or reader.path
    first_rows, faults = [0], []
    n_rows = n_characters = of_part = n_faults = 0
    for chunk in reader.chunks(text_column):
        _check_column(reader, text_column)
        for row in rows_in(chunk, text_column, documents=documents):
            text, fault = row.text, fault_in(row, text_column)
            n_rows += 1
            n_characters += len(text)
            of_part += len(text)
            if fault:
                n_faults += 1
                faults += [(n_rows, fault)] * (n_faults <= SHOWN)
            if of_part >= PART_CHARACTERS or n_rows - first_rows[-1] == PART_ROWS:
                first_rows.append(n_rows)
                of_part = 0
    if not n_rows:
        raise InputError(f"{name} has no row; expected a header and at least one text")
    _check_column(reader, text_column)
    check_names(reader.columns, reader.path)
    if n_faults == n_rows:
        number, fault = faults[0]
        raise InputError(f"none of the {n_rows:,} rows of {name} can be used; row {number}: {fault}")
    if first_rows[-1] < n_rows:
        first_rows.append(n_rows)
    return Looked(tuple(first_rows), n_characters, n_faults, tuple(faults))


def rows_in(chunk: Chunk, text_column: str, *, documents: bool) -> Iterator[TextRow]:
    """The text of each row, or what is wrong with it: of a document, why it could not be read."""
    errors = chunk.values(ERROR) if documents else repeat(None)
    for row, error in zip(texts_in(chunk, text_column), errors, strict=False):
        yield row._replace(fault=error) if row.fault and error and isinstance(error, str) else row


def fault_in(row: TextRow, column: str) -> str:
    """What is wrong with a row, before its text is prepared; empty if nothing is."""
    if row.fault or row.text.strip():
        return row.fault
    return f"column {column!r} is blank; expected a text"


def _check_column(reader: TableReader, name: str) -> None:
    if reader.columns and name not in reader.columns:
        raise unknown_column(name, reader.columns, reader.path)


def table_name(path: Path) -> str:
    """What the copy of a table is called."""
    return DOCUMENTS if path.is_dir() else f"{TABLE}{path.suffix.lower()}"


def copy_rows(reader: TableReader, text_column: str, copy: Path) -> None:
    """Copy a table byte for byte, or write what a folder's documents say as a table.

    Parameters
    ----------
    reader : TableReader
    text_column : str
    copy : Path
        Of a file that may be overwritten.

    Raises
    ------
    InputError
        When the table is changing while it is copied.
    OSError
        When the disk is full or failing.
    """
    if reader.n_rows is not None:
        _write_documents(reader, text_column, copy)
        return
    before = reader.digest()
    shutil.copyfile(reader.path, copy)
    if open_reader(copy, ID, text_column).digest() != before:
        raise InputError(f"{reader.path} changed while it was read: wait until it is complete")


def _write_documents(reader: TableReader, text_column: str, copy: Path) -> None:
    """A line a document: its path, its folder, the first of its folders as its label, its text."""
    names = (name for chunk in reader.chunks() for name in chunk.values(ID))
    with copy.open("w", encoding="utf-8", newline="\n") as lines:
        for name, row in zip(names, reader.texts(text_column), strict=True):
            cells: dict[str, Any] = {ID: name, "folder": name.rpartition("/")[0]}
            if "/" in name:
                cells["label"] = name.partition("/")[0]
            if row.fault or not row.text.strip():
                cells |= {text_column: None, ERROR: row.fault or f"{name} has {row.note}"}
            else:
                cells |= {text_column: row.text} | ({"notes": row.note} if row.note else {})
            lines.write(json.dumps(cells, ensure_ascii=False) + "\n")
