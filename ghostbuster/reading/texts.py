"""What a caller may pass as texts: checked element by element, never guessed at."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown

TEXT_COLUMN = "text"
"""Column of a DataFrame that is read where none is named."""


def check_texts(texts: object) -> list[str]:
    """``texts`` as a list of str.

    Parameters
    ----------
    texts : iterable of str, or DataFrame
        In order: a list, an array, a Series, a generator; of a DataFrame the column ``text``.

    Raises
    ------
    InputError
        When it is one string, has no order, would give names in place of texts (a dict, a DataFrame without
        such a column), or an element is no string; it names the first such element.
    """
    _refuse_other_things(texts)
    source: Any = text_column(texts, TEXT_COLUMN) if is_data_frame(texts) else texts
    try:
        made = list(source)
    except TypeError as error:
        raise InputError(
            f"got {type(texts).__name__}; expected a sequence of texts (list, array, Series)"
        ) from error
    for i, text in enumerate(made):
        if not isinstance(text, str):
            raise InputError(
                f"text {i} is {type(text).__name__}; expected str: drop or fill missing texts first"
            )
    return [str(text) for text in made]


def is_data_frame(texts: object) -> bool:
    """Whether this is a DataFrame: its elements are the names of its columns. Nothing is imported for it."""
    return any(one.__name__ == "DataFrame" and hasattr(one, "columns") for one in type(texts).__mro__)


def text_column(table: Any, name: str) -> Any:
    """The column of a DataFrame that holds the texts.

    Raises
    ------
    InputError
        When there is none of that name, or two.
    """
    names = list(table.columns)
    if name not in names:
        raise unknown(name, [str(one) for one in names], "column of the DataFrame", InputError)
    if names.count(name) > 1:
        raise InputError(f"the DataFrame has two columns called {name!r}: rename one")
    return table[name]


def _refuse_other_things(texts: object) -> None:
    kind = type(texts).__name__
    if isinstance(texts, str | bytes):
        raise InputError(f"got one {kind}; expected a sequence of texts: wrap it in a list")
    if isinstance(texts, Mapping):
        raise InputError(f"got {kind}, which would be read as its keys; expected texts: pass list(values)")
    if isinstance(texts, AbstractSet):
        raise InputError(f"got {kind}, which has no order; expected a sequence of texts: pass a list")
    if hasattr(texts, "readlines"):
        raise InputError(f"got {kind}, which would be read line by line; expected texts: pass [file.read()]")
