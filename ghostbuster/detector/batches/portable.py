"""A detector that is pickled by its file's bytes, and whose models are opened where it lands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.artifacts.shipped import detector_path
from ghostbuster.detector.artifact import open_artifact, packed_bytes, read_artifact
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.models.panel_choice import PanelName


@dataclass(frozen=True)
class PortableDetector:
    """What a process needs to have the same detector.

    Attributes
    ----------
    name : str
        Of the file.
    packed : bytes
        The file.
    identity : str
        Name and short digest.
    register : str or None
    panel : str, (str, str) or None
        In place of the panel that the file names.
    """

    name: str
    packed: bytes
    identity: str
    register: str | None = None
    panel: PanelName | None = None

    def detector(self) -> Detector:
        """The detector; its models are opened when it first reads.

        Raises
        ------
        ArtifactError
            When the file holds no detector that this version can use.
        SettingError
            When it has no such register.
        """
        found = read_artifact(self.packed, Path(self.name)).detector()
        if self.panel is not None:
            found = found.with_params(panel=self.panel)
        return found.for_register(self.register)


def portable(
    artifact: str | Path | None, register: str | None = None, panel: PanelName | None = None
) -> PortableDetector:
    """A detector's file, read now; what is wrong with it is known before anything is sent anywhere.

    Parameters
    ----------
    artifact : str or Path, optional
        A file, or the name of a detector that ships; the default one if left out.
    register : str, optional
    panel : str or (str, str), optional

    Raises
    ------
    ArtifactError, SettingError
        As `PortableDetector.detector`.
    """
    if panel is not None and not isinstance(panel, str) and len(tuple(panel)) != 2:  # noqa: PLR2004
        raise SettingError(f"panel={panel!r}; expected a name, or the paths of a weak and a strong model")
    path = detector_path(artifact)
    packed = packed_bytes(path)
    made = PortableDetector(str(path), packed, open_artifact(path).identity, register, panel)
    made.detector()
    return made
