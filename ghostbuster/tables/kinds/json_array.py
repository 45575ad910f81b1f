"""JSON: an array of objects, read an element at a time; values keep their types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ghostbuster.tables.dialect import MOST_CELL, encoding_of
from ghostbuster.tables.kinds.json_lines import JsonLinesSink, objects

if TYPE_CHECKING:
    from pandas import DataFrame

BLOCK = 2**18
"""Characters read at a time."""

_BEGINS = re.compile(r"\s*\[\s*(?:[{\]]|\Z)")
_SPACE = re.compile(r"[ \t\r\n]*")


def write(table: DataFrame, path: Path) -> None:
    """Write the whole table as an array of objects; missing keys stay missing."""
    lines = [json.dumps(row, ensure_ascii=False, default=str) for row in objects(table)]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8", newline="\n")


def is_array(path: Path) -> bool:
    """Whether a file begins like an array of objects."""
    found = encoding_of(path)
    with path.open(encoding=found.encoding, errors=found.errors) as handle:
        return _BEGINS.match(handle.read(BLOCK)) is not None


def elements(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of an array, each with what is wrong with it: an element that is no object is a fault.

    Raises
    ------
    ValueError
        When the file is no array, or ends within it.
    """
    found = encoding_of(path)
    with path.open(encoding=found.encoding, errors=found.errors) as handle:
        text = _Ahead(handle)
        if text.mark() != "[":
            raise ValueError("expected an array of objects")
        text.at += 1
        number = 0
        while text.mark() != "]":
            number += 1
            value = text.value(number)
            yield (value, "") if isinstance(value, dict) else ({}, f"no JSON object: {json.dumps(value)}")
            if text.mark() == ",":
                text.at += 1
            elif text.mark() != "]":
                raise ValueError(f"behind element {number}: expected a comma or the array's end")
        text.at += 1
        if text.mark():
            raise ValueError("something stands behind the array's end")


class _Ahead:
    """A file of text, read as far ahead as a value needs."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._ended = False
        self.at = 0

    def mark(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self._text) or not self._more():
                return self._text[self.at : self.at + 1]

    def value(self, number: int) -> Any:
        """The value that begins at the next character that is no space."""
        self.mark()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self.at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise ValueError(f"element {number}: {error.msg}") from None
            except RecursionError:
                raise ValueError(f"element {number} is nested too deeply") from None
            else:
                if end < len(self._text) or not self._more():
                    self.at = end
                    return value

    def _more(self) -> bool:
        """Read as much again as waits to be understood, so that reading twice stays cheap."""
        waiting = self._text[self.at :]
        if self._ended or len(waiting) > MOST_CELL:
            return False
        block = self._handle.read(max(BLOCK, len(waiting)))
        self._ended = not block
        self._text, self.at = waiting + block, 0
        return bool(block)


class JsonArraySink(JsonLinesSink):
    """Write the table in chunks, as an array of objects; missing keys stay missing."""

    _before = "[\n"

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One object, behind a comma where others stand before it."""
        before, self._before = self._before, ",\n"
        return before + super().line(row, added).rstrip("\n")

    def footer(self) -> str:
        """The array's end."""
        return "\n]\n" if self._before == ",\n" else "[]\n"
