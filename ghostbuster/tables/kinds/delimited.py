"""CSV, TSV and other text with one separator between cells: every cell is a string (``007`` stays so)."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Chunk, Layout, TableKind
from ghostbuster.tables.chunks import gather_chunks, is_missing
from ghostbuster.tables.dialect import MOST_CELL, Dialect, dialect_of
from ghostbuster.tables.kinds.files import FileReader, LineSink, whole

if TYPE_CHECKING:
    from pandas import DataFrame

NAME_SHOWN = 40  # characters of a column's name that a message shows
_END = "\x00the file's end"  # read as a cell of its own, unless a quote before it was never closed


def delimited(name: str, suffixes: tuple[str, ...], separator: str) -> TableKind:
    """A kind of table whose cells are separated by one character."""
    return TableKind(
        name,
        suffixes,
        read=partial(read, separator=separator),
        write=partial(write, separator=separator),
        reader=partial(DelimitedReader, separator=separator),
        sink=partial(DelimitedSink, separator=separator),
        separator=separator,
    )


def csv_line(cells: Iterable[str], separator: str = ",") -> str:
    r"""One line, its end included; cells with a separator, a quote or a line break are quoted.

    The standard library leaves a lone carriage return bare where lines end in ``\n``, and readers then take
    it for the end of a line.
    """
    quoted = [_quote(cell, separator) for cell in cells]
    return ('""' if quoted == [""] else separator.join(quoted)) + "\n"  # a blank line would be no row


def _quote(cell: str, separator: str) -> str:
    if any(mark in cell for mark in (separator, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def read(path: Path, separator: str) -> DataFrame:
    """Read the whole table; every cell is a string."""
    return whole(DelimitedReader(path, separator))


def write(table: DataFrame, path: Path, separator: str) -> None:
    """Write the whole table; a missing value is an empty cell."""
    names = [str(name) for name in table.columns]
    columns: Sequence[list[Any]] = [table[name].tolist() for name in table.columns]
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(csv_line(names, separator))
        for row in zip(*columns, strict=True):
            handle.write(csv_line(("" if is_missing(cell) else str(cell) for cell in row), separator))


class DelimitedReader(FileReader):
    """Read the table in chunks; bytes that are not UTF-8 stay what they are.

    Parameters
    ----------
    path : Path
    separator : str
        That of the file's suffix; ``dialect_of`` says which one parts the cells.

    Attributes
    ----------
    dialect : Dialect or None
        How the file is written; known from the first chunk on.
    """

    def __init__(self, path: Path, separator: str) -> None:
        super().__init__(path)
        self.separator = separator

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - lines hold all columns
        csv.field_size_limit(MOST_CELL)
        found = self.dialect = dialect_of(self.path, self.separator)
        with self.path.open(encoding=found.encoding, errors=found.errors, newline="") as handle:
            handle.read(len(found.separator_line))
            cells = _closed(csv.reader(_with_end(handle), delimiter=found.separator))
            self.columns = self._header(next(cells, None))
            yield from gather_chunks(map(self._row, cells))

    def _header(self, names: list[str] | None) -> list[str]:
        if not names:
            raise ValueError("no header; expected the columns' names in the first line")
        for name in names:
            if encodable(name) != name:
                raise ValueError(f"column name {encodable(name)[:NAME_SHOWN]!r} is not UTF-8")
        return names

    def _row(self, cells: list[str]) -> tuple[dict[str, Any], str]:
        n, expected = len(cells), len(self.columns)
        counted = f"{n} cell" if n == 1 else f"{n} cells"
        fault = "" if n == expected else f"{counted}; expected {expected}, as in the header"
        if n > expected:
            surplus = json.dumps([encodable(cell) for cell in cells[expected:]], ensure_ascii=False)
            fault += f"; beyond them: {surplus}"
        return dict(zip(self.columns, cells + [""] * (expected - n), strict=False)), fault


class DelimitedSink(LineSink):
    """Write the table in chunks, as the table it is made of is written; a missing value is an empty cell.

    Parameters
    ----------
    path : Path
    layout : Layout
    separator : str
        Where the layout names no dialect.
    """

    def __init__(self, path: Path, layout: Layout, separator: str) -> None:
        super().__init__(path, layout)
        self.dialect = layout.dialect or Dialect(separator=separator)

    def header(self) -> str:
        """The columns' names, behind the line that names the separator if there was one."""
        names = csv_line([*self.columns, *self.added], self.dialect.separator)
        return self.dialect.separator_line + names

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its line end included."""
        values = [*(row.get(name) for name in self.columns), *(added[name] for name in self.added)]
        return csv_line(map(_cell, values), self.dialect.separator)


def _cell(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


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
