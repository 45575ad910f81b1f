"""Registry of named panels, and the paths of their GGUF files. To add a panel, add its row to ``PANELS``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.locate import model_file
from ghostbuster.models.llama.outputs import NOTHING_MORE, Outputs
from ghostbuster.registry import lookup

WEIGHTS_VARIABLE = "GHOSTBUSTER_WEIGHTS"
EMBEDDED_WEAK, EMBEDDED_STRONG = "embedded-weak.gguf", "embedded-strong.gguf"


def weights_folder() -> Path:
    """Folder of the embedded models; the variable ``GHOSTBUSTER_WEIGHTS`` names another."""
    return Path(os.environ.get(WEIGHTS_VARIABLE) or Path(__file__).parent / "weights")


@dataclass(frozen=True)
class PanelFiles:
    """A row of `PANELS`: each model is one of the catalog, or a file of the embedded folder."""

    weak: str
    strong: str
    weak_outputs: Outputs = NOTHING_MORE
    strong_outputs: Outputs = NOTHING_MORE

    @property
    def known(self) -> tuple[str, ...]:
        """Those of the catalog."""
        return tuple(name for name in (self.weak, self.strong) if name in CATALOG)

    def paths(self) -> tuple[Path, Path]:
        """Paths of the weak and the strong model.

        Raises
        ------
        ModelError
            When one of the catalog's is not here; the commands that get all of them are named.
        """
        try:
            weak, strong = (
                model_file(name) if name in CATALOG else weights_folder() / name
                for name in (self.weak, self.strong)
            )
        except ModelError as error:
            others = f"`ghostbuster models pull {' '.join(self.known)}`, or " if len(self.known) > 1 else ""
            raise ModelError(
                f"{error}; the panel needs {others}two files of your own: "
                "--weak-model PATH --strong-model PATH"
            ) from None
        return weak, strong


SMOLLM2_LAYERS = tuple(range(10, 27, 2))
"""Of 30: the middle ones travel best to texts of other sources, and neighbours say nearly the same."""

PANELS = {
    "embedded": PanelFiles(EMBEDDED_WEAK, EMBEDDED_STRONG),
    "lite": PanelFiles(EMBEDDED_WEAK, EMBEDDED_STRONG),
    "standard": PanelFiles(
        EMBEDDED_STRONG,
        "smollm2-135m",
        Outputs(extra_channels=True),
        Outputs(extra_channels=True, state_layers=SMOLLM2_LAYERS, block_layers=SMOLLM2_LAYERS),
    ),
    "llama": PanelFiles("tinyllama-1.1b", "llama-2-7b"),
}
"""Panels by name; ``lite`` is what ``embedded`` is called as a detector."""


def panel_files(panel: str | Sequence[str | Path]) -> tuple[Path, Path]:
    """Paths of the weak and the strong model of a named panel, or of a pair of files.

    Raises
    ------
    SettingError
        When no panel has that name.
    ModelError
        When its models were not pulled; the message says how to.
    """
    if not isinstance(panel, str):
        weak, strong = panel
        return absolute(weak), absolute(strong)
    weak, strong = lookup(PANELS, panel, "panel").paths()
    return absolute(weak), absolute(strong)


def absolute(path: str | Path) -> Path:
    """The absolute path; symbolic links are kept, since their names say more than their targets'."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps '..', Path.resolve follows links
