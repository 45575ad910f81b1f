"""Rows of literal tables by name, with an answer for names that no table knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ghostbuster.errors import GhostbusterError, SettingError

_T = TypeVar("_T")


def pick(table: Mapping[str, _T], name: str, kind: str) -> _T:
    """The row called ``name``.

    Raises
    ------
    SettingError
        When there is none; it lists those there are and names the nearest.
    """
    if name not in table:
        raise unknown(name, table, kind, SettingError)
    return table[name]


def unknown(name: str, known: Iterable[str], kind: str, error: type[GhostbusterError]) -> GhostbusterError:
    """The error for a name that is not among ``known``."""
    from difflib import get_close_matches

    listed = list(known)
    near = get_close_matches(name.lower(), [one.lower() for one in listed], n=1)
    original = next((one for one in listed if near and one.lower() == near[0]), None)
    hint = f"; did you mean {original!r}?" if original else ""
    return error(f"no {kind} is called {name!r}; expected one of {', '.join(map(repr, listed))}{hint}")
