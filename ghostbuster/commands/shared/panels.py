"""Which language models the command ``read`` uses, and what of them moves a score."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.commands.shared.detectors import open_detector, own_models
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel
    from ghostbuster.models.panel_choice import PanelName, StateLayers


def choose_panel(
    model: str | None,
    panel: str | None,
    weak: Path | None,
    strong: Path | None,
    states: bool | None,
) -> tuple[PanelName, Callable[[], Panel]]:
    """The panel that is to read, as it is named, and a function that opens it, also in another process.

    Parameters
    ----------
    model : str or None
        A detector whose models and layers are wanted.
    panel : str or None
    weak, strong : Path or None
    states : bool or None
        Whether hidden states are wanted; None is what the detector, or training with the panel, reads.

    Raises
    ------
    SettingError
        When a panel and files are given, or one file alone.
    ArtifactError
        When the detector's file cannot be used.
    """
    from ghostbuster.detector.params import DEFAULT_PANEL, Params
    from ghostbuster.models.panel_choice import panel_of

    if model is not None:
        detector, _ = open_detector(model, weak, strong, panel=panel)
        layers = detector.trained_.scorer.state_layers
        return detector.params.panel, partial(
            panel_of, detector.params.panel, detector.trained_.fingerprints, _layers(states, layers)
        )
    own = own_models(weak, strong)
    if own is not None and panel is not None:
        raise SettingError(f"--panel {panel} and files of models: give one or the other")
    name: PanelName = own or panel or DEFAULT_PANEL
    return name, partial(panel_of, name, None, _layers(states, Params(panel=name).state_layers))


def _layers(states: bool | None, usual: StateLayers) -> StateLayers:
    if states is None:
        return usual
    return (usual or "auto") if states else ()


def check_models(model: str | None, panel: Panel) -> None:
    """Refuse language models other than those of the detector that was named.

    Raises
    ------
    ArtifactError
        Names the first model that differs.
    """
    from ghostbuster.detector.manifest import check_fingerprints

    if model is not None:
        detector, _ = open_detector(model)
        check_fingerprints(detector.trained_.fingerprints, panel.fingerprints, panel.other_paths)
