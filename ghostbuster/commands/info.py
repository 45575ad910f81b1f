"""``ghostbuster info``: show what a detector was made of, and its thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghostbuster.commands.shared.options import format_option
from ghostbuster.registry import lookup
from ghostbuster.report.formats.facts import FACT_FORMATS


def info(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ARTIFACT]", help="A detector made by `train`; without it the one that ships."
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

    from ghostbuster.detector.artifact import DEFAULT, open_artifact
    from ghostbuster.report.facts import facts_of

    typer.echo(show(facts_of(open_artifact(artifact or DEFAULT), ask=verbose)))
