"""The HTML report of an evaluation; its plots and its numbers (JSON) lie in a folder beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster import __version__
from ghostbuster.errors import InputError
from ghostbuster.metrics.classification import Estimate
from ghostbuster.metrics.curves import LENGTH_CLASSES, Curves
from ghostbuster.report.formats.evaluation import NAMES, figures_as_json
from ghostbuster.report.html.figures import SHARES, Plot, check_matplotlib, draw
from ghostbuster.report.html.page import check_page, render, write_page
from ghostbuster.report.wording import percent
from ghostbuster.system.atomic_files import atomic_write, check_writable

if TYPE_CHECKING:
    from ghostbuster.decision.thresholds import Threshold
    from ghostbuster.detector.evaluation import Evaluation, Slice


def folder_of(page: Path) -> Path:
    """The folder for a page's plots and numbers: ``report_files`` for ``report.html``."""
    return page.with_name(f"{page.stem}_files")


def check_place(page: Path, table: Path) -> None:
    """Check that a report can be made and written, before any costly work.

    Raises
    ------
    SettingError
        When matplotlib is not installed.
    InputError
        When the page's name cannot be used, something else has its folder's name, or nothing can be written.
    """
    check_matplotlib()
    check_page(page, [table])
    folder = folder_of(page)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder, but the figures go there: give the report another name")
    if folder.is_dir():
        check_writable(folder / "numbers.json", InputError)


def write_evaluation(
    page: Path, evaluation: Evaluation, curves: Curves, table: str, model: str, threshold: Threshold
) -> None:
    """Write the plots (SVG and PNG), the numbers (JSON), and the page last.

    Parameters
    ----------
    page : Path
    evaluation : Evaluation
    curves : Curves
        Of the same texts.
    table : str
        What the texts are called.
    model : str
        The detector's name and digest.
    threshold : Threshold

    Raises
    ------
    InputError
        When something cannot be written.
    """
    ordered = replace(evaluation, slices=tuple(sorted(evaluation.slices, key=_place)))
    plots = draw(curves, ordered.slices)
    folder = folder_of(page)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        raise InputError(f"{folder} cannot be made ({problem.strerror}): choose another place") from problem
    for plot in plots:
        for suffix, data in ((".svg", plot.svg), (".png", plot.png)):
            with atomic_write(folder / (plot.name + suffix), InputError) as temporary:
                temporary.write_bytes(data)
    numbers = json.loads(figures_as_json(ordered, model, threshold)) | {"curves": curves.plain()}
    with atomic_write(folder / "numbers.json", InputError) as temporary:
        temporary.write_text(json.dumps(numbers, ensure_ascii=False, indent=2, allow_nan=False), "utf-8")
    write_page(_page(ordered, plots, table, model, threshold, folder.name), page)


def _place(part: Slice) -> tuple[bool, int]:
    """Lengths first, from short to long; the others as they stand."""
    is_length = part.column == "length"
    return not is_length, LENGTH_CLASSES.index(part.value) if is_length else 0


def _page(
    evaluation: Evaluation, plots: Sequence[Plot], table: str, model: str, threshold: Threshold, folder: str
) -> str:
    columns = list(dict.fromkeys(part.column for part in evaluation.slices))
    n_curves = len(plots) - len(columns)
    return render(
        "evaluation.html",
        version=__version__,
        model=model,
        table=table,
        folder=folder,
        n_human=f"{evaluation.n_human:,}",
        n_machine=f"{evaluation.n_machine:,}",
        n_unjudged=f"{evaluation.n_unjudged:,}",
        kept=_kept(evaluation, threshold),
        figures=[_figure(*one) for one in evaluation.figures.items()],
        curves=plots[:n_curves],
        names=list(SHARES.values()),
        parts=[
            {
                "plot": plot,
                "column": column,
                "note": _NOTES.get(column, ""),
                "rows": _rows(evaluation, column),
            }
            for column, plot in zip(columns, plots[n_curves:], strict=True)
        ],
    )


_NOTES = {"generator": "Each generator\u2019s texts are compared with all human ones."}


def _kept(evaluation: Evaluation, threshold: Threshold) -> str:
    """Whether the promise to people held on these texts."""
    promise = (
        f"The detector promises to call at most {percent(threshold.rate)} of human texts machine-written. "
    )
    fpr = evaluation.figures["false_positive_rate"]
    if fpr is None:
        return promise + "Of human texts there is none here, so nothing is said of that."
    verdict = (
        "the promise is broken on these texts"
        if fpr.low > threshold.rate
        else "that agrees with the promise"
        if fpr.high <= threshold.rate
        else "these texts are too few to tell whether the promise holds"
        if fpr.value <= threshold.rate
        else "that is more than promised, though chance could explain it"
    )
    return (
        f"{promise}Of these {evaluation.n_human:,} it called {percent(fpr.value)} so ({percent(fpr.low)} to "
        f"{percent(fpr.high)}): {verdict}."
    )


def _figure(name: str, figure: Estimate | None) -> dict[str, str]:
    value, interval = _cell(figure)
    return {"name": NAMES[name], "value": value, "interval": interval}


def _rows(evaluation: Evaluation, column: str) -> list[dict[str, Any]]:
    return [
        {
            "value": part.value,
            "n_human": f"{part.n_human:,}",
            "n_machine": f"{part.n_machine:,}",
            "cells": [_cell(part.figures.get(name)) for name in SHARES],
        }
        for part in evaluation.slices
        if part.column == column
    ]


def _cell(figure: Estimate | None) -> tuple[str, str]:
    """The value, and its interval."""
    return (
        ("\u2013", "")
        if figure is None
        else (f"{figure.value:.3f}", f"{figure.low:.3f} to {figure.high:.3f}")
    )
