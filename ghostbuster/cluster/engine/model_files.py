"""Language models' files on every node: what a node lacks is sent there once, and checked by digest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.models.gguf.digest import file_digest, read_digest
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.locate import model_file
from ghostbuster.models.hub.pulled import PulledModel, write_record
from ghostbuster.models.panel_choice import PanelName
from ghostbuster.models.panels import PANELS, absolute
from ghostbuster.registry import lookup
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder
from ghostbuster.system.file_lock import lock_when_free

PIECE_BYTES = 2**26
WAIT_SECONDS = 1800.0
"""For another worker of the node that receives the same file."""


@dataclass(frozen=True)
class ModelParcel:
    """A model file of the driver's machine, on its way to nodes.

    Attributes
    ----------
    name : str
        Its row of the catalog; empty for a file of a user.
    path : str
        Where it is on the driver's machine.
    sha256 : str
    pieces : tuple of ray.ObjectRef
        Its bytes; none where all workers are on the driver's machine.
    """

    name: str
    path: str
    sha256: str
    pieces: tuple[Any, ...] = ()


def parcels(panel: PanelName, ray: Any | None) -> tuple[ModelParcel, ...]:
    """The files of a panel that a node may lack; what every installation holds is left out.

    Parameters
    ----------
    panel : str or (str, str)
    ray : module or None
        To put their bytes where nodes get them; None where no node is another machine.

    Raises
    ------
    ModelError
        When a file is not on this machine.
    """
    if isinstance(panel, str):
        wanted = [(name, model_file(name)) for name in lookup(PANELS, panel, "panel").known]
    else:
        wanted = [("", absolute(path)) for path in panel]
    return tuple(
        ModelParcel(name, str(path), file_digest(path), () if ray is None else _pieces(path, ray))
        for name, path in wanted
    )


def received(panel: PanelName, sent: Sequence[ModelParcel]) -> PanelName:
    """The panel as this node opens it, with all its files here.

    Raises
    ------
    ModelError
        When a file is not here and was not sent, or arrived damaged.
    """
    paths = [str(_received(one)) for one in sent]
    return panel if isinstance(panel, str) else (paths[0], paths[1])


def _pieces(path: Path, ray: Any) -> tuple[Any, ...]:
    with path.open("rb") as stream:
        return tuple(ray.put(piece) for piece in iter(lambda: stream.read(PIECE_BYTES), b""))


def _received(one: ModelParcel) -> Path:
    if one.name:
        with suppress(GhostbusterError):
            return model_file(one.name)
    path = Path(one.path)
    if not one.name and path.is_file() and file_digest(path) == one.sha256:
        return path
    if not one.pieces:
        raise ModelError(f"{path} is not on this node: put it there, or give --ray-address to have it sent")
    kept = _store(one)
    if one.name:
        row = CATALOG[one.name]
        size = kept.stat().st_size
        write_record(
            PulledModel(one.name, row.repository, row.file, row.revision, one.sha256, size, str(kept))
        )
        return model_file(one.name)
    return kept


def _store(one: ModelParcel) -> Path:
    """The file in this node's cache; one worker of a node writes it, the others wait."""
    import ray

    folder = cache_folder() / "sent-models" / one.sha256[:16]
    kept = folder / Path(one.path).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock_when_free(folder / "lock", WAIT_SECONDS):
            if kept.is_file() and file_digest(kept) == one.sha256:
                return kept
            with atomic_write(kept, ModelError) as temporary:
                with temporary.open("wb") as stream:
                    for piece in one.pieces:
                        stream.write(ray.get(piece))
                digest = read_digest(temporary)
                if digest != one.sha256:
                    raise ModelError(
                        f"{kept} arrived with SHA-256 {digest[:12]}, expected {one.sha256[:12]}: check the "
                        "node's disk and memory"
                    )
    except OSError as error:
        raise ModelError(
            f"{kept} cannot be written ({error.strerror or error}): name a folder of each node with "
            "GHOSTBUSTER_CACHE"
        ) from error
    return kept
