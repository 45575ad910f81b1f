"""JSON files as tables: an array of objects or one object a line, told by how they begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.tables.base import Chunk
from ghostbuster.tables.chunks import gather_chunks
from ghostbuster.tables.kinds.files import FileReader, whole
from ghostbuster.tables.kinds.json_array import elements, is_array
from ghostbuster.tables.kinds.json_lines import rows

if TYPE_CHECKING:
    from pandas import DataFrame

ARRAYS = ".json"
"""Suffix of files that are taken for arrays; what is no array in one must be an object a line."""


def read(path: Path) -> DataFrame:
    """Read the whole table; missing keys stay missing."""
    return whole(JsonReader(path))


class JsonReader(FileReader):
    """Read the table in chunks: columns are all keys that occur; what is no object is a row with a fault."""

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - objects hold all columns
        known = dict.fromkeys(self.columns)
        for chunk in gather_chunks(self._rows()):
            for row in chunk.rows:
                known.update(dict.fromkeys(row))
            yield chunk
        self.columns = list(known)

    def _rows(self) -> Iterator[tuple[dict[str, Any], str]]:
        if is_array(self.path):
            yield from elements(self.path)
            return
        for number, (row, fault) in enumerate(rows(self.path)):
            if fault and number == 0 and self.path.suffix.lower() == ARRAYS:
                raise ValueError("expected an array of objects, or one object a line")
            yield row, fault
