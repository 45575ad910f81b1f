"""``ghostbuster score-table``: a probability and a label for each row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from ghostbuster.commands.console import Progress, note
from ghostbuster.commands.devices import compute_on
from ghostbuster.commands.options import (
    Device,
    GpuLayers,
    Model,
    Quiet,
    StrongModel,
    TextColumn,
    WeakModel,
)
from ghostbuster.errors import InputError

ADDED = ("probability", "label")
"""Columns that scoring adds."""


def score_table(
    table: Annotated[Path, typer.Argument(metavar="IN", help="CSV, TSV, JSON lines or Parquet.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write; its suffix names the kind.")
    ],
    text_column: TextColumn = "text",
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="Put before the names of the added columns.")
    ] = "",
    model: Model = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    quiet: Quiet = False,
) -> None:
    """Add to each row of a table how likely its text was written by a machine.

    Every other column is kept. The columns `probability` and `label` are added.
    """
    import pandas as pd

    from ghostbuster.commands.detectors import open_detector
    from ghostbuster.files import check_writable
    from ghostbuster.tables import kind_of, read_table, texts_of, write_table

    compute_on(device, gpu_layers)
    kind_of(output)
    check_writable(output, InputError)
    rows = read_table(table)
    texts = texts_of(rows, text_column, table)
    names = [prefix + name for name in ADDED]
    for name in names:
        if name in rows.columns:
            raise InputError(
                f"{table} already has a column {name!r}, which would be lost: rename it, or give --prefix"
            )
    classifier, _ = open_detector(model, weak_model, strong_model)
    with Progress(quiet=quiet) as progress:
        verdicts = classifier.judge(texts, progress=progress)
    probabilities = [None if math.isnan(one.probability) else one.probability for one in verdicts]
    rows[names[0]] = pd.Series(probabilities, index=rows.index, dtype=object)
    rows[names[1]] = pd.Series([one.label for one in verdicts], index=rows.index, dtype=object)
    write_table(rows, output)
    note(f"{len(texts):,} texts scored, written to {output}", quiet=quiet)
