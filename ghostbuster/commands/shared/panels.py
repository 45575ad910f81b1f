"""Which language models the command ``read`` uses, here or on a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.commands.shared.cluster import ClusterWish
from ghostbuster.commands.shared.detectors import chosen_panel, log_on_stderr, open_detector

if TYPE_CHECKING:
    from ghostbuster.models.panel_choice import StateLayers
    from ghostbuster.reading.scores.panel_facts import PanelWish
    from ghostbuster.reading.scores.readers import PartsReader


def wanted_panel(
    model: str | None, panel: str | None, weak: Path | None, strong: Path | None, states: bool | None
) -> PanelWish:
    """The panel that is to read.

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
        When a panel and files are given, one file alone, or no panel has the name.
    ArtifactError
        When the detector's file cannot be used.
    """
    from ghostbuster.detector.params import DEFAULT_PANEL, Params
    from ghostbuster.models.panels import PANELS
    from ghostbuster.reading.scores.panel_facts import PanelWish
    from ghostbuster.registry import lookup

    if model is not None:
        detector, _ = open_detector(model, weak, strong, panel=panel)
        trained = detector.trained_
        layers = _layers(states, trained.scorer.state_layers)
        return PanelWish(detector.params.panel, dict(trained.fingerprints), layers)
    name = chosen_panel(weak, strong, panel) or DEFAULT_PANEL
    if isinstance(name, str):
        lookup(PANELS, name, "panel")
    return PanelWish(name, None, _layers(states, Params(panel=name).state_layers))


def _layers(states: bool | None, usual: StateLayers) -> StateLayers:
    if states is None:
        return usual
    return (usual or "auto") if states else ()


def open_readers(
    wish: PanelWish, cluster: ClusterWish | None, *, quiet: bool
) -> AbstractContextManager[PartsReader]:
    """What reads: the panel in this process, or the workers of a cluster.

    Raises
    ------
    SettingError
        When the extra for clusters is not installed, or an option of it is out of range.
    """
    if cluster is None:
        from ghostbuster.reading.scores.readers import local_reader

        return local_reader(wish)
    from ghostbuster.cluster.reading.ray_readers import ClusterPanel

    workers = cluster.checked()
    log_on_stderr(quiet=quiet)
    return ClusterPanel(wish, workers, cluster.address, cluster.where, cluster.gpu_layers).readers()
