"""Rows with an error: a small file beside each part that has some, for a command that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from ghostbuster.cluster.parts import Part
from ghostbuster.cluster.storage import Place, read_bytes, write_bytes
from ghostbuster.errors import InputError
from ghostbuster.tables.journal import Score
from ghostbuster.tables.survey import SHOWN

RowError = tuple[str, int, str]
"""Address of a file, number of a row in it from 1, and what is wrong with it."""


@dataclass(frozen=True)
class PartErrors:
    """How many rows have an error, and the first of them.

    Attributes
    ----------
    n : int
    first : tuple of (str, int, str)
    """

    n: int = 0
    first: tuple[RowError, ...] = ()

    def and_those(self, address: str, row: int, scores: Sequence[Score]) -> PartErrors:
        """With those of further rows, of which the first has the number ``row``."""
        found = [(address, row + i, one.error) for i, one in enumerate(scores) if one.error]
        return PartErrors(self.n + len(found), (*self.first, *found)[:SHOWN])


def all_errors(of_parts: Iterable[tuple[Part, PartErrors]]) -> PartErrors:
    """Those of several parts together, in the order of the input."""
    n = 0
    first: list[tuple[int, RowError]] = []
    for part, errors in of_parts:
        n += errors.n
        first = sorted([*first, *((part.number, one) for one in errors.first)], key=lambda one: one[0])[
            :SHOWN
        ]
    return PartErrors(n, tuple(one for _, one in first))


def write_errors(folder: Place, part: Part, errors: PartErrors) -> None:
    """Write them down; they have to be there before the part is."""
    write_bytes(folder.child(part.errors_name), json.dumps(asdict(errors)).encode())


def read_errors(folder: Place, part: Part, names: set[str]) -> PartErrors:
    """Those of a part that is there.

    Parameters
    ----------
    folder : Place
    part : Part
    names : set of str
        Of the files in the folder.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    if part.errors_name not in names:
        return PartErrors()
    place = folder.child(part.errors_name)
    try:
        found = json.loads(read_bytes(place) or b"")
        return PartErrors(int(found["n"]), tuple((str(a), int(b), str(c)) for a, b, c in found["first"]))
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{place.address} is damaged: remove it and {part.name}, and go on") from None
