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
from ghostbuster.tables.kinds.files import FileReader, LineSink
from ghostbuster.text.encoding import BYTE_ORDER_MARKS

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_CELL = 2**30
"""Characters of a cell; the csv module's own limit is shorter than an essay."""

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
    import pandas as pd

    cells = pd.read_csv(
        path, sep=separator, header=None, dtype=str, na_filter=False, encoding="utf-8-sig"
    )  # read as a header, the first line would have its double names renamed
    return cells.iloc[1:].set_axis(cells.iloc[0].tolist(), axis=1).reset_index(drop=True)


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
    """

    def __init__(self, path: Path, separator: str) -> None:
        super().__init__(path)
        self.separator = separator

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - lines hold all columns
        csv.field_size_limit(MOST_CELL)
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            cells = _closed(csv.reader(_with_end(handle), delimiter=self.separator))
            self.columns = self._header(next(cells, None))
            yield from gather_chunks(map(self._row, cells))

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


class DelimitedSink(LineSink):
    """Write the table in chunks; a missing value is an empty cell.

    Parameters
    ----------
    path : Path
    layout : Layout
    separator : str
    """

    def __init__(self, path: Path, layout: Layout, separator: str) -> None:
        super().__init__(path, layout)
        self.separator = separator

    def header(self) -> str:
        """The columns' names."""
        return csv_line([*self.columns, *self.added], self.separator)

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its line end included."""
        values = [*(row.get(name) for name in self.columns), *(added[name] for name in self.added)]
        return csv_line(map(_cell, values), self.separator)


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
