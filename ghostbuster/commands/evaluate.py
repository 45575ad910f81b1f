"""``ghostbuster evaluate``: measure a detector on labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.labelled import OR_SCORES, exit_for, read_texts
from ghostbuster.commands.shared.options import (
    Adapter,
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
    Whole,
    format_option,
    score_cache,
)
from ghostbuster.commands.shared.reports import ReportOption, write_figures
from ghostbuster.registry import lookup
from ghostbuster.report.formats.evaluation import EVALUATION_FORMATS

SPLITS = ("domain", "generator", "source", "attack")
"""Columns that split the figures where a table has them."""


def evaluate(
    context: typer.Context,
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT", help="A detector made by `train`, or one that ships: default, standard, lite."
        ),
    ],
    table: Annotated[Path, typer.Argument(metavar="TEXTS", help=OR_SCORES)],
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
    adapter: Adapter = None,
    no_cache: NoCache = False,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    whole: Whole = False,
    quiet: Quiet = False,
) -> None:
    """Measure a detector on labelled texts that it was not trained on.

    They are a table, documents in folders called human and machine, or token scores that `read` kept.
    Columns called domain, generator, source or attack split the figures. A row that cannot be used is named
    and left out; the exit code is then 1.
    """
    from ghostbuster.commands.shared.detectors import open_detector
    from ghostbuster.commands.shared.scores import check_options, open_scores, reading_for
    from ghostbuster.tables.labelled import Columns

    compute_on(device, gpu_layers, quiet=quiet)
    show = lookup(EVALUATION_FORMATS, form, "form")
    if report is not None:
        from ghostbuster.report.html.evaluation import check_place

        check_place(report, table)
    if kept := open_scores(table):
        text_column = check_options(kept, context)
    renamed = {"domain": domain_column, "generator": generator_column}
    wanted = Columns(text_column, label_column, *_columns(group_column, renamed), blank_texts=True)
    given = read_texts(kept.table if kept else table, wanted, whole=whole)
    labels, groups = given.hard_labels, given.groups(group_column)
    splits = {
        name: given.columns[renamed.get(name) or name]
        for name in SPLITS
        if (renamed.get(name) or name) in given.columns
    }
    detector, identity = open_detector(artifact, weak_model, strong_model, register, panel, adapter)
    if kept:
        verdicts = detector.judge_reading(reading_for(detector, kept, given.texts, given.rows))
    else:
        with TokenProgress(quiet=quiet) as progress, score_cache(enabled=not no_cache):
            verdicts = detector.judge(given.texts, progress=progress)

    from ghostbuster.detector.evaluation import evaluate as measure

    found = measure(labels, verdicts, groups, splits, seed)
    if report is not None:
        write_figures(
            report, found, (labels, verdicts, groups, seed), str(table), identity, detector.threshold_
        )
    typer.echo(show(found, identity, detector.threshold_))
    exit_for(given)


def _columns(
    group_column: str | None, renamed: dict[str, str | None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that must be there, since the user named them, and those that split figures where they are."""
    named = [one for one in (group_column, *renamed.values()) if one is not None]
    return tuple(named), tuple(one for one in SPLITS if renamed.get(one) is None and one not in named)
