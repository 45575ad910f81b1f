"""``score-table --on``: the command's options turned into a job for a cluster, and what is printed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ghostbuster.commands.shared.cluster import ClusterWish
from ghostbuster.commands.shared.console import RowProgress, note, print_error
from ghostbuster.commands.shared.labelled import SOME_BAD

if TYPE_CHECKING:
    from ghostbuster.arrays import Progress
    from ghostbuster.cluster.plan import Plan
    from ghostbuster.cluster.planning import Task
    from ghostbuster.cluster.scoring.part_errors import RowError
    from ghostbuster.models.panel_choice import PanelName


DEFAULT_SUFFIX = ".parquet"


@dataclass(frozen=True)
class TableWish:
    """The options of ``score-table`` that do not depend on where it runs.

    Attributes
    ----------
    table, output : str
        Paths or addresses.
    text_column, prefix, submission : str
        As `cluster.survey.Columns`.
    model, register : str or None
    panel : str, (str, str) or None
    restart, quiet : bool
    """

    table: str
    output: str
    text_column: str
    prefix: str
    submission: str
    model: str | None
    register: str | None
    panel: PanelName | None
    restart: bool
    quiet: bool

    @property
    def suffix(self) -> str:
        """Of the parts: that of the output's name, if it has one."""
        return Path(self.output.rstrip("/")).suffix.lower() or DEFAULT_SUFFIX


def score_on_cluster(cluster: ClusterWish, wish: TableWish) -> None:
    """Score a table on a cluster, into a folder of parts.

    Raises
    ------
    typer.Exit
        With 1 when some rows have an error.
    """
    workers = cluster.checked()
    from ghostbuster.cluster.scoring.score_table import ScoreJob, score_on_ray
    from ghostbuster.commands.shared.detectors import log_on_stderr
    from ghostbuster.detector.batches.portable import portable

    log_on_stderr(quiet=wish.quiet)
    detector = portable(wish.model, wish.register, wish.panel)
    job = ScoreJob(
        _task(wish, detector.identity, cluster.where),
        detector,
        workers,
        cluster.address,
        cluster.where,
        cluster.gpu_layers,
    )
    listener = _Listener(wish)
    try:
        errors = score_on_ray(job, listener.begin, restart=wish.restart)
    except KeyboardInterrupt:
        note(f"finished parts are kept in {wish.output}: the same command goes on there", quiet=wish.quiet)
        raise
    finally:
        listener.end()
    if errors.n > listener.n_shown:
        _print_errors(errors.n, errors.first, wish.table)
    rows = f"{listener.n_rows:,} rows, {errors.n:,} of them with an error"
    note(f"{rows}, written to {wish.output}", quiet=wish.quiet)
    if errors.n:
        raise typer.Exit(SOME_BAD)


def _task(wish: TableWish, detector: str, device: str | None) -> Task:
    """What is to be made of the input, with everything that moves a value by the name that a user knows."""
    from importlib.metadata import version

    import ghostbuster
    from ghostbuster.cluster.inputs import input_files, would_take
    from ghostbuster.cluster.planning import Task
    from ghostbuster.cluster.storage import place_of
    from ghostbuster.cluster.survey import Columns
    from ghostbuster.errors import InputError
    from ghostbuster.tables.registry import kind_of

    kind_of(Path(f"part{wish.suffix}"))
    folder = place_of(wish.output)
    files = input_files(wish.table)
    if wish.table.rstrip("/") == wish.output.rstrip("/"):
        raise InputError(f"{wish.output} is the input: choose another folder for the parts")
    if would_take(wish.table, folder.child(f"part-000000{wish.suffix}")):
        raise InputError(
            f"{wish.output} lies in the input {wish.table}, which would take its parts for texts the next "
            "time: choose a folder outside"
        )
    made_by = {
        "detector": detector.rpartition("@")[2],
        "--text-column": wish.text_column,
        "--submission": wish.submission or "no",
        "--prefix": wish.prefix,
        "--register": wish.register or "",
        "version of ghostbuster": ghostbuster.__version__,
        "device": device or "",
        "version of llama-cpp-python": version("llama-cpp-python"),
    }
    columns = Columns(wish.text_column, wish.suffix, wish.prefix, wish.submission)
    return Task(wish.table, files, folder, columns, made_by)


class _Listener:
    """Prints what a plan says, and the progress line."""

    def __init__(self, wish: TableWish) -> None:
        self._wish = wish
        self._bar: RowProgress | None = None
        self.n_rows = self.n_shown = 0

    def begin(self, plan: Plan, n_before: int) -> Progress:
        """Show what is known before any row is scored."""
        self.n_rows, self.n_shown = plan.n_rows, int(plan.facts["n_faults"])
        quiet = self._wish.quiet
        if n_before:
            note(f"going on after {n_before:,} of {plan.n_rows:,} rows", quiet=quiet)
        _print_errors(self.n_shown, [tuple(one) for one in plan.facts["faults"]], self._wish.table)
        self._bar = RowProgress(plan.n_rows, plan.n_characters, n_before, quiet=quiet)
        return self._bar.__enter__()

    def end(self) -> None:
        """Clear the progress line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _print_errors(n: int, first: Sequence[RowError], table: str) -> None:
    """Print the first rows that hold no text, and how many more there are."""
    for address, row, error in first:
        print_error(f"row {row} of {address}: {error}")
    if n > len(first):
        print_error(f"{n - len(first):,} more rows of {table} hold no text: the column of errors names them")
