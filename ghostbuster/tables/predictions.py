"""Read predictions of any detector from tables of ids and probabilities, and match them by id."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.chunks import is_blank
from ghostbuster.tables.table import column, read_table

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from ghostbuster.arrays import Float1d

COLUMNS = ("probability", "generated")
"""Columns taken for predictions where none is named: what `score-table` writes, and Kaggle's."""


def prediction_column(table: DataFrame, path: Path, name: str | None = None) -> str:
    """Name of the column that holds predictions: the one given, or the first of ``COLUMNS`` that is there.

    Raises
    ------
    InputError
        When there is none.
    """
    found = next((one for one in ([name] if name else COLUMNS) if one in table.columns), None)
    if found is None:
        there = ", ".join(map(repr, map(str, table.columns)))
        wanted = repr(name) if name else " or ".join(map(repr, COLUMNS))
        raise InputError(f"{path} has no column {wanted}; expected one of {there}: name it with --column")
    return found


def ids_of(table: DataFrame, name: str, path: Path) -> list[str]:
    """The ids in a column as strings, so that ``7`` of one kind of table is ``7`` of another.

    Raises
    ------
    InputError
        When there is no such column, a cell is blank, or holds what no file can.
    """
    ids = []
    for row, value in enumerate(column(table, name, path), start=1):
        text = "" if is_blank(value) else str(value)
        if not text:
            raise InputError(f"row {row} of {path}: column {name!r} is blank; expected an id: fill it")
        if encodable(text) != text:
            raise InputError(
                f"row {row} of {path}: column {name!r} holds half a character ({encodable(text)}); "
                "expected an id"
            )
        ids.append(text)
    return ids


def read_predictions(path: Path, id_column: str = "id", name: str | None = None) -> Series[float]:
    """Read a table of predictions into a series indexed by id.

    Parameters
    ----------
    path : Path
        A table of any kind.
    id_column : str
    name : str, optional
        Column of the predictions; the first of ``COLUMNS`` that is there by default.

    Returns
    -------
    Series of float, named as its column
        NaN where a cell is blank.

    Raises
    ------
    InputError
        When the file cannot be read, a column is missing, or a cell holds no number.
    """
    import pandas as pd

    table = read_table(path)
    name = prediction_column(table, path, name)
    values = [_number(value, row, name, path) for row, value in enumerate(column(table, name, path), start=1)]
    return pd.Series(values, index=ids_of(table, id_column, path), name=name, dtype="float64")


def predictions_for(ids: Sequence[str], known: Series[float], path: Path) -> Float1d:
    """Look up the predictions of these ids, in their order.

    Parameters
    ----------
    ids : sequence of str, length n_texts
    known : Series
        By id; it may hold others too.
    path : Path
        Where they are from, for errors.

    Returns
    -------
    array of shape (n_texts,)

    Raises
    ------
    InputError
        When an id has no prediction, a blank one, or two; it is named.
    """
    import numpy as np

    if not known.index.is_unique:
        twice = known.index[known.index.duplicated()][0]
        raise InputError(f"{path} has id {twice!r} more than once: keep one row an id")
    found = np.asarray(known.reindex(list(ids)), dtype=np.float64)
    if np.isnan(found).any():
        culprit = ids[int(np.argmax(np.isnan(found)))]
        raise InputError(f"{path} has no prediction for id {culprit!r}; expected one for every text")
    return found


def _number(value: Any, row: int, name: str, path: Path) -> float:
    if is_blank(value):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"row {row} of {path}: column {name!r} holds {value!r}; expected a number") from None
