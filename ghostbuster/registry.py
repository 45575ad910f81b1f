"""Look up a name in a registry (a table of rows by name); suggest the nearest name when it is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ghostbuster.errors import GhostbusterError, SettingError

_T = TypeVar("_T")


def lookup(table: Mapping[str, _T], name: str, kind: str) -> _T:
    """The row called ``name``.

    Raises
    ------
    SettingError
        When there is none; it lists those there are and names the nearest.
    """
    if name not in table:
        raise unknown(name, table, kind, SettingError)
    return table[name]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or all known names where none is near."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name.lower(), [one.lower() for one in names], n=1)
    original = next((one for one in names if near and one.lower() == near[0]), None)
    return f"did you mean {original!r}?" if original else f"expected one of: {', '.join(names)}"


def unknown(name: str, known: Iterable[str], kind: str, error: type[GhostbusterError]) -> GhostbusterError:
    """The error for a name that is not among ``known``; it lists those there are and names the nearest."""
    listed = list(known)
    hint = did_you_mean(name, listed)
    near = f"; {hint}" if hint.startswith("did") else ""
    return error(f"no {kind} is called {name!r}; expected one of {', '.join(map(repr, listed))}{near}")
