"""Tables of texts: CSV, TSV, JSON lines and Parquet, in and out. To add a kind, add its row to ``TABLES``.

Every other column passes through unchanged: CSV cells are never anything but strings (``007`` stays ``007``),
JSON values and Parquet columns keep their types.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.system.atomic_files import replacing
from ghostbuster.tables.chunks import unpackable
from ghostbuster.tables.delimited import line

if TYPE_CHECKING:
    from pandas import DataFrame

LABELS = {"0": 0, "human": 0, "1": 1, "machine": 1}
"""What a label column may hold, in any case of letters: 0 human, 1 machine."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table file.

    Attributes
    ----------
    read : callable
        Path to DataFrame.
    write : callable
        DataFrame and path to nothing.
    """

    read: Callable[[Path], DataFrame]
    write: Callable[[DataFrame, Path], None]


def kind_of(path: Path) -> Kind:
    """How files of this name are read and written.

    Raises
    ------
    InputError
        When no kind has the suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLES:
        raise unknown(suffix or path.name, TABLES, "kind of table", InputError)
    return TABLES[suffix]


def read_table(path: Path) -> DataFrame:
    """All rows of a table.

    Parameters
    ----------
    path : Path
        Ends in ``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson`` or ``.parquet``.

    Returns
    -------
    DataFrame of n_rows rows

    Raises
    ------
    InputError
        When the file is missing, of no known kind, not UTF-8, malformed, or has no row.
    """
    kind = kind_of(path)
    try:
        table = kind.read(path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: give the path of a table") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}): expected a table") from None
    except ValueError as error:  # pandas' and pyarrow's own errors are of this kind
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} is no {path.suffix[1:].upper()} table ({first}): check the file") from None
    if table.empty:
        raise InputError(f"{path} has no row; expected a header and at least one text")
    if not table.columns.is_unique:
        double = table.columns[table.columns.duplicated()][0]
        raise InputError(f"{path} has two columns called {double!r}: rename one")
    return table


def write_table(table: DataFrame, path: Path) -> None:
    """Write a table whole or not at all, in the kind that its suffix names.

    Raises
    ------
    InputError
        When no kind has the suffix, or the place cannot be written to.
    """
    kind = kind_of(path)
    with replacing(path, InputError) as temporary:
        kind.write(table, temporary)


def column(table: DataFrame, name: str, path: Path) -> list[Any]:
    """Values of a column, one a row.

    Raises
    ------
    InputError
        When there is no such column; it lists those there are.
    """
    if name not in table.columns:
        raise unknown(name, [str(one) for one in table.columns], f"column of {path}", InputError)
    with unpackable():
        values: list[Any] = table[name].tolist()
    return values


def texts_of(table: DataFrame, name: str, path: Path, *, allow_blank: bool = True) -> list[str]:
    """The texts in a column.

    Parameters
    ----------
    table : DataFrame
    name : str
    path : Path
        What errors name.
    allow_blank : bool
        Whether a text may hold nothing but white space.

    Raises
    ------
    InputError
        When there is no such column, or a cell holds no text, or a blank one where that is not allowed; rows
        count from 1 below the header.
    """
    texts = column(table, name, path)
    for row, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            held = "nothing" if _is_missing(text) else type(text).__name__
            raise InputError(
                f"row {row} of {path}: column {name!r} holds {held}; expected a text: fill it or drop the row"
            )
        if not allow_blank and not text.strip():
            raise InputError(f"row {row} of {path}: column {name!r} is blank; expected a text: drop the row")
    return texts


def labels_of(table: DataFrame, name: str, path: Path) -> list[int]:
    """The labels in a column, 0 human and 1 machine.

    Raises
    ------
    InputError
        When there is no such column, or a cell holds anything but 0, 1, human or machine.
    """
    labels = []
    for row, value in enumerate(column(table, name, path), start=1):
        label = _label(value)
        if label is None:
            raise InputError(
                f"row {row} of {path}: column {name!r} holds {value!r}; expected 0 or human, 1 or machine"
            )
        labels.append(label)
    return labels


def _label(value: Any) -> int | None:
    if isinstance(value, str):
        return LABELS.get(value.strip().lower())
    if isinstance(value, bool | int | float) and value in {0, 1}:
        return int(value)
    return None


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _read_delimited(path: Path, separator: str) -> DataFrame:
    import pandas as pd

    cells = pd.read_csv(
        path, sep=separator, header=None, dtype=str, na_filter=False, encoding="utf-8-sig"
    )  # read as a header, the first line would have its double names renamed
    return cells.iloc[1:].set_axis(cells.iloc[0].tolist(), axis=1).reset_index(drop=True)


def _write_delimited(table: DataFrame, path: Path, separator: str) -> None:
    names = [str(name) for name in table.columns]
    columns: Sequence[list[Any]] = [table[name].tolist() for name in table.columns]
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(line(names, separator))
        for row in zip(*columns, strict=True):
            handle.write(line(("" if _is_missing(cell) else str(cell) for cell in row), separator))


def _read_jsonl(path: Path) -> DataFrame:
    """One object a line; values keep their types, absent ones stay absent."""
    import pandas as pd

    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                rows.append(_object(line, number))
    return pd.DataFrame(rows, dtype=object)


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
    except RecursionError:
        raise ValueError(f"line {number} is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"line {number} is no object")  # noqa: TRY004 - read_table sorts by ValueError
    return value


def _write_jsonl(table: DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    columns: Sequence[list[Any]] = [table[name].tolist() for name in table.columns]
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in zip(*columns, strict=True):
            kept = {name: value for name, value in zip(names, row, strict=True) if not _is_absent(value)}
            handle.write(json.dumps(kept, ensure_ascii=False, default=str) + "\n")


def _is_absent(value: Any) -> bool:
    """Whether a cell is pandas' filling for a key its object did not have; JSON's own null is None."""
    return value is not None and _is_missing(value)


def _read_parquet(path: Path) -> DataFrame:
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


def _write_parquet(table: DataFrame, path: Path) -> None:
    table.to_parquet(path)


_CSV = Kind(lambda path: _read_delimited(path, ","), lambda table, path: _write_delimited(table, path, ","))
_TSV = Kind(lambda path: _read_delimited(path, "\t"), lambda table, path: _write_delimited(table, path, "\t"))
_JSONL = Kind(_read_jsonl, _write_jsonl)

TABLES: dict[str, Kind] = {
    ".csv": _CSV,
    ".tsv": _TSV,
    ".jsonl": _JSONL,
    ".ndjson": _JSONL,
    ".parquet": Kind(_read_parquet, _write_parquet),
}
"""File suffix to kind of table."""
