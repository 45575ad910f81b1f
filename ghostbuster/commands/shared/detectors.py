"""Which detector and language models a command uses, and on which device they compute."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.commands.shared.console import note, warn
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector


def own_models(weak: Path | None, strong: Path | None) -> tuple[str, str] | None:
    """The panel that two model files make, or None where none is given.

    Raises
    ------
    SettingError
        When one is given without the other.
    """
    if weak is None and strong is None:
        return None
    if weak is None or strong is None:
        missing = "--weak-model" if weak is None else "--strong-model"
        raise SettingError(f"{missing} is missing: a panel has two language models, give both files or none")
    return str(weak), str(strong)


def chosen_panel(weak: Path | None, strong: Path | None, panel: str | None) -> str | tuple[str, str] | None:
    """The panel that options name in place of the detector's own; None where they name none.

    Raises
    ------
    SettingError
        When one model file is given without the other or beside a panel, or no panel has that name.
    """
    models = own_models(weak, strong)
    if models is not None and panel is not None:
        raise SettingError(f"--panel {panel} and files of models: give one or the other")
    if panel is not None:
        from ghostbuster.models.panels import PANELS
        from ghostbuster.registry import lookup

        lookup(PANELS, panel, "panel")  # a wrong name is all that is said
    return models or panel


def open_detector(
    model: str | None,
    weak: Path | None = None,
    strong: Path | None = None,
    register: str | None = None,
    panel: str | None = None,
    adapter: Path | None = None,
) -> tuple[Detector, str]:
    """Load the chosen detector; returns it with its name and digest.

    Parameters
    ----------
    model : str or None
        Its file, or the name of one that ships; None is the default.
    weak, strong : Path or None
        Files of its language models, where they lie elsewhere than at training.
    register : str, optional
        Whose thresholds are in force.
    panel : str, optional
        A named panel with the same language models, in place of their files.
    adapter : Path, optional
        Where the detector's adapter lies, if elsewhere than at training.

    Raises
    ------
    SettingError
        When one model file is given without the other or beside a panel, a name is unknown, or an adapter is
        given for a detector that has none.
    ArtifactError
        When the detector's file cannot be used.
    """
    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.detector.artifact import open_artifact

    chosen = chosen_panel(weak, strong, panel)
    artifact = open_artifact(detector_path(model))
    detector = artifact.detector()
    if chosen:
        detector = detector.with_params(panel=chosen)
    if adapter is not None:
        if not detector.params.adapter:
            raise SettingError(
                f"--adapter {adapter}, but {artifact.path} was trained without one; expected a detector of "
                "`ghostbuster train --adapter`: leave the option out, or train with it"
            )
        detector = detector.with_params(adapter=str(adapter))
    return detector.for_register(register), artifact.identity


def compute_on(device: str | None, gpu_layers: int | None, *, quiet: bool = False) -> None:
    """Choose the device of the running command's language models; print what does not fit on stderr.

    Parameters
    ----------
    device : str or None
    gpu_layers : int or None
    quiet : bool
        As `log_on_stderr`.

    Raises
    ------
    SettingError
        When the two contradict each other.
    """
    from ghostbuster.models.backend.devices import choose

    choose(device, gpu_layers)  # every command runs in a context of its own: it ends with that
    log_on_stderr(quiet=quiet)


def log_on_stderr(*, quiet: bool) -> None:
    """Print the package's warnings on standard error, and on a terminal what takes long.

    Parameters
    ----------
    quiet : bool
        Print warnings alone.
    """
    log = logging.getLogger("ghostbuster")
    for one in [one for one in log.handlers if isinstance(one, _StderrHandler)]:
        log.removeHandler(one)  # of an earlier command in this process
    log.addHandler(_StderrHandler(logging.WARNING if quiet else logging.INFO))
    log.setLevel(logging.INFO)


def device_of(detector: Detector) -> str:
    """Where the language models of a detector that has read something compute."""
    return detector.open_panel().device


class _StderrHandler(logging.Handler):
    """Log handler: each message of the package becomes one line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            note(record.getMessage(), quiet=False)
