"""``ghostbuster train``: train a detector on one's own labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ghostbuster.commands.shared.console import note
from ghostbuster.commands.shared.detectors import compute_on
from ghostbuster.commands.shared.labelled import OR_SCORES, exit_for, read_texts
from ghostbuster.commands.shared.options import (
    Adapter,
    Device,
    GpuLayers,
    GroupColumn,
    LabelColumn,
    MaxFeatures,
    MinTokens,
    NoCache,
    Quiet,
    Seed,
    Space,
    StrongModel,
    TextColumn,
    WeakModel,
    Whole,
    score_cache,
)
from ghostbuster.detector.params import DEFAULT_PANEL, Params

if TYPE_CHECKING:
    from ghostbuster.models.panel_choice import PanelName


def train(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(metavar="TEXTS", help=OR_SCORES)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="ARTIFACT", help="Where to write the detector.")
    ],
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    source_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column that says where a text comes from: of three or more, each is held out once.",
        ),
    ] = None,
    register_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column that says what kind of text it is: thresholds are made for each kind.",
        ),
    ] = None,
    panel: Annotated[
        str, typer.Option(metavar="NAME", help="The weak models that read the texts.")
    ] = DEFAULT_PANEL,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    adapter: Adapter = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    space: Space = Params.space,
    max_features: MaxFeatures = Params.max_features,
    head: Annotated[
        str, typer.Option(metavar="NAME", help="One of: logistic, elastic-net, lightgbm.")
    ] = Params.head,
    readers: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What reads a text: features, words, states (hidden), adapter, parted by commas; or auto.",
        ),
    ] = Params.readers,
    mix: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The readers' weights: stacked (learned), shares (--lexical-weight), or auto.",
        ),
    ] = Params.mix,
    lexical_weight: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the words themselves in the score, 0 for none.")
    ] = Params.lexical_weight,
    criterion: Annotated[
        str, typer.Option(metavar="NAME", help="What the search improves: log_loss, auroc or accuracy.")
    ] = Params.criterion,
    max_fpr: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Human texts that may be called machine: 0.05, 0.01, 0.001."),
    ] = Params.max_fpr,
    min_tokens: MinTokens = Params.min_tokens,
    seed: Seed = Params.random_state,
    no_cache: NoCache = False,
    whole: Whole = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector on labelled texts: a table, or documents in folders called human and machine.

    Or token scores that `read` kept: then no language model is opened, and the detector is the same. A row
    that cannot be used is named and left out; the exit code is then 1.
    """
    from ghostbuster.commands.shared.detectors import own_models
    from ghostbuster.commands.shared.scores import check_options, is_given, open_scores, panel_that_read
    from ghostbuster.detector.artifact import save
    from ghostbuster.errors import ArtifactError
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.labelled import Columns

    compute_on(device, gpu_layers, quiet=quiet)
    own = own_models(weak_model, strong_model)
    models: PanelName = own or panel
    if kept := open_scores(table):
        text_column = check_options(kept, context, ("device", "gpu_layers", "adapter"))
        models = panel_that_read(kept, panel if is_given(context, "panel") else None, own)
        table = kept.table
    check_writable(output, ArtifactError, (table, weak_model, strong_model, adapter))
    named = tuple(one for one in (group_column, source_column, register_column) if one is not None)
    given = read_texts(table, Columns(text_column, label_column, named), whole=whole)

    from ghostbuster.detector.classifier import GhostbusterClassifier

    first = "" if kept else "the models read them, then "
    note(f"training on {len(given.texts):,} texts: {first}features are chosen", quiet=quiet)
    classifier = GhostbusterClassifier(
        panel=models,
        space=space,
        max_features=max_features,
        head=head,
        readers=readers,
        mix=mix,
        lexical_weight=lexical_weight,
        criterion=criterion,
        max_fpr=max_fpr,
        min_tokens=min_tokens,
        random_state=seed,
        adapter="" if adapter is None else str(adapter),
    )
    known: dict[str, Any] = {
        "groups": given.groups(group_column),
        "sources": given.column(source_column),
        "registers": given.column(register_column),
    }
    if kept:
        states = "states" in classifier.params.reader_names
        reading = kept.reading(given.texts, states=states, rows=given.rows)
        classifier.fit_reading(reading, given.label_array, **known, panel=kept.panel)
    else:
        with score_cache(enabled=not no_cache):
            classifier.fit(given.texts, given.label_array, **known)
    save(classifier, output)
    note(f"{len(classifier.features_)} features chosen, written to {output}", quiet=quiet)
    exit_for(given)
