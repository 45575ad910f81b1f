"""Where a command's language models compute, and what it says when they do not fit there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import typer

from ghostbuster.system.printable import printable

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector


def compute_on(device: str | None, gpu_layers: int | None) -> None:
    """Have every panel of the running command compute there; what does not fit is told on standard error.

    Raises
    ------
    SettingError
        When the two contradict each other.
    """
    from ghostbuster.models.backend.devices import choose

    choose(device, gpu_layers)  # every command runs in a context of its own: it ends with that
    log = logging.getLogger("ghostbuster")
    if not any(isinstance(one, _Notes) for one in log.handlers):
        log.addHandler(_Notes(logging.WARNING))


def device_of(detector: Detector) -> str:
    """Where the language models of a detector that has read something compute."""
    from ghostbuster.models.panel_choice import panel_of

    return panel_of(detector.panel, detector.fingerprints_).device


class _Notes(logging.Handler):
    """Says on standard error, in one line each, what was done otherwise than wanted."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"ghostbuster: note: {printable(' '.join(record.getMessage().split()))}", err=True)
