"""Texts to learn from or to measure with, and what is known of each: one reader for tables and folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ghostbuster.arrays import AnyArray
from ghostbuster.errors import InputError
from ghostbuster.folds import is_machine
from ghostbuster.label_words import EXPECTED, plain_label, probability_of_machine
from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import TableReader
from ghostbuster.tables.chunks import ABSENT, LONGEST_NAME, check_names, is_blank, texts_in, unknown_column
from ghostbuster.tables.registry import open_reader
from ghostbuster.tables.survey import SHOWN, Fault
from ghostbuster.text.prepare import prepare_or_refuse

ID = "id"
"""Column of a folder that holds each document's path in it."""
FOLDER_COLUMNS = (ID, "folder", "label")
"""What a folder of documents has for columns; the first folder of a path is the label."""


@dataclass(frozen=True)
class Columns:
    """What is read of each row.

    Attributes
    ----------
    text : str
    label : str or None
        None reads no labels.
    others : tuple of str
        Columns that must be there.
    where_found : tuple of str
        Columns that are read if they are there.
    label_where_found : bool
        Whether a table, or a row, may have no column of labels: the label is then None.
    blank_labels : bool
        Whether its cell may be blank, likewise; what is not blank must then be certain, not a soft label.
    blank_texts : bool
        Whether a text may have no word.
    """

    text: str = "text"
    label: str | None = "label"
    others: tuple[str, ...] = ()
    where_found: tuple[str, ...] = ()
    label_where_found: bool = False
    blank_labels: bool = False
    blank_texts: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which a table is of no use."""
        label = [self.label] if self.label and not self.label_where_found else []
        return (self.text, *label, *self.others)


@dataclass
class LabelledTexts:
    """Rows that can be used, in order, and what is wrong with the others.

    Attributes
    ----------
    texts : list of str, length n_texts
    labels : list, length n_texts
        As they were given, numbers and truth values as such though a file of cells spells them; empty where
        none are read.
    columns : dict of str to list of str, length n_texts each
        The other columns; a cell that holds nothing is an empty string.
    rows : list of int, length n_texts
        Numbers of the rows, from 1.
    n_rows : int
        With those that cannot be used.
    faults : list of (int, str)
        The first rows that cannot be used, and what is wrong with each.
    n_faults : int
        All of them.
    passed_over : str
        Files of a folder that are no documents, in words.
    """

    texts: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    n_rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    n_faults: int = 0
    passed_over: str = ""

    @property
    def hard_labels(self) -> list[int]:
        """0 human, 1 machine, length n_texts; a soft label counts as the nearer."""
        found: list[int] = (
            is_machine([probability_of_machine(one) or 0.0 for one in self.labels]).astype(int).tolist()
        )
        return found

    @property
    def label_array(self) -> AnyArray:
        """Labels as they were given, of any types, shape (n_texts,)."""
        import numpy as np

        made = np.empty(len(self.labels), dtype=object)
        made[:] = self.labels
        return made

    def groups(self, name: str | None) -> list[str] | None:
        """Values of a column of groups; a row without one is a group of its own."""
        if name is None:
            return None
        return [one or f"row {row}" for one, row in zip(self.columns[name], self.rows, strict=True)]

    def column(self, name: str | None) -> list[str] | None:
        """Values of a column; None where no name is given."""
        return None if name is None else self.columns[name]


def read_labelled(path: Path, wanted: Columns, *, whole: bool = False) -> LabelledTexts:
    """Read the texts of a table, or of a folder of documents, with their labels.

    A row without a text, or with a label that says neither, is left out and told of; it does not end the
    rest. Documents are labelled by the folder they stand in: ``human/essay.docx``, ``AI/essay.docx``.

    Parameters
    ----------
    path : Path
    wanted : Columns
    whole : bool
        Whether all that documents show is read, not their prose alone.

    Raises
    ------
    InputError
        When there is no such table, it lacks a column, or no row of it can be used.
    """
    reader = open_reader(path, ID, wanted.text, whole=whole)
    is_folder = reader.n_rows is not None
    if is_folder:
        _check_columns(FOLDER_COLUMNS, wanted.others, path)
        wanted = replace(wanted, label=wanted.label and "label")
    made = LabelledTexts(passed_over=reader.passed_over)
    for text, fault, cells in _documents(reader, wanted) if is_folder else _rows(reader, wanted):
        made.n_rows += 1
        if fault := fault or _fault(text, cells, wanted):
            made.n_faults += 1
            made.faults += [(made.n_rows, fault)] * (made.n_faults <= SHOWN)
        else:
            _add(made, text, cells, wanted)
    there = (*(FOLDER_COLUMNS if is_folder else reader.columns), *wanted.others)
    made.columns = {name: values for name, values in made.columns.items() if name in there}
    _refuse_nothing(made, path)
    return made


_Row = tuple[str, str, Mapping[str, Any]]
"""Text, what is wrong with the row, and its other cells."""


def _rows(reader: TableReader, wanted: Columns) -> Iterator[_Row]:
    """Rows of a table; a column that no row has is an error of the table."""
    names = dict.fromkeys((wanted.label or wanted.text, *wanted.others, *wanted.where_found))
    for chunk in reader.chunks():
        known = reader.columns  # of files whose rows name their columns, empty up to the last row
        check_names(known, reader.path)
        _check_columns(known, wanted.needed, reader.path)
        columns = {name: chunk.values(name) for name in names if not known or name in known}
        for i, (text, fault, _note) in enumerate(texts_in(chunk, wanted.text)):
            yield text, fault, {name: values[i] for name, values in columns.items()}
    _check_columns(reader.columns, wanted.needed, reader.path)


def _check_columns(known: Sequence[str], needed: Sequence[str], path: Path) -> None:
    for name in needed:
        if known and name not in known:
            raise unknown_column(name, known, path)


def _documents(reader: TableReader, wanted: Columns) -> Iterator[_Row]:
    """Documents of a folder; a path is all that is known of one."""
    names = [name for chunk in reader.chunks() for name in chunk.values(ID)]
    labels = [name.partition("/")[0] if "/" in name else "" for name in names]
    unknown = {one for one in labels if probability_of_machine(one) is None}
    if wanted.label_where_found and unknown:
        labels = [""] * len(names)  # folders of other names: of classes, of courses
    for name, label, row in zip(names, labels, reader.texts(wanted.text), strict=True):
        text, fault, note = row
        cells: dict[str, Any] = {ID: name, "folder": name.rpartition("/")[0], "label": label or ABSENT}
        if not fault and not text.strip():
            fault = f"{name} has {note}"
        elif not fault and wanted.label and not wanted.label_where_found and label in {"", *unknown}:
            fault = f"{name} stands in no folder called human or machine (or AI): move it into one"
        yield text, fault, cells


def _fault(text: str, cells: Mapping[str, Any], wanted: Columns) -> str:
    """What is wrong with a row that holds a text; empty for one that can be used."""
    if not wanted.blank_texts:
        if not text.strip():
            return f"column {wanted.text!r} is blank; expected a text"
        prepared = prepare_or_refuse(text)
        if prepared.refusal or not prepared.text:
            return f"column {wanted.text!r} holds {prepared.refusal or 'no word'}; expected a text"
    return _fault_of_label(cells, wanted)


def _fault_of_label(cells: Mapping[str, Any], wanted: Columns) -> str:
    label = cells.get(wanted.label, ABSENT) if wanted.label else ABSENT
    if _is_left_open(label, wanted):
        return ""
    if label is ABSENT:
        return f"no column {wanted.label!r} in this row; expected {EXPECTED}"
    said = probability_of_machine(label)
    if said is None or not 0 <= said <= 1 or (wanted.blank_labels and 0 < said < 1):
        return f"column {wanted.label!r} holds {_shown(label)}; expected {EXPECTED}"
    return ""


def _is_left_open(label: Any, wanted: Columns) -> bool:
    """Whether a row has no label, and needs none."""
    if label is ABSENT:
        return wanted.label is None or wanted.label_where_found
    return wanted.blank_labels and is_blank(label)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "\u2026"


def _add(made: LabelledTexts, text: str, cells: Mapping[str, Any], wanted: Columns) -> None:
    made.texts.append(text)
    made.rows.append(made.n_rows)
    if wanted.label:
        label = cells.get(wanted.label, ABSENT)
        made.labels.append(None if _is_left_open(label, wanted) else plain_label(label))
    for name in (*wanted.others, *wanted.where_found):
        cell = cells.get(name, ABSENT)
        blank = cell is ABSENT or is_blank(cell)
        made.columns.setdefault(name, []).append("" if blank else encodable(str(cell)))


def _refuse_nothing(made: LabelledTexts, path: Path) -> None:
    if not made.n_rows:
        raise InputError(f"{path} has no row; expected a header and at least one text")
    if not made.texts:
        number, fault = made.faults[0]
        raise InputError(f"none of the {made.n_rows:,} rows of {path} can be used; row {number}: {fault}")
