"""Check a table before anything costly: its length, faulty rows, column types, and names that would clash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.tables.base import NUMBER, WORD, Chunk, PairRow, TableReader, TextRow
from ghostbuster.tables.chunks import check_names, texts_in, unknown_column
from ghostbuster.tables.registry import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 10
"""Faults told one by one; the column tells them all."""

Fault = tuple[int, str]
"""Number of a row, from 1, and what is wrong with it."""

_EXACT = 2**53  # whole numbers up to here are fractions too, without rounding


@dataclass(frozen=True)
class Survey:
    """What is known of a table before its texts are scored.

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
        Types of its columns, where the kind of the output has them.
    types : ColumnTypes or None
        What the schema was inferred from, where the table itself names no types.
    """

    digest: str
    n_rows: int
    n_characters: int
    n_faults: int
    faults: tuple[Fault, ...]
    schema: pa.Schema | None
    types: ColumnTypes | None = None


@dataclass(frozen=True)
class Job:
    """A table to score, and how its scores are to be written.

    Attributes
    ----------
    reader : TableReader
    output : Path
    text_column : str
    prefix : str
        Put before the names of added columns.
    submission : str
        Column of ids, to write nothing but these and a number each; empty to keep all columns.
    other_column : str
        Of the second texts, in a table of pairs; empty elsewhere.
    """

    reader: TableReader
    output: Path
    text_column: str
    prefix: str = ""
    submission: str = ""
    other_column: str = ""

    @property
    def added(self) -> dict[str, str]:
        """New columns and their types; ``error`` comes where a row has one."""
        if self.submission:
            return {"generated": NUMBER}
        return {self.prefix + "probability": NUMBER, self.label_column: WORD} | self.further

    @property
    def label_column(self) -> str:
        """Column of the label: of pairs, which text is likelier the machine's."""
        return self.prefix + ("likelier" if self.other_column else "label")

    @property
    def further(self) -> dict[str, str]:
        """Columns of ``Score.more`` and their types: of pairs, what each text is called by itself."""
        if not self.other_column:
            return {}
        names = {"probability_a": NUMBER, "label_a": WORD, "probability_b": NUMBER, "label_b": WORD}
        return {self.prefix + name: kind for name, kind in names.items()}

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns that are read."""
        return (self.text_column, self.other_column) if self.other_column else (self.text_column,)

    def rows_of(self, chunk: Chunk) -> Iterator[TextRow | PairRow]:
        """The text or the two texts of each row of a chunk, or what is wrong with the row."""
        return _paired([texts_in(chunk, name) for name in self.text_columns])

    def rows(self, start: int) -> Iterator[TextRow | PairRow]:
        """The same of the whole table, from row ``start`` on."""
        return _paired([self.reader.texts(name, start) for name in self.text_columns])

    @property
    def error_column(self) -> str:
        """Column that tells what is wrong with a row."""
        return self.prefix + "error"

    @property
    def note_column(self) -> str:
        """Column that tells what of a document was not read, and what is suspicious."""
        return self.prefix + "notes"


def survey(job: Job, see: Callable[[int], None] | None = None, *, allow_empty: bool = False) -> Survey:
    """Read all rows once: count them, and refuse what cannot be scored before a model is loaded.

    Parameters
    ----------
    job : Job
    see : callable, optional
        Called with the number of characters of each row's text, in order.
    allow_empty : bool
        Whether a table may have no row, and then no columns.

    Raises
    ------
    InputError
        When the table cannot be read, has no row, lacks a column that is asked for, or has one that would be
        overwritten.
    """
    reader = job.reader
    digest = reader.digest()
    types = ColumnTypes() if kind_of(job.output).typed else None
    n_rows = n_characters = n_faults = 0
    faults: list[Fault] = []
    if reader.n_rows is not None:  # its texts are read once, when they are scored
        n_rows = reader.n_rows
    else:
        for chunk in reader.chunks(None if job.other_column else job.text_column):
            if types is not None and reader.schema is None:
                types.see(chunk.records())
            for n_rows, row in enumerate(_texts(job, chunk), start=n_rows + 1):  # noqa: B020
                n_characters += row.n_characters
                if see is not None:
                    see(row.n_characters)
                if row.fault:
                    n_faults += 1
                    faults += [(n_rows, row.fault)] * (n_faults <= SHOWN)
    if not n_rows and allow_empty:
        return Survey(digest, 0, 0, 0, (), reader.schema, types)
    if not n_rows:
        raise InputError(f"{reader.path} has no row; expected a header and at least one text")
    _check_columns(job, faults=n_faults > 0 or reader.n_rows is not None)
    schema = None
    if types is not None:
        schema = types.schema(reader.columns) if reader.schema is None else reader.schema
        types = types if reader.schema is None else None
    return Survey(digest, n_rows, n_characters, n_faults, tuple(faults), schema, types)


def _texts(job: Job, chunk: Chunk) -> Iterator[TextRow | PairRow]:
    """Text and fault of each row; a column that no row can have is an error of the table."""
    columns = job.reader.columns
    for name in job.text_columns if columns else ():
        if name not in columns:
            raise unknown_column(name, columns, job.reader.path)
    return job.rows_of(chunk)


def _paired(columns: list[Iterator[TextRow]]) -> Iterator[TextRow | PairRow]:
    """Rows of one column of texts, or of two side by side; a fault of either is one of the row."""
    if len(columns) == 1:
        return columns[0]
    both = zip(*columns, strict=True)
    return (PairRow(a.text, b.text, a.fault or b.fault, a.note or b.note) for a, b in both)


def _check_columns(job: Job, *, faults: bool) -> None:
    columns = job.reader.columns
    for name in (*(job.text_columns if job.reader.n_rows is None else ()), job.submission):
        if name and name not in columns:
            raise unknown_column(name, columns, job.reader.path)
    check_names(columns, job.reader.path)
    if job.submission:
        return
    noted = [job.note_column] if job.reader.n_rows is not None else []
    for name in [*job.added, *noted, *([job.error_column] if faults else [])]:
        if name in columns:
            raise InputError(
                f"{job.reader.path} already has a column {name!r}, which would be lost: rename it, or give "
                "--prefix"
            )


class ColumnTypes:
    """Infer column types from rows: the narrowest that hold all values, and text where nothing else does.

    The types do not depend on where a chunk ends.
    """

    def __init__(self) -> None:
        self._seen: dict[str, pa.DataType] = {}
        self._unlike_fractions: set[str] = set()

    def see(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Update the types with more rows."""
        for name in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(name) for row in rows]
            found = _type_of(values)
            self._seen[name] = _common(self._seen[name], found) if name in self._seen else found
            if any(map(_is_no_fraction, values)):
                self._unlike_fractions.add(name)

    def merge(self, other: ColumnTypes) -> None:
        """Update the types with those of other rows."""
        for name, kind in other._seen.items():
            self._seen[name] = _common(self._seen[name], kind) if name in self._seen else kind
        self._unlike_fractions |= other._unlike_fractions

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Of the named columns; text for those that held nothing."""
        import pyarrow as pa

        kinds = {name: self._seen.get(name, pa.null()) for name in columns}
        return pa.schema(
            [(name, pa.string() if self._is_text(name, kind) else kind) for name, kind in kinds.items()]
        )

    def _is_text(self, name: str, kind: pa.DataType) -> bool:
        """Whether a column of this type must be written as text, or values would be lost."""
        import pyarrow as pa

        return pa.types.is_null(kind) or (pa.types.is_floating(kind) and name in self._unlike_fractions)


def _is_no_fraction(value: Any) -> bool:
    """Whether a value would become another one as a fraction."""
    return isinstance(value, bool) or (isinstance(value, int) and abs(value) > _EXACT)


def _type_of(values: Sequence[Any]) -> pa.DataType:
    import pyarrow as pa

    try:
        found = pa.array(values).type  # its own inference passes over values that do not fit
    except (pa.ArrowException, OverflowError):
        return pa.string()
    return pa.string() if _has_empty_struct(found) else found


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    try:
        schemas = [pa.schema([("it", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("it").type
    except pa.ArrowException:
        return pa.string()


def _has_empty_struct(kind: pa.DataType) -> bool:
    """Whether a type contains an object without keys, which Parquet cannot store."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_has_empty_struct(field.type) for field in kind)
    return pa.types.is_list(kind) and _has_empty_struct(kind.value_type)
