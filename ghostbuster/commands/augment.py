"""``ghostbuster augment``: have a teacher write texts like those that a detector gets wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ghostbuster.commands.shared.console import StepProgress, TokenProgress, note, print_faults
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.labelled import exit_for
from ghostbuster.commands.shared.options import (
    TABLE_KINDS,
    Device,
    GpuLayers,
    GroupColumn,
    LabelColumn,
    NoCache,
    Prefix,
    Quiet,
    TextColumn,
    format_option,
    score_cache,
)
from ghostbuster.report.formats.facts import FACT_FORMATS

if TYPE_CHECKING:
    from ghostbuster.detector.augmentation.held_out_errors import HeldOut
    from ghostbuster.detector.augmentation.rounds import Augmented, NewText, Task
    from ghostbuster.detector.augmentation.table import SeedTable


def augment(
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT", help="The detector to improve: its models and settings learn from TABLE."
        ),
    ],
    table: Annotated[Path, typer.Argument(metavar="TABLE", help=f"Labelled texts. {TABLE_KINDS}.")],
    teacher: Annotated[
        Path, typer.Option("--teacher", metavar="MODEL.gguf", help="A chat model that writes the new texts.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="TABLE", help="Where all texts go, the new ones at the end."),
    ],
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    source_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column that says where a text comes from, as for `train`."),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column that names a text's parent; else its row.")
    ] = None,
    prefix: Prefix = "",
    rounds: Annotated[
        int, typer.Option(metavar="N", help="Times that it is trained from scratch and texts are written.")
    ] = 1,
    per_text: Annotated[int, typer.Option(metavar="N", help="Texts asked for on each wrong text.")] = 2,
    errors: Annotated[
        str,
        typer.Option(metavar="KIND", help="Texts shown: missed (machines'), accused (people's), or both."),
    ] = "missed",
    request: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the teacher is asked, with {text} and {n_words}."),
    ] = None,
    max_texts: Annotated[int, typer.Option(metavar="N", help="New texts at most.")] = 1000,
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Tokens written at most, in all.")] = 500_000,
    max_minutes: Annotated[
        float, typer.Option(metavar="N", help="Minutes of writing at most, in all runs.")
    ] = math.inf,
    text_tokens: Annotated[int, typer.Option(metavar="N", help="Tokens of one text at most.")] = 400,
    temperature: Annotated[
        float, typer.Option(metavar="T", help="The teacher's: 0 takes the likeliest token.")
    ] = 0.8,
    top_p: Annotated[
        float, typer.Option(metavar="SHARE", help="The teacher's: mass of the tokens drawn from.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same texts.")] = 0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Write all texts again that an interrupted run has written.")
    ] = False,
    form: Annotated[str, format_option(FACT_FORMATS, "Of the summary. ")] = "table",
    device: Device = None,
    gpu_layers: GpuLayers = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Have a teacher write new texts like those that a detector gets wrong on held-out folds.

    What it writes is labelled machine. Refusals, echoes of the request, copies and what is no prose of like
    length are dropped; how many, and by which filter, is printed as a summary. A run that was interrupted
    goes on where it was when the same command is given again. Then `ghostbuster train` learns from the table.
    A row that cannot be used is named and not learned from; the exit code is then 1.
    """
    from ghostbuster.detector.augmentation.journal import StepJournal
    from ghostbuster.detector.augmentation.plan import Plan
    from ghostbuster.detector.augmentation.prompts import Request
    from ghostbuster.detector.augmentation.rounds import Task
    from ghostbuster.detector.augmentation.rounds import augment as run
    from ghostbuster.detector.augmentation.summary import made_by, summary
    from ghostbuster.detector.augmentation.table import SeedTable
    from ghostbuster.errors import InputError
    from ghostbuster.models.llama.writing.sampling import Sampling
    from ghostbuster.registry import lookup
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.registry import kind_of

    compute_on(device, gpu_layers, quiet=quiet)
    show = lookup(FACT_FORMATS, form, "form")
    plan = Plan(rounds, per_text, errors, max_texts, max_tokens, max_minutes, seed)
    sampling = Sampling(text_tokens, temperature, top_p)
    asked = Request.read(request)
    kind_of(output)
    check_writable(output, InputError, (artifact, table, teacher))
    columns = {"text": text_column, "label": label_column, "group": group_column, "source": source_column}
    seeds = SeedTable.read(table, {**columns, "id": id_column}, prefix)
    print_faults(table, seeds.given.n_faults, seeds.given.faults)

    from ghostbuster.models.llama.writing.writer import Writer

    learner = _Learner(artifact, seeds, quiet=quiet)
    writer = Writer(teacher, per_text)
    task = Task(seeds.prepared, seeds.y, plan, seeds.sources, asked, sampling)
    with (
        StepJournal(
            output, made_by(task, learner.identity, writer.digest, seeds), restart=restart
        ) as journal,
        score_cache(enabled=not no_cache),
        StepProgress(quiet=quiet) as bar,
    ):
        if journal.n_values:
            note(f"going on after {journal.n_values:,} steps", quiet=quiet)
        try:
            made = run(task, learner, writer, journal, lambda _round, so_far: bar(_told(task, so_far)))
        except KeyboardInterrupt:
            note(f"what is written is kept in {journal.path}: the same command goes on there", quiet=quiet)
            raise
        seeds.write(output, made.texts, writer.file.path.name, writer.digest)
        typer.echo(show(summary(made, writer.file.path.name, writer.digest, str(output))))
        journal.discard()
    exit_for(seeds.given)


class _Learner:
    """Reads the seed texts when it is first asked to learn: a run that goes on may have no need to."""

    def __init__(self, artifact: str, seeds: SeedTable, *, quiet: bool) -> None:
        from ghostbuster.artifacts.shipped import detector_path
        from ghostbuster.detector.artifact import open_artifact

        opened = open_artifact(detector_path(artifact))
        self.identity = opened.digest
        self._detector = opened.detector()
        self._detector.open_panel()  # weak models that do not fit are refused before anything is begun
        self._seeds, self._quiet = seeds, quiet
        self._learner: Any = None

    def __call__(self, new: list[NewText] | Any) -> HeldOut:
        from ghostbuster.detector.augmentation.held_out_errors import Learner
        from ghostbuster.models.panel_choice import panel_of
        from ghostbuster.reading.read import read

        seeds, params = self._seeds, self._detector.params
        with TokenProgress(quiet=self._quiet) as progress:
            if self._learner is None:
                panel = panel_of(params.panel, state_layers=params.state_layers)
                reading = read(seeds.texts, panel, progress)
                self._learner = Learner(params, panel, seeds.y, seeds.groups, seeds.sources, reading)
            note(f"training on {len(seeds.texts) + len(new):,} texts", quiet=self._quiet)
            found: HeldOut = self._learner.learn(
                [one.text for one in new], [one.parent for one in new], progress
            )
            return found


def _told(task: Task, made: Augmented) -> str:
    """One line of progress."""
    now = made.rounds[-1]
    return (
        f"round {now['round']} of {task.plan.rounds}: {now['kept']:,} of {now['asked']:,} texts kept, "
        f"{made.n_tokens:,} tokens, {made.n_tokens / max(made.seconds, 1e-9):,.0f} a second"
    )
