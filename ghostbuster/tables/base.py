"""The contracts of a kind of table: its reader, its sink, and the row that registers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

    from ghostbuster.tables.dialect import Dialect

NUMBER, WORD = "double", "string"
"""Types of added columns, as Arrow names them."""

Added = Mapping[str, Sequence[Any]]
"""Values of the new columns of a chunk, one a row; a sink takes those it was opened for."""


class TextRow(NamedTuple):
    """The text of a row, or what is wrong with the row: one of the two is empty.

    Attributes
    ----------
    text, fault : str
    note : str
        What a reader of the verdict has to know of the text: words of a document that were not read.
    """

    text: str
    fault: str = ""
    note: str = ""

    @property
    def n_characters(self) -> int:
        """Length of the text."""
        return len(self.text)


class PairRow(NamedTuple):
    """The two texts of a row in a table of pairs, or what is wrong with the row.

    Attributes
    ----------
    text, other, fault, note : str
        As those of `TextRow`.
    """

    text: str
    other: str
    fault: str = ""
    note: str = ""

    @property
    def n_characters(self) -> int:
        """Length of both texts."""
        return len(self.text) + len(self.other)


class Chunk(Protocol):
    """Consecutive rows of a table.

    Attributes
    ----------
    faults : sequence of str, length n_rows
        What is wrong with a row as a whole; empty for a sound one.
    """

    @property
    def faults(self) -> Sequence[str]: ...  # noqa: D102

    def values(self, column: str) -> list[Any]:
        """Values of a column; ``chunks.ABSENT`` where a row does not have it."""
        ...

    def records(self) -> Sequence[dict[str, Any]]:
        """All rows, each a dict from column to value."""
        ...


class TableReader(Protocol):
    """A table that can be read again and again, in chunks, however long it is.

    Attributes
    ----------
    path : Path
    columns : list of str
        In order; known once all chunks were read for the first time.
    schema : pyarrow.Schema or None
        Types of the columns, known from the first chunk on; None for kinds that name no types.
    n_rows : int or None
        Known without reading the table, where reading a text is slow; None elsewhere. A table that knows it
        holds its texts in no column, and is not read before it is scored.
    dialect : Dialect or None
        Encoding and separator of a file of cells, known from the first chunk on; None for other kinds.
    passed_over : str
        Files of a folder that are no documents, in words; empty where there is none.
    """

    path: Path
    columns: list[str]
    schema: pa.Schema | None
    n_rows: int | None
    dialect: Dialect | None
    passed_over: str

    def chunks(self, only: str | None = None) -> Iterator[Chunk]:
        """All rows in order; the column ``only`` alone where the kind can read that at less cost."""
        ...

    def texts(self, column: str, start: int = 0) -> Iterator[TextRow]:
        """The text of each row, from row ``start`` on."""
        ...

    def digest(self) -> str:
        """SHA-256 of what the table holds."""
        ...


@dataclass(frozen=True)
class Layout:
    """Columns of a table that is to be written.

    Attributes
    ----------
    kept : sequence of str
        Columns of the input, in order.
    added : mapping of str to str
        New columns and their types, ``NUMBER`` or ``WORD``.
    schema : pyarrow.Schema or None
        Types of the kept columns, for kinds that are ``typed``; None for the others.
    dialect : Dialect or None
        Encoding and separator of files of cells; None for the kind's own.
    """

    kept: Sequence[str]
    added: Mapping[str, str]
    schema: pa.Schema | None = None
    dialect: Dialect | None = None


class Sink(Protocol):
    """Writes a table, a chunk at a time."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, chunk: Chunk, added: Added) -> None:
        """Write rows with their new columns."""
        ...


@dataclass(frozen=True, slots=True)
class TableKind:
    """A kind of table file; to add one, add its row to ``registry.KINDS``.

    Attributes
    ----------
    name : str
    suffixes : tuple of str
        Of its files, in small letters, with the dot.
    read : callable
        Path to DataFrame: the whole table. Its errors are OSErrors and ValueErrors.
    write : callable
        DataFrame and path to nothing: the whole table.
    reader : callable
        Path to TableReader: the table in chunks.
    sink : callable
        Path and Layout to Sink: the table in chunks.
    typed : bool
        Whether a file names the types of its columns, so that the sink has to know them before the first row.
    separator : str
        Usual mark between cells; empty for kinds that have no cells.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], DataFrame]
    write: Callable[[DataFrame, Path], None]
    reader: Callable[[Path], TableReader]
    sink: Callable[[Path, Layout], Sink]
    typed: bool = False
    separator: str = ""
