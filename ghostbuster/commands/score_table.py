"""``ghostbuster score-table``: a probability and a label for each row."""

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
from ghostbuster.commands.shared.cluster_table import TableWish, score_on_cluster
from ghostbuster.commands.shared.console import RowProgress, note, print_faults, warn
from ghostbuster.commands.shared.detectors import chosen_panel, compute_on, device_of
from ghostbuster.commands.shared.labelled import SOME_BAD
from ghostbuster.commands.shared.options import (
    TABLE_KINDS,
    Adapter,
    Device,
    GpuLayers,
    Model,
    NoCache,
    PanelName,
    Prefix,
    Quiet,
    Register,
    RestartScoring,
    StrongModel,
    TextColumn,
    WeakModel,
    Whole,
    score_cache,
)
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from ghostbuster.tables.journal import Journal
    from ghostbuster.tables.scoring import Judge
    from ghostbuster.tables.survey import Job, Survey

NAMED_BY = "the column of errors names them"
"""Where the rows are told of that are not printed."""


def score_table(
    table: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help=f"{TABLE_KINDS}; or a folder of documents. With --on ray also a folder or a pattern of "
            "tables, or an address such as s3://bucket/texts.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Where to write; its suffix names the kind. With --on ray a folder of parts, Parquet "
            "without a suffix.",
        ),
    ],
    text_column: TextColumn = "text",
    id_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of ids, for --submission and for folders.")
    ] = "id",
    prefix: Prefix = "",
    submission: Annotated[
        bool, typer.Option("--submission", help="Write id and generated alone, as Kaggle wants them.")
    ] = False,
    restart: RestartScoring = False,
    model: Model = None,
    register: Register = None,
    panel: PanelName = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    adapter: Adapter = None,
    no_cache: NoCache = False,
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
    """Add to each row of a table how likely its text was written by a machine.

    Every other column is kept. The columns `probability` and `label` are added, and `error` where a row holds
    no text; for a folder, `notes` where a document holds what was not read. A run that was interrupted goes
    on where it was when the same command is given again.

    With `--on ray` OUT is a folder of parts, in the order of their names, with a column `error` in each; IN
    and OUT may be addresses that all nodes reach.
    """
    if on is not None:
        if adapter is not None:
            raise SettingError(
                f"--adapter {adapter} with --on {on}: nodes read the adapter that the detector names, at "
                "the same path everywhere: leave the option out"
            )
        if whole:
            raise SettingError(f"--whole is for documents, and --on {on} reads tables: leave the option out")
        cluster = ClusterWish(on, ray_address, workers, cpus_per_worker, gpus_per_worker, device, gpu_layers)
        wish = TableWish(
            table,
            output,
            text_column,
            prefix,
            id_column if submission else "",
            model,
            register,
            chosen_panel(weak_model, strong_model, panel),
            restart,
            quiet,
        )
        score_on_cluster(cluster, wish)
        return
    check_no_cluster(table, output, {"--ray-address": ray_address, "--workers": workers})
    from ghostbuster.commands.shared.detectors import open_detector
    from ghostbuster.detector.batches.row_scores import submission_scores, verdict_scores
    from ghostbuster.errors import InputError
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.registry import kind_of, open_reader
    from ghostbuster.tables.survey import Job, survey

    source, target = Path(table), Path(output)
    compute_on(device, gpu_layers, quiet=quiet)
    kind_of(target)
    check_writable(target, InputError, (source, weak_model, strong_model, adapter))
    reader = open_reader(source, id_column, text_column, whole=whole)
    if reader.passed_over:
        warn(f"in {table}, {reader.passed_over}")
    job = Job(reader, target, text_column, prefix, id_column if submission else "")
    seen = survey(job)
    detector, identity = open_detector(model, weak_model, strong_model, register, panel, adapter)
    judge = submission_scores(detector) if submission else verdict_scores(detector)
    judge([])  # weak models that do not fit are refused before anything is begun
    made_by = job_identity(job, seen, identity, device_of(detector)) | {
        "--register": register or "",
        "--whole": "yes" if whole else "no",
    }
    run_job(job, seen, judge, made_by, restart=restart, no_cache=no_cache, quiet=quiet)


def run_job(
    job: Job,
    seen: Survey,
    judge: Judge,
    made_by: dict[str, str],
    *,
    restart: bool,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Score a table, going on where an earlier run was interrupted, and write it; faulty rows are named.

    Parameters
    ----------
    job, seen : Job, Survey
    judge : callable
    made_by : mapping of str to str
        Everything that moves a score.
    restart, no_cache, quiet : bool
        The options of these names.

    Raises
    ------
    typer.Exit
        With ``SOME_BAD``, where a row has an error; the table is written all the same.
    """
    from ghostbuster.tables.journal import Journal
    from ghostbuster.tables.scoring import faults_in

    table = job.reader.path
    with Journal(job.output, made_by, restart=restart) as journal:
        if journal.n_rows:
            note(f"going on after {journal.n_rows:,} of {seen.n_rows:,} rows", quiet=quiet)
        print_faults(table, seen.n_faults, seen.faults, NAMED_BY)
        with score_cache(enabled=not no_cache):
            _score(job, seen, journal, judge, quiet=quiet)
        n_faults, faults = faults_in(journal)
        if n_faults > seen.n_faults:
            print_faults(table, n_faults, faults, NAMED_BY)
        _finish(job, seen, journal, faulty=n_faults > 0)
    note(f"{seen.n_rows:,} rows, {n_faults:,} of them with an error, written to {job.output}", quiet=quiet)
    if n_faults:
        raise typer.Exit(SOME_BAD)


def _score(job: Job, seen: Survey, journal: Journal, judge: Judge, *, quiet: bool) -> None:
    from ghostbuster.tables.scoring import score

    try:
        with RowProgress(seen.n_rows, seen.n_characters, journal.n_rows, quiet=quiet) as bar:
            score(job, journal, judge, bar)
    except KeyboardInterrupt:
        note(
            f"{journal.n_rows:,} of {seen.n_rows:,} rows are kept in {journal.path}: "
            "the same command goes on there",
            quiet=quiet,
        )
        raise


def _finish(job: Job, seen: Survey, journal: Journal, *, faulty: bool) -> None:
    from ghostbuster.tables.scoring import write

    write(job, seen, journal, faulty=faulty)
    journal.discard()


def job_identity(job: Job, seen: Survey, detector: str, device: str) -> dict[str, str]:
    """Everything that changes a score, by the name that a user knows."""
    from importlib.metadata import version

    import ghostbuster

    return {
        "input": seen.digest,
        "detector": detector.rpartition("@")[2],
        "--text-column": job.text_column,
        "--submission": "yes" if job.submission else "no",
        "version of ghostbuster": ghostbuster.__version__,
        "device": device,
        "version of llama-cpp-python": version("llama-cpp-python"),
    }
