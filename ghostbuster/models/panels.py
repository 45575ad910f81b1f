"""Registry of named panels, and the paths of their GGUF files. To add a panel, add its row to ``PANELS``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.hub.pulled import pulled_file
from ghostbuster.registry import lookup

WEIGHTS_VARIABLE = "GHOSTBUSTER_WEIGHTS"


def weights_folder() -> Path:
    """Folder of the embedded models; the variable ``GHOSTBUSTER_WEIGHTS`` names another."""
    return Path(os.environ.get(WEIGHTS_VARIABLE) or Path(__file__).parent / "weights")


@dataclass(frozen=True)
class PanelFiles:
    """A row of `PANELS`: files of the embedded folder, or models of the catalog."""

    weak: str
    strong: str
    pulled: bool = False

    def paths(self) -> tuple[Path, Path]:
        """Paths of the weak and the strong model.

        Raises
        ------
        ModelError
            When one of the catalog's was not pulled; the command that pulls both is named.
        """
        if not self.pulled:
            return weights_folder() / self.weak, weights_folder() / self.strong
        try:
            return pulled_file(self.weak), pulled_file(self.strong)
        except ModelError as error:
            raise ModelError(
                f"{error}; the panel needs `ghostbuster models pull {self.weak} {self.strong}`, or two files "
                "of your own: --weak-model PATH --strong-model PATH"
            ) from None


PANELS = {
    "embedded": PanelFiles("embedded-weak.gguf", "embedded-strong.gguf"),
    "llama": PanelFiles("tinyllama-1.1b", "llama-2-7b", pulled=True),
}


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
