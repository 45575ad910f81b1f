"""Whole tables in memory: read, write, and the texts, labels and other columns in them.

Every other column passes through unchanged: CSV cells are never anything but strings (``007`` stays ``007``),
JSON values and Parquet columns keep their types.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.tables.chunks import conversion_errors, is_missing
from ghostbuster.tables.registry import kind_of

if TYPE_CHECKING:
    from pandas import DataFrame

LABELS = {"0": 0, "human": 0, "1": 1, "machine": 1}
"""What a label column may hold, in any case of letters: 0 human, 1 machine."""


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
        raise unknown(name, [str(one) for one in table.columns], f"column of {path}", InputError)
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
        if not isinstance(text, str):
            held = "nothing" if is_missing(text) else type(text).__name__
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
