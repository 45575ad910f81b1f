"""``ghostbuster score-file``: a verdict for each file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress, print_error
from ghostbuster.commands.shared.detectors import compute_on, device_of
from ghostbuster.commands.shared.labelled import SOME_BAD
from ghostbuster.commands.shared.options import (
    Adapter,
    Device,
    GpuLayers,
    Model,
    PanelName,
    Quiet,
    Register,
    StrongModel,
    WeakModel,
    Whole,
    format_option,
)
from ghostbuster.commands.shared.reports import ReportOption, write_verdicts
from ghostbuster.errors import InputError, SettingError
from ghostbuster.report.formats.verdicts import VERDICT_FORMATS, verdict_format
from ghostbuster.system.printable import encodable

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.detector.passages import Passages
    from ghostbuster.reading.read import Reading
    from ghostbuster.text.documents.read import JudgedText

NONE_GOOD = 2
"""Exit code when no file could be read."""


def score_file(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Texts or documents; '-' reads standard input.")
    ],
    model: Model = None,
    form: Annotated[str, format_option(VERDICT_FORMATS)] = "table",
    report: ReportOption = None,
    passages: Annotated[
        bool,
        typer.Option(
            "--passages", help="Also say how much of each text is machine-written, and judge its passages."
        ),
    ] = False,
    register: Register = None,
    panel: PanelName = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    adapter: Adapter = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    whole: Whole = False,
    quiet: Quiet = False,
) -> None:
    """Say how likely each text was written by a machine.

    Word, PDF, OpenDocument, RTF, web pages, e-mail, books and notebooks are read as people see them: the
    prose alone, unless --whole is given.
    """
    compute_on(device, gpu_layers, quiet=quiet)
    show = verdict_format(form)  # a bad name fails before any model loads
    if report is not None:
        from ghostbuster.report.html.page import check_page

        check_page(report, [Path(name) for name in files if name != "-"])
    names, documents = read_files(files, whole=whole)
    texts = [one.text for one in documents]
    if not texts:
        raise typer.Exit(NONE_GOOD)

    from ghostbuster.commands.shared.detectors import open_detector
    from ghostbuster.report.report import Report

    detector, identity = open_detector(model, weak_model, strong_model, register, panel, adapter)
    with TokenProgress(quiet=quiet) as progress:
        reading = detector.read(texts, progress)
    reading = reading.annotated([one.notes for one in documents], [one.refusal for one in documents])
    verdicts = Report(
        names,
        detector.judge_reading(reading),
        identity,
        detector.threshold_,
        device_of(detector),
        [one.parts for one in documents],
        along(detector, reading) if passages else (),
    )
    if report is not None:
        write_verdicts(report, verdicts, detector, reading, texts)
    typer.echo(show(verdicts))
    if len(texts) < len(files):
        raise typer.Exit(SOME_BAD)


def along(detector: Detector, reading: Reading) -> list[Passages]:
    """Probabilities along each text of a reading, in order."""
    import numpy as np

    from ghostbuster.detector.passages import passages_of

    return [passages_of(detector, reading.take(np.array([i]))) for i in range(len(reading.prepared))]


def read_files(files: Sequence[str], *, whole: bool = False) -> tuple[list[str], list[JudgedText]]:
    """Names of, and what is judged of, of the files that can be read; the others are named on standard error.

    Raises
    ------
    InputError
        When standard input is asked for twice.
    """
    from ghostbuster.text.documents.read import document_text, read_stream, text_of

    if list(files).count("-") > 1:
        raise InputError("'-' is given twice; standard input can be read only once")
    names: list[str] = []
    read: list[JudgedText] = []
    for name in files:
        try:
            if name == "-":
                one = text_of(read_stream(sys.stdin.buffer, "standard input"), whole=whole)
            else:
                one = document_text(Path(name), whole=whole)
        except (InputError, SettingError) as error:
            print_error(str(error))
        else:
            names.append(encodable(name))
            read.append(one)
    return names, read
