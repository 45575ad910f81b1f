"""JSON lines: one object a line; values keep their types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.system.printable import encodable
from ghostbuster.tables.chunks import is_missing
from ghostbuster.tables.dialect import encoding_of
from ghostbuster.tables.kinds.files import LineSink

if TYPE_CHECKING:
    from pandas import DataFrame


def write(table: DataFrame, path: Path) -> None:
    """Write the whole table; missing keys stay missing."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in objects(table):
            handle.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def objects(table: DataFrame) -> Iterator[dict[str, Any]]:
    """Each row as a dict, without the keys that it misses."""
    names = [str(name) for name in table.columns]
    columns: Sequence[list[Any]] = [table[name].tolist() for name in table.columns]
    for row in zip(*columns, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if not _is_absent(value)}


class JsonLinesSink(LineSink):
    """Write the table in chunks; missing keys stay missing."""

    def line(self, row: Mapping[str, Any], added: Mapping[str, Any]) -> str:
        """One row, its line end included."""
        kept = {name: row[name] for name in self.columns if name in row} | dict(added)
        written = json.dumps(kept, ensure_ascii=False, default=str)
        if encodable(written) != written:  # half characters stay the escapes they were
            written = json.dumps(kept, default=str)
        return written + "\n"


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


def rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a file, one a line, each with what is wrong with it."""
    found = encoding_of(path)
    if found.encoding.startswith("utf-8"):
        with path.open("rb") as handle:
            handle.seek(len(found.mark))
            yield from (_object_or_fault(line) for line in handle if line.strip())
    else:
        with path.open(encoding=found.encoding, errors=found.errors) as lines:
            yield from (
                _object_or_fault(one.encode("utf-8", "surrogatepass")) for one in lines if one.strip()
            )


def _is_absent(value: Any) -> bool:
    """Whether a cell is pandas' filling for a key its object did not have; JSON's own null is None."""
    return value is not None and is_missing(value)
