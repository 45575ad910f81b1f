"""``ghostbuster distill``: train a detector on the probabilities of a stronger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress, note
from ghostbuster.commands.shared.labelled import TABLE_OR_FOLDER, exit_for, read_texts
from ghostbuster.commands.shared.options import (
    ADAPTER_SUFFIX,
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
    from ghostbuster.arrays import Float1d
    from ghostbuster.tables.labelled import LabelledTexts

DIGEST_SHOWN = 12


def distill(
    teacher: Annotated[
        Path,
        typer.Argument(
            metavar="TEACHER",
            help="A detector made by `train`, an adapter by `finetune`, or a table of predictions.",
        ),
    ],
    table: Annotated[Path, typer.Argument(metavar="TEXTS", help=f"{TABLE_OR_FOLDER}.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="STUDENT", help="Where to write the new detector.")
    ],
    also: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TEACHER", help="A further teacher; may be repeated: their mean log-odds teach."
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="GGUF", help="The model of a teacher that is an adapter, if no known one."),
    ] = None,
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
    from ghostbuster.tables.labelled import ID, Columns
    from ghostbuster.tables.registry import is_table

    mixing = distillation.Mixing(alpha, temperature)
    teachers = (teacher, *(also or ()))
    check_writable(output, ArtifactError, (*teachers, table, base))
    ids = id_column if any(map(is_table, teachers)) else None
    if ids is not None and table.is_dir():
        ids = ID
    named = tuple(one for one in (group_column, source_column, ids) if one is not None)
    given = read_texts(table, Columns(text_column, label_column, named, blank_labels=True))
    labels = None if label_column is None else soft_labels(given)
    words = [
        teacher_of(one, given.column(ids) if is_table(one) else None, id_column, column, base)
        for one in teachers
    ]
    mixing = replace(mixing, teachers=tuple(map(name_of, teachers)))

    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.reading.read import read

    student = GhostbusterClassifier(
        panel=panel, space=space, max_features=max_features, min_tokens=min_tokens, random_state=seed
    )
    with score_cache(enabled=not no_cache):
        with TokenProgress(quiet=quiet) as progress:
            reading = read(given.texts, student.learning_panel(), progress)
        said = together([word(given.texts) for word in words])
    note(f"distilling {len(given.texts):,} texts: features are chosen", quiet=quiet)
    groups, sources = given.groups(group_column), given.column(source_column)
    save(distillation.distill(student, reading, said, labels, mixing, groups, sources), output)
    if labels is None or not (labels == 0).any():
        note("no text is labelled human: the thresholds are the teacher's word, not a promise", quiet=quiet)
    note(f"{len(student.features_)} features chosen, written to {output}", quiet=quiet)
    exit_for(given)


def soft_labels(given: LabelledTexts) -> Float1d:
    """Labels as probabilities of machine, shape (n_texts,); NaN where nobody knows."""
    import numpy as np

    from ghostbuster.label_words import probability_of_machine

    found = [probability_of_machine(one) for one in given.labels]
    return np.array([np.nan if one is None else one for one in found], dtype=np.float64)


def together(said: Sequence[Float1d]) -> Float1d:
    """Probabilities whose log-odds are the mean of the teachers'."""
    import numpy as np
    import pandas as pd

    from ghostbuster.detector.ensemble import combine

    if len(said) == 1:
        return said[0]
    return np.asarray(combine([pd.Series(one) for one in said], "logit"), dtype=np.float64)


def name_of(teacher: Path) -> str:
    """Name of a teacher's file, and the first of its digest."""
    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.models.gguf.digest import file_digest
    from ghostbuster.tables.registry import is_table

    is_detector = not is_table(teacher) and teacher.suffix.lower() != ADAPTER_SUFFIX
    path = detector_path(teacher) if is_detector else teacher
    return f"{path.name}@{file_digest(path)[:DIGEST_SHOWN]}"


def teacher_of(
    teacher: Path,
    ids: Sequence[str] | None,
    id_column: str,
    column: str | None,
    base: Path | None = None,
) -> Callable[[Sequence[str]], Float1d]:
    """A function from texts to the teacher's probabilities: a detector, an adapter, a table of predictions.

    Parameters
    ----------
    teacher : Path
        A table of predictions or an adapter by its suffix, else a detector.
    ids : sequence of str or None
        Of the texts, where the teacher is a table: by these its predictions are found.
    id_column : str
    column : str or None
        Of the predictions.
    base : Path, optional
        Of an adapter.

    Raises
    ------
    InputError
        When an id of the texts has no prediction, or a blank one; it is named.
    ArtifactError
        When the detector cannot be used.
    """
    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.detector.artifact import open_artifact
    from ghostbuster.tables.predictions import predictions_for, read_predictions

    if ids is not None:
        found = predictions_for(ids, read_predictions(teacher, id_column, column), teacher)
        return lambda _texts: found
    if teacher.suffix.lower() == ADAPTER_SUFFIX:
        from ghostbuster.heads.adapter_head import adapter_probability
        from ghostbuster.models.open_adapter import open_adapter

        adapter = open_adapter(teacher, base)
        return lambda asked: adapter_probability(adapter, asked)
    detector = open_artifact(detector_path(teacher)).detector()
    return lambda asked: detector.predict_proba(asked)[:, 1]
