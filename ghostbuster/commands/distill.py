"""``ghostbuster distill``: train a detector on the probabilities of a stronger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress, note
from ghostbuster.commands.shared.options import (
    TABLE_KINDS,
    GroupColumn,
    MaxFeatures,
    MinTokens,
    NoCache,
    Quiet,
    Seed,
    Space,
    TextColumn,
    score_cache,
)
from ghostbuster.detector.params import DEFAULT_PANEL, Params

if TYPE_CHECKING:
    from pandas import DataFrame

    from ghostbuster.arrays import Float1d


def distill(
    teacher: Annotated[
        Path,
        typer.Argument(metavar="TEACHER", help="A detector made by `train`, or a table of its predictions."),
    ],
    table: Annotated[Path, typer.Argument(metavar="TEXTS", help=f"{TABLE_KINDS}.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="STUDENT", help="Where to write the new detector.")
    ],
    text_column: TextColumn = "text",
    label_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column of labels where texts have some; blank where nobody knows."
        ),
    ] = None,
    id_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of ids, in both, if the teacher is a table.")
    ] = "id",
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The teacher's column; 'probability' or 'generated' if left out."),
    ] = None,
    alpha: Annotated[
        float, typer.Option(metavar="SHARE", help="The teacher's share where a text has a label too, 0 to 1.")
    ] = 0.5,
    temperature: Annotated[
        float, typer.Option(metavar="T", help="What the teacher's log-odds are divided by.")
    ] = 1.0,
    group_column: GroupColumn = None,
    source_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column that says where a text comes from, as for `train`."),
    ] = None,
    panel: Annotated[str, typer.Option(metavar="NAME", help="The student's weak models.")] = DEFAULT_PANEL,
    space: Space = Params.space,
    max_features: MaxFeatures = Params.max_features,
    min_tokens: MinTokens = Params.min_tokens,
    seed: Seed = Params.random_state,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector on a stronger one's probabilities, also on texts without labels."""
    from ghostbuster.detector import distillation
    from ghostbuster.detector.artifact import save
    from ghostbuster.errors import ArtifactError
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.table import read_table, texts_of

    mixing = distillation.Mixing(alpha, temperature)
    check_writable(output, ArtifactError)
    rows = read_table(table)
    texts = texts_of(rows, text_column, table, allow_blank=False)
    labels = None if label_column is None else partial_labels(rows, label_column, table)
    groups, sources = (column_values(rows, name, table) for name in (group_column, source_column))
    word = teacher_of(teacher, (rows, table), id_column, column)

    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.reading.read import read

    student = GhostbusterClassifier(
        panel=panel, space=space, max_features=max_features, min_tokens=min_tokens, random_state=seed
    )
    with score_cache(enabled=not no_cache):
        with TokenProgress(quiet=quiet) as progress:
            reading = read(texts, student.learning_panel(), progress)
        said = word(texts)
    note(f"distilling {len(texts):,} texts: features are chosen", quiet=quiet)
    save(distillation.distill(student, reading, said, labels, mixing, groups, sources), output)
    if labels is None or not (labels == 0).any():
        note("no text is labelled human: the thresholds are the teacher's word, not a promise", quiet=quiet)
    note(f"{len(student.features_)} features chosen, written to {output}", quiet=quiet)


def column_values(rows: DataFrame, name: str | None, path: Path) -> list[str] | None:
    """Values of an optional column, as strings."""
    from ghostbuster.tables.table import column

    return None if name is None else [str(one) for one in column(rows, name, path)]


def partial_labels(rows: DataFrame, name: str, path: Path) -> Float1d:
    """Labels of a column, NaN where a cell is blank.

    Raises
    ------
    InputError
        When there is no such column, or a cell holds anything but 0, 1, human, machine or nothing.
    """
    import numpy as np

    from ghostbuster.tables.chunks import is_blank
    from ghostbuster.tables.table import column, labels_of

    blank = np.array([is_blank(value) for value in column(rows, name, path)])
    filled = rows.assign(**{name: rows[name].astype(object).where(~blank, "0")})
    labels: Float1d = np.array(labels_of(filled, name, path), dtype=np.float64)
    labels[blank] = np.nan
    return labels


def teacher_of(
    teacher: Path, texts: tuple[DataFrame, Path], id_column: str, column: str | None
) -> Callable[[Sequence[str]], Float1d]:
    """A function from texts to the teacher's probabilities: a detector, or a table of predictions.

    Parameters
    ----------
    teacher : Path
        A table of predictions by its suffix, else a detector.
    texts : DataFrame and Path
        The table of texts; its ids are those of the predictions.
    id_column : str
    column : str or None
        Of the predictions.

    Raises
    ------
    InputError
        When an id of the texts has no prediction, or a blank one; it is named.
    ArtifactError
        When the detector cannot be used.
    """
    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.detector.artifact import open_artifact
    from ghostbuster.tables.predictions import ids_of, predictions_for, read_predictions
    from ghostbuster.tables.registry import is_table

    if is_table(teacher):
        rows, table = texts
        known = read_predictions(teacher, id_column, column)
        found = predictions_for(ids_of(rows, id_column, table), known, teacher)
        return lambda _texts: found
    detector = open_artifact(detector_path(teacher)).detector()
    return lambda asked: detector.predict_proba(asked)[:, 1]
