"""``ghostbuster evaluate``: how right a detector is on labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghostbuster.commands.console import Progress
from ghostbuster.commands.devices import compute_on
from ghostbuster.commands.options import (
    Device,
    GpuLayers,
    GroupColumn,
    LabelColumn,
    Quiet,
    StrongModel,
    TextColumn,
    WeakModel,
)

SPLITS = ("domain", "generator", "source", "attack")
"""Columns that split the figures where a table has them."""


def evaluate(
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT", help="A detector made by `train`; 'default' is the one that ships."
        ),
    ],
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="CSV, TSV, JSON lines or Parquet.")],
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="FORM", help="One of: table, json.")
    ] = "table",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the resamples that give the intervals.")] = 0,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    quiet: Quiet = False,
) -> None:
    """Measure a detector on labelled texts that it was not trained on.

    Columns called domain, generator, source or attack split the figures.
    """
    from ghostbuster.commands.detectors import open_detector
    from ghostbuster.names import pick
    from ghostbuster.report.evaluation import EVALUATION_FORMS
    from ghostbuster.tables import column, labels_of, read_table, texts_of

    compute_on(device, gpu_layers)
    show = pick(EVALUATION_FORMS, form, "form")
    rows = read_table(table)
    texts, labels = texts_of(rows, text_column, table), labels_of(rows, label_column, table)
    groups = None if group_column is None else [str(one) for one in column(rows, group_column, table)]
    splits = {name: [str(one) for one in rows[name].tolist()] for name in SPLITS if name in rows.columns}
    classifier, identity = open_detector(_path(artifact), weak_model, strong_model)
    with Progress(quiet=quiet) as progress:
        verdicts = classifier.judge(texts, progress=progress)

    from ghostbuster.evaluation import evaluate as measure

    typer.echo(show(measure(labels, verdicts, groups, splits, seed), identity, classifier.threshold_))


def _path(artifact: str) -> Path | None:
    """The file meant; a file called ``default`` can be given as ``./default``."""
    return None if artifact == "default" else Path(artifact)
