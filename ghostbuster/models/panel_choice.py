"""Open the panel that a ``panel`` parameter names; llama.cpp is imported only then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ghostbuster.models.llama.outputs import Outputs
    from ghostbuster.models.panel import Panel

PanelName = str | tuple[str, str]
"""A named panel, or the paths of a weak and a strong GGUF model."""


StateLayers = tuple[int, ...] | Literal["auto"]
"""Layers of the strong model whose outputs are wanted; ``auto`` are those that tell most."""


def panel_of(
    panel: PanelName,
    expected: Mapping[str, str] | None = None,
    state_layers: StateLayers | None = None,
    adapter: str = "",
) -> Panel:
    """Open the panel that a ``panel`` parameter names; open panels are cached.

    Parameters
    ----------
    panel : str or (weak path, strong path)
    expected : mapping of str to str, optional
        Fingerprints of a detector: quantised models are then read by the CPU path that it was made on.
    state_layers : tuple of int, or "auto", optional
        Layers of the strong model whose hidden states are read, of texts and of blocks; those of the panel's
        row by default. ``auto`` are the row's, or `middle_layers` where it has none; ``()`` reads none.
    adapter : str
        A GGUF adapter of one of the models, read as a source more; none by default.

    Raises
    ------
    SettingError
        When no panel has that name, or the strong model has not got such a layer.
    ModelError
        When a model file cannot be opened.
    """
    from ghostbuster.models.panel import open_panel  # loads llama.cpp

    outputs = None if state_layers is None else _outputs(panel, state_layers)
    if isinstance(panel, str):
        return open_panel(panel, expected=expected, outputs=outputs, adapter=adapter or None)
    weak, strong = panel
    return open_panel(weak=weak, strong=strong, expected=expected, outputs=outputs, adapter=adapter or None)


def middle_layers(n_layers: int) -> tuple[int, ...]:
    """Every second layer from a third to nine tenths of a model's depth.

    Those travel best to texts of other sources: the first third holds words again, the last layers the next
    token alone. Neighbours say nearly the same.
    """
    first = n_layers // 3
    return tuple(range(first, max(round(0.9 * n_layers), first + 1), 2))


def _outputs(panel: PanelName, state_layers: StateLayers) -> tuple[Outputs, Outputs]:
    """What a panel's row says, with other hidden states."""
    from ghostbuster.models.gguf.check import check_model
    from ghostbuster.models.llama.outputs import NOTHING_MORE
    from ghostbuster.models.panels import PANELS, panel_files
    from ghostbuster.registry import lookup

    weak = strong = NOTHING_MORE
    if isinstance(panel, str):
        row = lookup(PANELS, panel, "panel")
        weak, strong = row.weak_outputs, row.strong_outputs
    layers = strong.state_layers if state_layers == "auto" else state_layers
    if state_layers == "auto" and not layers:
        layers = middle_layers(check_model(panel_files(panel)[1]).n_layers)
    return weak, replace(strong, state_layers=layers, block_layers=layers)
