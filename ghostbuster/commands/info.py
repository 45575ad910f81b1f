"""``ghostbuster info``: what made a detector, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ghostbuster.errors import GhostbusterError


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
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Try the CPU paths of models not yet tried; takes seconds."),
    ] = False,
) -> None:
    """Show a detector's models, features, thresholds and training data, and what llama.cpp makes of them."""
    from ghostbuster.registry import pick
    from ghostbuster.report.formats.facts import FACT_FORMS

    show = pick(FACT_FORMS, form, "form")

    from ghostbuster.detector.artifact import DEFAULT, SCHEMA, open_artifact
    from ghostbuster.models.llama.hardware import hardware_report

    opened = open_artifact(artifact or DEFAULT)
    models = _models(opened.manifest)
    facts = {
        "artifact": str(opened.path),
        "digest": opened.digest,
        "schema": SCHEMA,
        "llama_cpp": hardware_report(models, ask=verbose),
    }
    # what the file says of itself never stands for what is known of it
    typer.echo(show(facts | {name: said for name, said in opened.manifest.items() if name not in facts}))


def _models(manifest: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Roles and files of a detector's language models, as far as they are to be found here."""
    from ghostbuster.models.panels import panel_files

    try:
        files = panel_files(manifest["parameters"]["panel"])
    except (GhostbusterError, LookupError, TypeError, ValueError):  # whatever the manifest says
        return []
    return list(zip(("weak", "strong"), files, strict=True))
