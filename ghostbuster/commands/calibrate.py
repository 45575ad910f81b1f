"""``ghostbuster calibrate``: measure a detector's thresholds anew on one's own human texts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress, note
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.labelled import exit_for, read_texts
from ghostbuster.commands.shared.options import (
    Adapter,
    Device,
    GpuLayers,
    NoCache,
    Quiet,
    StrongModel,
    TextColumn,
    WeakModel,
    Whole,
    score_cache,
)
from ghostbuster.errors import InputError

if TYPE_CHECKING:
    from ghostbuster.tables.labelled import LabelledTexts

LABELS = "label"
"""Column that must not name a machine, where a table has it."""


def calibrate(
    context: typer.Context,
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT", help="A detector made by `train`, or one that ships: default, standard, lite."
        ),
    ],
    human_texts: Annotated[
        Path,
        typer.Argument(metavar="HUMAN_TEXTS", help="Texts by people: a table, or a folder of documents."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="NEW", help="Where to write the detector with its new thresholds."
        ),
    ],
    register: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Make thresholds for this kind of text, and leave the others alone."
        ),
    ] = None,
    max_fpr: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Human texts that may be called machine from now on: 0.05, 0.01, 0.001."
        ),
    ] = None,
    text_column: TextColumn = "text",
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    adapter: Adapter = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    no_cache: NoCache = False,
    whole: Whole = False,
    quiet: Quiet = False,
) -> None:
    """Measure a detector's thresholds anew on your own human texts.

    Features, head and probabilities stay as they are. A text that cannot be used is named and left out; the
    exit code is then 1.
    """
    from ghostbuster.commands.shared.detectors import open_detector
    from ghostbuster.commands.shared.scores import check_options, open_scores, reading_for
    from ghostbuster.decision.thresholds import check_rate
    from ghostbuster.errors import ArtifactError
    from ghostbuster.system.atomic_files import check_writable

    compute_on(device, gpu_layers, quiet=quiet)
    check_writable(output, ArtifactError, (human_texts, weak_model, strong_model, adapter))
    if max_fpr is not None:
        check_rate(max_fpr)
    if kept := open_scores(human_texts):
        text_column = check_options(kept, context)
    given = texts_by_people(kept.table if kept else human_texts, text_column, whole=whole)
    detector, _ = open_detector(artifact, weak_model, strong_model, adapter=adapter)
    if max_fpr is not None:
        detector = detector.with_params(max_fpr=max_fpr)

    from ghostbuster.detector.artifact import save
    from ghostbuster.detector.recalibration import recalibrated

    read = partial(reading_for, detector, kept) if kept else None
    with TokenProgress(quiet=quiet) as progress, score_cache(enabled=not no_cache and not kept):
        made = recalibrated(detector, given.texts, register, progress, read)
    save(made, output)
    for threshold in made.thresholds_ if register is None else made.register_thresholds_[register]:
        typer.echo(f"{threshold.rate:g}: machine from {threshold}")
    note(f"written to {output}", quiet=quiet)
    exit_for(given)


def texts_by_people(path: Path, text_column: str, *, whole: bool = False) -> LabelledTexts:
    """The texts of a table's column, or of a folder's files in the order of their names.

    Raises
    ------
    InputError
        When there is none, a table cannot be read, or says that a machine wrote one.
    """
    from ghostbuster.tables.labelled import Columns

    given = read_texts(path, Columns(text_column, LABELS, label_where_found=True), whole=whole)
    if n_machine := sum(given.hard_labels):
        raise InputError(
            f"{path} labels {n_machine} of {len(given.texts)} texts machine; expected people's: drop those"
        )
    return given
