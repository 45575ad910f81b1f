"""Write the HTML reports of commands: collect what a page shows, and render it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ghostbuster.decision.thresholds import Threshold
    from ghostbuster.decision.verdict import Verdict
    from ghostbuster.detector.detector import Detector
    from ghostbuster.detector.evaluation import Evaluation
    from ghostbuster.reading.read import Reading
    from ghostbuster.report.report import Report

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="HTML", help="Also write a report to this file; it needs no network."),
]


def write_verdicts(
    path: Path, report: Report, detector: Detector, reading: Reading, written: Sequence[str]
) -> None:
    """Write one HTML page that shows each text with its verdict and all that the detector saw in it.

    Parameters
    ----------
    path : Path
    report : Report
    detector : Detector
    reading : Reading
        Of the report's texts, in order.
    written : sequence of str
        The texts as they were given.
    """
    import numpy as np

    from ghostbuster.report.html.detail import detail_for
    from ghostbuster.report.html.page import write_page
    from ghostbuster.report.html.verdicts import verdicts_page

    details = [detail_for(detector, reading.take(np.array([i])), text) for i, text in enumerate(written)]
    panel = detector.open_panel()
    unit = "token" if panel.shared_tokenizer else "word"
    write_page(verdicts_page(report, details, panel.describe(), unit), path)


def write_figures(
    path: Path,
    evaluation: Evaluation,
    measured: tuple[Sequence[int], Sequence[Verdict], Sequence[str] | None, int],
    table: str,
    model: str,
    threshold: Threshold,
) -> None:
    """Write the HTML report of an evaluation, and the folder with its plots.

    Parameters
    ----------
    path : Path
    evaluation : Evaluation
    measured : tuple
        Labels, verdicts, groups and seed that it was made of.
    table : str
    model : str
    threshold : Threshold
    """
    from dataclasses import replace

    from ghostbuster.detector.evaluation import slices_by
    from ghostbuster.metrics.curves import curves, length_class
    from ghostbuster.report.html.evaluation import write_evaluation

    labels, verdicts, groups, seed = measured
    lengths = [length_class(verdict.n_tokens) for verdict in verdicts]
    by_length = slices_by(labels, verdicts, {"length": lengths}, seed)
    drawn = curves(labels, [verdict.probability for verdict in verdicts], groups, seed)
    whole = replace(evaluation, slices=(*by_length, *evaluation.slices))
    write_evaluation(path, whole, drawn, table, model, threshold)
