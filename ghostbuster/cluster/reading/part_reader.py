"""Read the rows of a part: the work of a worker of ``read --on ray``. What it says goes back as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghostbuster.cluster.engine.model_files import ModelParcel, received
from ghostbuster.detector.manifest import check_fingerprints
from ghostbuster.errors import ClusterError
from ghostbuster.models.backend.devices import on_device
from ghostbuster.reading.scores.panel_facts import PanelFacts, PanelWish
from ghostbuster.reading.scores.part import PartRows

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


@dataclass
class _PanelWork:
    """Opens a panel; pickled before it is opened.

    Parameters
    ----------
    wish : PanelWish
    parcels : tuple of ModelParcel
        Files of its language models that a node may lack.
    device : str, optional
    gpu_layers : int, optional
    """

    wish: PanelWish
    parcels: tuple[ModelParcel, ...] = ()
    device: str | None = None
    gpu_layers: int | None = None
    _panel: Panel | None = field(default=None, repr=False)

    def open(self) -> None:
        """Open the models.

        Raises
        ------
        ArtifactError, ModelError, SettingError
            When they cannot be opened, or are not those that the detector was trained with.
        """
        with on_device(self.device, self.gpu_layers):
            self._panel = self.wish.open(received(self.wish.name, self.parcels))
        if self.wish.expected:
            check_fingerprints(self.wish.expected, self._panel.fingerprints, self._panel.other_paths)

    @property
    def panel(self) -> Panel:
        """The models, once they are open."""
        if self._panel is None:
            raise ClusterError("the worker is not open: call open() first")
        return self._panel


@dataclass
class PanelLooker(_PanelWork):
    """Says what is known of the models, as a worker opens them."""

    def do(self, _part: PartRows) -> PanelFacts:
        """The facts; there is nothing to read."""
        return PanelFacts.of(self.panel, self.wish.name)


@dataclass
class PartReader(_PanelWork):
    """Reads parts.

    Parameters
    ----------
    fingerprints : dict of str to str
        Of the models that the folder of token scores is read by.
    """

    fingerprints: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        """Open the models; errors as those of any work with a panel.

        Raises
        ------
        ClusterError
            When this node reads by other models, or on another path of the CPU, than the first one did.
        """
        super().open()
        for source, expected in self.fingerprints.items():
            if self.panel.fingerprints[source] != expected:
                raise ClusterError(
                    f"nodes read by different {source} models, or on different CPU paths: give them one "
                    "file, and set GHOSTBUSTER_CPU_PATH on this machine"
                )

    def do(self, part: PartRows) -> tuple[bytes, str]:
        """The part's file, and the digest of what else moves its numbers on this node."""
        return part.read(self.panel), PanelFacts.of(self.panel, self.wish.name).build
