"""Open the panel that a ``panel`` parameter names; llama.cpp is imported only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

PanelName = str | tuple[str, str]
"""A named panel, or the paths of a weak and a strong GGUF model."""


def panel_of(panel: PanelName, expected: Mapping[str, str] | None = None) -> Panel:
    """Open the panel that a ``panel`` parameter names; open panels are cached.

    Parameters
    ----------
    panel : str or (weak path, strong path)
    expected : mapping of str to str, optional
        Fingerprints of a detector: quantised models are then read by the CPU path that it was made on.

    Raises
    ------
    SettingError
        When no panel has that name.
    ModelError
        When a model file cannot be opened.
    """
    from ghostbuster.models.panel import open_panel  # loads llama.cpp

    if isinstance(panel, str):
        return open_panel(panel, expected=expected)
    weak, strong = panel
    return open_panel(weak=weak, strong=strong, expected=expected)
