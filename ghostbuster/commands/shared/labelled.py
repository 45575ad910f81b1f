"""Labelled texts as commands read them: rows that cannot be used are named on standard error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ghostbuster.commands.shared.console import print_faults, warn

if TYPE_CHECKING:
    from ghostbuster.tables.labelled import Columns, LabelledTexts

SOME_BAD = 1
"""Exit code when some texts were used and others could not be."""

TABLE_OR_FOLDER = "CSV, TSV, JSON lines, JSON or Parquet; or a folder of documents"
"""What commands that learn or measure read."""
LABELLED = f"{TABLE_OR_FOLDER} in folders called human and machine."
OR_SCORES = f"{LABELLED[:-1]}; or token scores that `read` kept."
"""What those read that have use for token scores."""


def read_texts(path: Path, wanted: Columns, *, whole: bool = False) -> LabelledTexts:
    """The texts of a table or a folder; what cannot be used is told of.

    Raises
    ------
    InputError
        When there is no such table, it lacks a column, or no row of it can be used.
    """
    from ghostbuster.tables.labelled import read_labelled

    made = read_labelled(path, wanted, whole=whole)
    if made.passed_over:
        warn(f"in {path}, {made.passed_over}")
    print_faults(path, made.n_faults, made.faults)
    return made


def exit_for(made: LabelledTexts) -> None:
    """End the command with ``SOME_BAD`` where a row could not be used.

    Raises
    ------
    typer.Exit
    """
    if made.n_faults:
        raise typer.Exit(SOME_BAD)
