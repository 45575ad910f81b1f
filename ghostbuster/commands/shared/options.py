"""Options that several commands share, and what they switch on: the score cache, names of formats."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from ghostbuster.commands.shared.console import warn

TABLE_KINDS = "CSV, TSV, JSON lines, JSON or Parquet"
"""The kinds of tables as help texts name them; the registry itself would slow down ``--help``."""

Prefix = Annotated[str, typer.Option(metavar="TEXT", help="Put before the names of the added columns.")]
RestartScoring = Annotated[
    bool, typer.Option("--restart", help="Score all rows again that an interrupted run has scored.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Neither look up nor remember the language models' scores.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ARTIFACT",
        help="A detector made by `train`, or one that ships: default, standard, lite.",
    ),
]
WeakModel = Annotated[
    Path | None,
    typer.Option(metavar="GGUF", help="The weak language model's file, in place of the panel's."),
]
StrongModel = Annotated[
    Path | None,
    typer.Option(metavar="GGUF", help="The strong language model's file, in place of the panel's."),
]
PanelName = Annotated[
    str | None,
    typer.Option(
        "--panel", metavar="NAME", help="A panel's language models, for a detector trained with such."
    ),
]
Adapter = Annotated[
    Path | None,
    typer.Option(metavar="GGUF", help="An adapter made by `finetune`, of one of the panel's models."),
]
ADAPTER_SUFFIX = ".gguf"
"""By it a file is known for an adapter, where it may also be a detector or a table."""
Whole = Annotated[
    bool,
    typer.Option(
        "--whole", help="Judge all that documents show, not their prose alone: headings, tables, references."
    ),
]
TextColumn = Annotated[str, typer.Option(metavar="NAME", help="Column that holds the texts.")]
LabelColumn = Annotated[
    str, typer.Option(metavar="NAME", help="Column that holds the labels: 0 or human, 1 or machine.")
]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column whose equal values mark texts of one prompt or document: they stay together.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Where the language models compute: cpu, or a card as `info` names it (CUDA0)."
    ),
]
GpuLayers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Layers of each model to put on cards; all that fit by default."),
]
Register = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Judge by the thresholds of this kind of text, such as essay."),
]
Space = Annotated[str, typer.Option(metavar="NAME", help="Candidate space of the feature search.")]
MaxFeatures = Annotated[int, typer.Option(metavar="N", help="Features to choose at most.")]
MinTokens = Annotated[int, typer.Option(metavar="N", help="Shorter texts are 'unsure'.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same detector.")]


def format_option(names: Iterable[str], of: str = "") -> Any:
    """The option ``--format``, which takes the names of a table of formats."""
    return typer.Option("--format", "-f", metavar="FORM", help=f"{of}One of: {', '.join(names)}.")


def score_cache(*, enabled: bool) -> AbstractContextManager[None]:
    """Look up and store the language models' scores inside the block, unless ``--no-cache`` is given.

    A cache that cannot be used is one line on standard error: the scores are then worked out.
    """
    if not enabled:
        return nullcontext()
    from ghostbuster.reading.cache import remember_scores

    return remember_scores(tell=warn)
