"""``ghostbuster models``: list, download and verify language models, and describe a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ghostbuster.commands.shared.console import note
from ghostbuster.commands.shared.options import Quiet, format_option
from ghostbuster.registry import lookup
from ghostbuster.report.formats.facts import FACT_FORMATS
from ghostbuster.report.formats.models import MODEL_FORMATS

NOT_AS_PULLED = 1
"""Exit code of ``verify`` when a file is missing or has changed."""

ModelFormat = Annotated[str, format_option(MODEL_FORMATS)]
Names = Annotated[
    list[str], typer.Argument(metavar="NAME", help="Known models; `ghostbuster models list` shows them.")
]

models = typer.Typer(no_args_is_help=True, help="Download language models, and look into model files.")


@models.command("list")
def list_models(form: ModelFormat = "table") -> None:
    """Show the known models: which are here, what they weigh, their licences and digests."""
    from ghostbuster.models.hub.catalog import CATALOG
    from ghostbuster.models.hub.locate import locate, ways_to_get
    from ghostbuster.models.prepared.prepare import read_as

    show = lookup(MODEL_FORMATS, form, "form")
    rows: list[dict[str, Any]] = []
    for name, row in CATALOG.items():
        found = locate(name)
        rows.append(
            {
                "name": name,
                "state": found.state if found else "not here",
                "source": found.source if found else None,
                "distribution": found.distribution if found else None,
                "get_with": None if found and found.state == "here" else ways_to_get(name),
                "gigabytes": row.gigabytes,
                "licence": row.licence,
                "about": row.about,
                "sha256": found.sha256 if found else row.sha256 or None,
                "revision": (found and found.revision) or row.revision,
                "repository": row.repository,
                "file": row.file,
                "licence_url": row.licence_url,
                "path": str(found.path) if found else None,
                "read_as": read_as(found.sha256) if found and row.converted else None,
            }
        )
    typer.echo(show(rows))


@models.command("pull")
def pull_models(
    names: Names,
    revision: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Branch, tag or commit in place of the one that is pinned."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Download models from the Hugging Face hub and check them; goes on where it was broken off."""
    from ghostbuster.models.hub.catalog import known_model
    from ghostbuster.models.hub.download import pull

    rows = {name: known_model(name) for name in names}  # a wrong name stops all before anything is fetched
    for name, row in rows.items():
        terms = f"; {row.terms}" if row.terms else ""
        typer.echo(f"{name}: {row.licence}, {row.licence_url}{terms}", err=True)
        note(f"{name}: about {row.gigabytes:g} GB from {row.repository}", quiet=quiet)
        record = pull(name, revision, quiet=quiet)
        typer.echo(f"{name}: {record.path}\n  SHA-256 {record.sha256}, as the hub says of {record.revision}")


@models.command("verify")
def verify_models(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]", help="Known models; all that are here, if none is named."),
    ] = None,
    form: ModelFormat = "table",
) -> None:
    """Read every byte of the models that are here and compare their digests with those recorded."""
    from ghostbuster.models.hub.catalog import CATALOG, known_model
    from ghostbuster.models.hub.locate import locate

    show = lookup(MODEL_FORMATS, form, "form")
    for name in names or ():
        known_model(name)
    rows: list[dict[str, Any]] = []
    for name in names or CATALOG:
        found = locate(name, every_byte=True)
        if found is not None:
            state = "ok" if found.state == "here" else found.state
            rows.append({"name": name, "state": state, "sha256": found.sha256, "path": str(found.path)})
        elif names:
            rows.append({"name": name, "state": "missing", "sha256": None, "path": None})
    typer.echo(show(rows))
    if any(row["state"] != "ok" for row in rows):
        raise typer.Exit(NOT_AS_PULLED)


@models.command("prepare")
def prepare_models(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]", help="Models to convert; all that are here, if none is named."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure anew which form is the fastest.")] = False,
    form: ModelFormat = "table",
    quiet: Quiet = False,
) -> None:
    """Convert models to the form that this machine reads fastest; else done when one is first used."""
    from ghostbuster.commands.shared.detectors import log_on_stderr
    from ghostbuster.errors import SettingError
    from ghostbuster.models.hub.catalog import CATALOG, known_model
    from ghostbuster.models.hub.locate import locate, model_file
    from ghostbuster.models.prepared.prepare import form_facts, prepare

    show = lookup(MODEL_FORMATS, form, "form")
    log_on_stderr(quiet=quiet)
    for name in names or ():
        if not known_model(name).converted:
            raise SettingError(f"model {name!r} is read as it is: it has no form that is known to be faster")
    wanted = names or [name for name, row in CATALOG.items() if row.converted and locate(name)]
    files = {name: model_file(name) for name in wanted}
    rows: list[dict[str, Any]] = []
    for name, file in files.items():
        prepare(file, again=again)
        rows.append({"name": name, "state": "prepared", **form_facts(file)})
    typer.echo(show(rows))


@models.command("info")
def model_info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A GGUF model; it is checked, not loaded.")],
    form: Annotated[str, format_option(FACT_FORMATS)] = "table",
) -> None:
    """Show what a GGUF file says of itself, and whether it can serve as a weak model."""
    from ghostbuster.models.gguf.describe import model_facts

    show = lookup(FACT_FORMATS, form, "form")
    typer.echo(show(model_facts(file)))
