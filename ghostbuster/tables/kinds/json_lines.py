"""JSON lines: one object a line; values keep their types, and columns are all keys that occur."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Chunk
from ghostbuster.tables.chunks import gather_chunks, is_missing
from ghostbuster.tables.kinds.files import FileReader, LineSink

if TYPE_CHECKING:
    from pandas import DataFrame


def read(path: Path) -> DataFrame:
    """Read the whole table; missing keys stay missing."""
    import pandas as pd

    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                rows.append(_object_or_error(line, number))
    return pd.DataFrame(rows, dtype=object)


def write(table: DataFrame, path: Path) -> None:
    """Write the whole table; missing keys stay missing."""
    names = [str(name) for name in table.columns]
    columns: Sequence[list[Any]] = [table[name].tolist() for name in table.columns]
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in zip(*columns, strict=True):
            kept = {name: value for name, value in zip(names, row, strict=True) if not _is_absent(value)}
            handle.write(json.dumps(kept, ensure_ascii=False, default=str) + "\n")


class JsonLinesReader(FileReader):
    """Read the table in chunks; a line that is no object is a row with a fault."""

    def _chunks(self, only: str | None) -> Iterator[Chunk]:  # noqa: ARG002 - lines hold all columns
        known = dict.fromkeys(self.columns)
        with self.path.open("rb") as handle:
            for chunk in gather_chunks(_object_or_fault(line) for line in _filled(handle)):
                for row in chunk.rows:
                    known.update(dict.fromkeys(row))
                yield chunk
        self.columns = list(known)


class JsonLinesSink(LineSink):
    """Write the table in chunks; missing keys stay missing."""

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its line end included."""
        kept = {name: row[name] for name in self.columns if name in row} | dict(added)
        written = json.dumps(kept, ensure_ascii=False, default=str)
        if encodable(written) != written:  # half characters stay the escapes they were
            written = json.dumps(kept, default=str)
        return written + "\n"


def _object_or_error(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
    except RecursionError:
        raise ValueError(f"line {number} is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"line {number} is no object")  # noqa: TRY004 - read_table sorts by ValueError
    return value


def _object_or_fault(line: bytes) -> tuple[dict[str, Any], str]:
    """The object of a line, or what is wrong with the line and all that it holds."""
    shown = line.decode("utf-8", "backslashreplace").strip()
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return {}, f"not UTF-8 (byte 0x{line[error.start]:02x} at {error.start + 1}): {shown}"
    except (ValueError, RecursionError) as error:
        return {}, f"no JSON ({error}): {shown}"
    return (value, "") if isinstance(value, dict) else ({}, f"no JSON object: {shown}")


def _filled(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines that hold anything; a byte order mark before the first belongs to none."""
    for number, line in enumerate(lines):
        kept = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        if kept.strip():
            yield kept


def _is_absent(value: Any) -> bool:
    """Whether a cell is pandas' filling for a key its object did not have; JSON's own null is None."""
    return value is not None and is_missing(value)
