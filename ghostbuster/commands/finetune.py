"""``ghostbuster finetune``: train an adapter of a language model on one's own labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ghostbuster.commands.shared.console import StepProgress, note
from ghostbuster.commands.shared.labelled import LABELLED, exit_for, read_texts
from ghostbuster.commands.shared.options import (
    ADAPTER_SUFFIX,
    GroupColumn,
    LabelColumn,
    Quiet,
    TextColumn,
    Whole,
)
from ghostbuster.errors import SettingError
from ghostbuster.finetuning.settings import Precision, Reads, Settings

if TYPE_CHECKING:
    from ghostbuster.finetuning.train import Progress

DEFAULT_BASE = "smollm2-135m"


def finetune(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help=LABELLED)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="ADAPTER", help="Where to write the adapter (GGUF).")
    ],
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="The model to fine-tune: a known one's name, or a GGUF file.")
    ] = DEFAULT_BASE,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    source_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column that says where a text comes from: sources weigh alike."),
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="A source that tells when to stop, and is not learned from; may be repeated. Drawn if none.",
        ),
    ] = None,
    reads: Annotated[
        str,
        typer.Option(metavar="NAME", help="What decides: mean (of the states), or answers (two tokens)."),
    ] = Settings.reads,
    rank: Annotated[int, typer.Option(metavar="N", help="Of the low-rank updates.")] = Settings.rank,
    alpha: Annotated[
        float | None,
        typer.Option(metavar="X", help="Their scale, times the rank; twice the rank if left out."),
    ] = None,
    layers: Annotated[
        int | None, typer.Option(metavar="N", help="Layers to read; three quarters of them if left out.")
    ] = None,
    first_layer: Annotated[
        int | None, typer.Option(metavar="N", help="First layer to change; a quarter up if left out.")
    ] = None,
    learning_rate: Annotated[
        float, typer.Option(metavar="X", help="Of AdamW, at its highest.")
    ] = Settings.learning_rate,
    epochs: Annotated[float, typer.Option(metavar="X", help="Crops a text, in all.")] = Settings.epochs,
    min_tokens: Annotated[
        int, typer.Option(metavar="N", help="Shorter texts are left out, and no crop is shorter.")
    ] = Settings.min_tokens,
    max_tokens: Annotated[int, typer.Option(metavar="N", help="No crop is longer.")] = Settings.max_tokens,
    batch_tokens: Annotated[
        int, typer.Option(metavar="N", help="Tokens a step; fewer take less memory.")
    ] = Settings.batch_tokens,
    checks: Annotated[
        int, typer.Option(metavar="N", help="How often the sources left out are looked at.")
    ] = Settings.checks,
    patience: Annotated[
        int, typer.Option(metavar="N", help="Checks without a gain after which it stops.")
    ] = Settings.patience,
    precision: Annotated[
        str, typer.Option(metavar="NAME", help="Of the products: bf16, or f32 on CPUs without it.")
    ] = Settings.precision,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu or cuda; the card where there is one.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of crops, order and first weights.")
    ] = Settings.seed,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where an interrupted run would go on.")
    ] = False,
    best_so_far: Annotated[
        bool, typer.Option("--best-so-far", help="Train no more: write the best of an interrupted run.")
    ] = False,
    whole: Whole = False,
    quiet: Quiet = False,
) -> None:
    """Train an adapter (LoRA) of a language model that tells machine texts from human ones.

    Needs the extra `finetune`; scoring with the adapter does not. A run that was interrupted goes on where it
    was when the same command is given again.
    """
    import numpy as np

    from ghostbuster import __version__
    from ghostbuster.errors import ModelError
    from ghostbuster.finetuning.installed import check_installed
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.labelled import Columns

    check_installed()
    if output.suffix.lower() != ADAPTER_SUFFIX:
        raise SettingError(
            f"--output {output}; expected a name that ends in {ADAPTER_SUFFIX}: by it an adapter is known"
        )
    check_writable(output, ModelError, (table, base))
    settings = Settings(
        reads=cast("Reads", reads),
        rank=rank,
        alpha=alpha,
        first_layer=first_layer,
        n_layers=layers,
        learning_rate=learning_rate,
        epochs=epochs,
        min_tokens=min_tokens,
        max_tokens=max_tokens,
        batch_tokens=batch_tokens,
        checks=checks,
        patience=patience,
        precision=cast("Precision", precision),
        seed=seed,
    )
    model = base_file(base)
    named = tuple(one for one in (group_column, source_column) if one is not None)
    given = read_texts(table, Columns(text_column, label_column, named), whole=whole)
    y, groups = np.array(given.hard_labels, dtype=np.intp), given.groups(group_column)

    from ghostbuster.finetuning.export import write_adapter
    from ghostbuster.finetuning.finetune import TextTable, finetune

    checkpoint = output.with_name(output.name + ".checkpoint")
    if checkpoint.exists() and not restart:
        note(f"going on from {checkpoint}", quiet=quiet)
    try:
        with StepProgress(quiet=quiet) as progress:
            progress("loading the model, and reading some texts with it")
            made = finetune(
                TextTable(given.texts, y, given.column(source_column), groups),
                model,
                settings,
                checkpoint,
                hold_out=hold_out or (),
                device=device,
                start="best" if best_so_far else "anew" if restart else "go on",
                report=lambda now: progress(line_of(now)),
            )
    except KeyboardInterrupt:
        if checkpoint.exists():
            note(f"what was learned is kept in {checkpoint}: the same command goes on there", quiet=quiet)
        raise
    file = write_adapter(made, output, made_by=__version__)
    checkpoint.unlink(missing_ok=True)
    first, best = made.checks[0], max(made.checks, key=lambda check: check.auroc)
    note(
        f"learned from {made.n_learned:,} texts; on {made.n_held_out:,} left out AUROC {best.auroc:.3f} "
        f"after step {best.step} ({first.auroc:.3f} before the first); "
        f"{file.n_bytes / 1e6:.1f} MB written to {output}",
        quiet=quiet,
    )
    exit_for(given)


def base_file(name: str) -> Path:
    """A known model's file, or the file itself.

    Raises
    ------
    ModelError
        When a known model is not here; the commands that get it are named.
    """
    from ghostbuster.models.hub.catalog import CATALOG
    from ghostbuster.models.hub.locate import model_file

    return model_file(name) if name in CATALOG else Path(name)


def line_of(now: Progress) -> str:
    """The progress line of a step."""
    aurocs = [check.auroc for check in now.checks]
    return (
        f"training: step {now.step:,} of {now.n_steps:,}, {now.tokens_a_second:,.0f} tokens a second, "
        f"on texts left out AUROC {aurocs[-1]:.3f} (best {max(aurocs):.3f}, at first {aurocs[0]:.3f})"
    )
