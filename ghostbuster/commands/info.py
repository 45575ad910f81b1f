"""``ghostbuster info``: what made a detector, and what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def info(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ARTIFACT]", help="A detector made by `train`; without it the one that ships."
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="FORM", help="One of: table, json.")
    ] = "table",
) -> None:
    """Show a detector's models, features, thresholds and training data."""
    from ghostbuster.names import pick
    from ghostbuster.report.facts import FACT_FORMS

    show = pick(FACT_FORMS, form, "form")

    from ghostbuster.artifact import DEFAULT, SCHEMA, open_artifact

    opened = open_artifact(artifact or DEFAULT)
    facts = {
        "artifact": str(opened.path),
        "digest": opened.digest,
        "schema": SCHEMA,
        "llama_cpp": llama_cpp(),
        **opened.manifest,
    }
    typer.echo(show(facts))


def llama_cpp() -> dict[str, object]:
    """The build of llama.cpp at hand: its version, and whether it can use a graphics card."""
    from importlib.metadata import version

    from ghostbuster.models.llama import can_offload

    return {"version": version("llama-cpp-python"), "gpu": can_offload()}
