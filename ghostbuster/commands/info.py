"""``ghostbuster info``: show what a detector was made of, and its thresholds."""

from __future__ import annotations

from typing import Annotated

import typer

from ghostbuster.commands.shared.options import format_option
from ghostbuster.registry import lookup
from ghostbuster.report.formats.facts import FACT_FORMATS


def info(
    artifact: Annotated[
        str | None,
        typer.Argument(
            metavar="[ARTIFACT]",
            help="A detector made by `train`, or one that ships: default, standard, lite.",
        ),
    ] = None,
    form: Annotated[str, format_option(FACT_FORMATS)] = "table",
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Try the CPU paths of models not yet tried; takes seconds."),
    ] = False,
) -> None:
    """Show a detector's models, features, thresholds and training data, and what llama.cpp makes of them."""
    show = lookup(FACT_FORMATS, form, "form")

    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.commands.shared.detectors import log_on_stderr
    from ghostbuster.detector.artifact import open_artifact
    from ghostbuster.report.facts import facts_of

    log_on_stderr(quiet=False)
    typer.echo(show(facts_of(open_artifact(detector_path(artifact)), ask=verbose)))
