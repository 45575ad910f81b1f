"""Whole tables in memory: read, write, and the columns in them.

Every other column passes through unchanged: CSV cells are never anything but strings (``007`` stays ``007``),
JSON values and Parquet columns keep their types.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.tables.chunks import check_names, conversion_errors, unknown_column
from ghostbuster.tables.kinds.files import file_errors
from ghostbuster.tables.registry import kind_of

if TYPE_CHECKING:
    from pandas import DataFrame


def read_table(path: Path) -> DataFrame:
    """Read all rows of a table into memory.

    Parameters
    ----------
    path : Path
        Of a kind that the registry lists.

    Returns
    -------
    DataFrame of n_rows rows

    Raises
    ------
    InputError
        When the file is missing, of no known kind, malformed, or has no row.
    """
    kind = kind_of(path)
    with file_errors(path):
        table = kind.read(path)
    if table.empty:
        raise InputError(f"{path} has no row; expected a header and at least one text")
    check_names(list(table.columns), path)
    return table


def write_table(table: DataFrame, path: Path) -> None:
    """Write a table whole or not at all, in the kind that its suffix names.

    Raises
    ------
    InputError
        When no kind has the suffix, or the place cannot be written to.
    """
    kind = kind_of(path)
    with atomic_write(path, InputError) as temporary:
        kind.write(table, temporary)


def column(table: DataFrame, name: str, path: Path) -> list[Any]:
    """Values of a column, one a row.

    Raises
    ------
    InputError
        When there is no such column; it lists those there are.
    """
    if name not in table.columns:
        raise unknown_column(name, [str(one) for one in table.columns], path)
    with conversion_errors():
        values: list[Any] = table[name].tolist()
    return values
