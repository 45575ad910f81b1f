"""``ghostbuster read``: let a panel read a table once, and keep its token scores to train from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.cluster import (
    ClusterWish,
    CpusPerWorker,
    GpusPerWorker,
    NWorkers,
    On,
    RayAddress,
    check_no_cluster,
)
from ghostbuster.commands.shared.console import RowProgress, note, print_faults, warn
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.labelled import SOME_BAD, TABLE_OR_FOLDER
from ghostbuster.commands.shared.options import (
    Device,
    GpuLayers,
    Quiet,
    StrongModel,
    TextColumn,
    WeakModel,
    Whole,
    format_option,
)
from ghostbuster.registry import lookup
from ghostbuster.report.formats.scores import SCORES_FORMATS

if TYPE_CHECKING:
    from ghostbuster.reading.scores.panel_facts import PanelFacts
    from ghostbuster.reading.scores.readers import PartsReader
    from ghostbuster.reading.scores.rows import Looked
    from ghostbuster.reading.scores.writer import ScoresWriter


def read(
    table: Annotated[Path, typer.Argument(metavar="TEXTS", help=f"{TABLE_OR_FOLDER}.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SCORES", help="The folder to keep the token scores in.")
    ],
    text_column: TextColumn = "text",
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", metavar="ARTIFACT", help="Read as this detector does: its models and layers."
        ),
    ] = None,
    panel: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The weak models that read the texts: embedded if left out."),
    ] = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    states: Annotated[
        bool | None,
        typer.Option(
            "--states/--no-states",
            help="Keep hidden states: where the panel's strong model is a pretrained one if left out.",
        ),
    ] = None,
    form: Annotated[str, format_option(SCORES_FORMATS)] = "table",
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what SCORES holds, and read all rows again.")
    ] = False,
    whole: Whole = False,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    on: On = None,
    ray_address: RayAddress = None,
    workers: NWorkers = None,
    cpus_per_worker: CpusPerWorker = 1.0,
    gpus_per_worker: GpusPerWorker = None,
    quiet: Quiet = False,
) -> None:
    """Read a table once and keep the token scores, so that `train` needs no language model.

    Reading is what takes long; `ghostbuster train SCORES` then takes minutes, and may be given other heads,
    spaces and labels as often as you like. A run that was interrupted goes on where it was when the same
    command is given again. SCORES holds the texts. With `--on ray` the workers of a cluster read; TEXTS and
    SCORES stay on this machine.
    """
    from ghostbuster.commands.shared.panels import open_readers, wanted_panel
    from ghostbuster.detector.manifest import check_fingerprints
    from ghostbuster.reading.scores.rows import ID, look
    from ghostbuster.reading.scores.writer import ScoresWriter, check_place
    from ghostbuster.tables.registry import open_reader

    cluster = None
    if on is not None:
        cluster = ClusterWish(on, ray_address, workers, cpus_per_worker, gpus_per_worker, device, gpu_layers)
        cluster.checked()
    else:
        check_no_cluster(str(table), str(output), {"--ray-address": ray_address, "--workers": workers})
        compute_on(device, gpu_layers, quiet=quiet)
    show = lookup(SCORES_FORMATS, form, "form")
    check_place(output)
    reader = open_reader(table, ID, text_column, whole=whole)
    if reader.passed_over:
        warn(f"in {table}, {reader.passed_over}")
    if reader.n_rows is None:
        look(reader, text_column)  # a table that cannot be read is refused before any model loads
    wish = wanted_panel(model, panel, weak_model, strong_model, states)
    with open_readers(wish, cluster, quiet=quiet) as readers:
        facts = readers.facts
        check_fingerprints(wish.expected or {}, facts.fingerprints)
        run = run_identity(reader.digest(), facts, text_column, whole=whole)
        with ScoresWriter(output, run, restart=restart) as writer:
            seen = writer.begin(reader, text_column, facts)
            print_faults(table, seen.n_faults, seen.faults)
            _read_missing(writer, readers, seen, quiet=quiet)
            made = writer.summary()
    found = [one for one in made.faults if one not in seen.faults]
    print_faults(table, made.n_faults - seen.n_faults, found)
    typer.echo(show(made, facts, output))
    if made.n_faults:
        raise typer.Exit(SOME_BAD)


def run_identity(digest: str, facts: PanelFacts, text_column: str, *, whole: bool) -> dict[str, str]:
    """Everything that moves a token score, by the name that a user knows.

    Parameters
    ----------
    digest : str
        Of the table.
    facts : PanelFacts
    text_column : str
    whole : bool
    """
    import ghostbuster
    from ghostbuster.models.panel import BINDING

    return {
        "input": digest,
        "weak model": facts.fingerprints["weak"],
        "strong model": facts.fingerprints["strong"],
        "n-grams": facts.fingerprints["unigram"],
        "--states": ",".join(map(str, facts.state_layers)) or "no",
        "--text-column": text_column,
        "--whole": "yes" if whole else "no",
        "version of ghostbuster": ghostbuster.__version__,
        f"version of {BINDING}": facts.versions[BINDING],
        "device": facts.device,
        "build of llama.cpp, form of a model or kind of processor": facts.build,
    }


def _read_missing(writer: ScoresWriter, readers: PartsReader, seen: Looked, *, quiet: bool) -> None:
    """Read the parts that are not there, and write each as soon as it is read."""
    missing = writer.missing()
    n_before = seen.n_rows - sum(writer.n_rows_of(number) for number in missing)
    if n_before:
        note(f"going on after {n_before:,} of {seen.n_rows:,} rows", quiet=quiet)
    n_rows = n_characters = 0
    try:
        with RowProgress(seen.n_rows, seen.n_characters, n_before, quiet=quiet) as bar:
            for part, data in readers.read(writer.rows(missing), len(missing)):
                writer.put(part.number, data)
                n_rows += len(part.rows)
                n_characters += part.n_characters
                bar(n_rows, n_characters)
    except KeyboardInterrupt:
        note(
            f"{n_before + n_rows:,} of {seen.n_rows:,} rows are kept in {writer.folder}: "
            "the same command goes on there",
            quiet=quiet,
        )
        raise
