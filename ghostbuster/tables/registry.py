"""The kinds of tables; to add one, write its file in ``kinds/`` and add its row to ``KINDS``."""

from __future__ import annotations

from pathlib import Path

from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.tables.base import TableKind, TableReader
from ghostbuster.tables.kinds import json_array, json_file, json_lines, parquet
from ghostbuster.tables.kinds.delimited import delimited

KINDS: tuple[TableKind, ...] = (
    delimited("CSV", (".csv",), separator=","),
    delimited("TSV", (".tsv",), separator="\t"),
    TableKind(
        "JSON lines",
        (".jsonl", ".ndjson"),
        read=json_file.read,
        write=json_lines.write,
        reader=json_file.JsonReader,
        sink=json_lines.JsonLinesSink,
    ),
    TableKind(
        "JSON",
        (".json",),
        read=json_file.read,
        write=json_array.write,
        reader=json_file.JsonReader,
        sink=json_array.JsonArraySink,
    ),
    TableKind(
        "Parquet",
        (".parquet",),
        read=parquet.read,
        write=parquet.write,
        reader=parquet.ParquetReader,
        sink=parquet.ParquetSink,
        typed=True,
    ),
)
"""Every kind of table, in the order in which messages name their suffixes."""


SCORES_MANIFEST = "ghostbuster-scores.json"
"""By this file a folder of token scores is told from a folder of documents."""


def suffixes() -> dict[str, TableKind]:
    """The kind of table that each suffix of a file's name stands for."""
    return {suffix: kind for kind in KINDS for suffix in kind.suffixes}


def is_table(path: Path) -> bool:
    """Whether a kind of table has this file's suffix."""
    return path.suffix.lower() in suffixes()


def kind_of(path: Path) -> TableKind:
    """The kind of table that a file's suffix names.

    Raises
    ------
    InputError
        When no kind has the suffix.
    """
    known, suffix = suffixes(), path.suffix.lower()
    if suffix not in known:
        raise unknown(suffix or path.name, known, "kind of table", InputError)
    return known[suffix]


def open_reader(path: Path, id_column: str, text_column: str, *, whole: bool = False) -> TableReader:
    """The reader of a table file, or of a folder of documents as a table of ids and texts.

    Parameters
    ----------
    path : Path
    id_column, text_column : str
        What a folder's columns are called.
    whole : bool
        Whether all that a folder's documents show is read, not their prose alone.

    Raises
    ------
    InputError
        When there is no such file or folder, no kind has its suffix, or it is a folder of token scores.
    """
    if path.is_dir() and not is_table(path):
        if (path / SCORES_MANIFEST).is_file():
            raise InputError(
                f"{path} holds token scores, which `train`, `evaluate` and `calibrate` take; expected texts: "
                "give the table in it"
            )
        from ghostbuster.tables.kinds.folder import FolderReader

        return FolderReader(path, id_column, text_column, whole=whole)
    return kind_of(path).reader(path)
