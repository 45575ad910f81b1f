"""Token scores that ``read`` kept, where a command is given their folder in place of a table of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ghostbuster.errors import ArtifactError, InputError, SettingError

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.models.panel_choice import PanelName
    from ghostbuster.reading.read import Reading
    from ghostbuster.reading.scores.kept import KeptScores

NO_MODEL = ("adapter", "device", "gpu_layers", "panel", "weak_model", "strong_model")
"""Options that choose language models or where they compute."""


def open_scores(path: Path) -> KeptScores | None:
    """The token scores of a folder that ``read`` made; None for a table or documents.

    Raises
    ------
    InputError
        When they are damaged or not complete.
    """
    from ghostbuster.reading.scores.kept import KeptScores
    from ghostbuster.reading.scores.manifest import is_scores

    return KeptScores.open(path) if is_scores(path) else None


def is_given(context: typer.Context, name: str) -> bool:
    """Whether the user gave an option, be it with its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def check_options(kept: KeptScores, context: typer.Context, useless: tuple[str, ...] = NO_MODEL) -> str:
    """Refuse options that contradict how the texts were read.

    Parameters
    ----------
    kept : KeptScores
    context : typer.Context
        Of the command.
    useless : tuple of str
        Options that there is no use for.

    Returns
    -------
    str
        The column of texts.

    Raises
    ------
    SettingError
        Names the first.
    """
    for name in useless:
        if is_given(context, name):
            raise SettingError(
                f"{kept.folder} holds token scores, and no language model is opened: leave out "
                f"--{name.replace('_', '-')}"
            )
    manifest = kept.manifest
    read_by = {"text_column": manifest.text_column, "whole": manifest.run.get("--whole") == "yes"}
    for name, value in read_by.items():
        given = context.params.get(name, value)
        if is_given(context, name) and given != value:
            raise SettingError(
                f"{kept.folder} was read with {_shown(name, value)}; give that or leave it out, or read the "
                "table again"
            )
    return manifest.text_column


def _shown(name: str, value: object) -> str:
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return option if value else f"no {option}"
    return f"{option} {value}"


def panel_that_read(kept: KeptScores, panel: str | None, own: tuple[str, str] | None) -> PanelName:
    """The name or the files of the panel that read the texts, for the detector to remember.

    Parameters
    ----------
    kept : KeptScores
    panel : str or None
        As given; None where it was not.
    own : (weak path, strong path) or None
        Files of the same models, where they lie elsewhere now.

    Raises
    ------
    SettingError
        When it is another panel.
    """
    from ghostbuster.models.gguf.digest import file_digest
    from ghostbuster.models.panels import PANELS

    name = kept.panel.name
    if own is not None:
        digests = {one["role"]: one["digest"] for one in kept.panel.models}
        for role, path in zip(("weak", "strong"), own, strict=True):
            if file_digest(path) != digests[role]:
                raise SettingError(
                    f"{kept.folder} was read by another {role} model than {path}: leave the option out, or "
                    "read the table again"
                )
        return own
    if panel is None or panel == name:
        return panel or name
    if isinstance(name, str) and panel in PANELS and PANELS[panel] == PANELS.get(name):
        return panel
    called = f"panel {name}" if isinstance(name, str) else "two files of your own"
    raise SettingError(
        f"{kept.folder} was read by {called}, not by panel {panel}: leave out --panel, or read the table "
        "again"
    )


def reading_for(
    detector: Detector, kept: KeptScores, texts: Sequence[str], rows: Sequence[int] | None = None
) -> Reading:
    """The reading of texts by a detector's own models, of scores that were kept.

    Raises
    ------
    ArtifactError
        When others than the detector's models read.
    InputError
        When hidden states are wanted and were not kept, or a part is damaged.
    """
    check_models(detector, kept)
    states = bool(detector.trained_.scorer.state_layers)
    return kept.reading(texts, states=states, rows=rows)


def check_models(detector: Detector, kept: KeptScores) -> None:
    """Refuse scores of other language models than a detector was trained with.

    Raises
    ------
    ArtifactError
        Names the first model that differs.
    """
    from ghostbuster.detector.manifest import check_fingerprints

    try:
        check_fingerprints(detector.trained_.fingerprints, kept.panel.fingerprints)
    except ArtifactError as error:
        raise ArtifactError(f"{kept.folder} is of no use here: {error}") from None
    layers = set(detector.trained_.scorer.state_layers)
    if kept.panel.state_layers and not layers <= set(kept.panel.state_layers):
        raise InputError(
            f"{kept.folder} holds hidden states of layers {list(kept.panel.state_layers)}, and the detector "
            f"reads {sorted(layers)}: read the table with `--model` and the detector"
        )
