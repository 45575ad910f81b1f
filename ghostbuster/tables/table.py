"""Whole tables in memory: read, write, and the texts, labels and other columns in them.

Every other column passes through unchanged: CSV cells are never anything but strings (``007`` stays ``007``),
JSON values and Parquet columns keep their types.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.label_words import EXPECTED, certain_label
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.tables.chunks import check_names, conversion_errors, fault_of, unknown_column
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
        if fault := fault_of(text, name):
            raise InputError(f"row {row} of {path}: {fault}: mend it or drop the row")
        if not allow_blank and not text.strip():
            raise InputError(f"row {row} of {path}: column {name!r} is blank; expected a text: drop the row")
    return texts


def labels_of(table: DataFrame, name: str, path: Path) -> list[int]:
    """The labels in a column, 0 human and 1 machine, as ``label_words.certain_label`` reads them.

    Raises
    ------
    InputError
        When there is no such column, or a cell holds anything but a label of one side.
    """
    labels = []
    for row, value in enumerate(column(table, name, path), start=1):
        label = certain_label(value)
        if label is None:
            raise InputError(f"row {row} of {path}: column {name!r} holds {value!r}; expected {EXPECTED}")
        labels.append(label)
    return labels
