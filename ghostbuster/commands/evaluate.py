"""``ghostbuster evaluate``: measure a detector on labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.options import (
    TABLE_KINDS,
    Device,
    GpuLayers,
    GroupColumn,
    LabelColumn,
    NoCache,
    PanelName,
    Quiet,
    Register,
    StrongModel,
    TextColumn,
    WeakModel,
    format_option,
    score_cache,
)
from ghostbuster.commands.shared.reports import ReportOption, write_figures
from ghostbuster.registry import lookup
from ghostbuster.report.formats.evaluation import EVALUATION_FORMATS

if TYPE_CHECKING:
    from pandas import DataFrame

SPLITS = ("domain", "generator", "source", "attack")
"""Columns that split the figures where a table has them."""


def evaluate(
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT", help="A detector made by `train`, or one that ships: default, standard, lite."
        ),
    ],
    table: Annotated[Path, typer.Argument(metavar="TABLE", help=f"{TABLE_KINDS}.")],
    form: Annotated[str, format_option(EVALUATION_FORMATS)] = "table",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    domain_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of domains, if it is not called domain.")
    ] = None,
    generator_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of generators, if it is not called generator.")
    ] = None,
    report: ReportOption = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the resamples that give the intervals.")] = 0,
    register: Register = None,
    panel: PanelName = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    no_cache: NoCache = False,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    quiet: Quiet = False,
) -> None:
    """Measure a detector on labelled texts that it was not trained on.

    Columns called domain, generator, source or attack split the figures.
    """
    from ghostbuster.commands.shared.detectors import open_detector
    from ghostbuster.tables.table import column, labels_of, read_table, texts_of

    compute_on(device, gpu_layers, quiet=quiet)
    show = lookup(EVALUATION_FORMATS, form, "form")
    if report is not None:
        from ghostbuster.report.html.evaluation import check_place

        check_place(report, table)
    rows = read_table(table)
    texts, labels = texts_of(rows, text_column, table), labels_of(rows, label_column, table)
    groups = None if group_column is None else [str(one) for one in column(rows, group_column, table)]
    splits = _splits(rows, {"domain": domain_column, "generator": generator_column}, table)
    detector, identity = open_detector(artifact, weak_model, strong_model, register, panel)
    with TokenProgress(quiet=quiet) as progress, score_cache(enabled=not no_cache):
        verdicts = detector.judge(texts, progress=progress)

    from ghostbuster.detector.evaluation import evaluate as measure

    found = measure(labels, verdicts, groups, splits, seed)
    if report is not None:
        write_figures(
            report, found, (labels, verdicts, groups, seed), str(table), identity, detector.threshold_
        )
    typer.echo(show(found, identity, detector.threshold_))


def _splits(rows: DataFrame, renamed: dict[str, str | None], table: Path) -> dict[str, list[str]]:
    """Values of the columns that split the figures; a column that the user named must exist."""
    from ghostbuster.tables.table import column

    found = {}
    for name in SPLITS:
        own = renamed.get(name)
        if own is not None or name in rows.columns:
            found[name] = [str(one) for one in column(rows, own or name, table)]
    return found
