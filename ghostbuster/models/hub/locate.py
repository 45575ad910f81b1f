"""Find the file of a known model: in an installed Python distribution, or downloaded from the hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.digest import file_digest, read_digest
from ghostbuster.models.hub.catalog import CATALOG, KnownModel, known_model
from ghostbuster.models.hub.installed import installed_file, installed_version
from ghostbuster.models.hub.pulled import State, read_record, verify


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """A model file on this machine.

    Attributes
    ----------
    path : Path
    source : {"installed", "pulled"}
    distribution : str or None
        Name and version of the Python distribution that it is part of.
    state : {"here", "missing", "changed"}
        ``changed``: other bytes than the catalog or the record of its download say.
    sha256 : str
        What it must have.
    revision : str or None
        Of the hub's repository, where it was pulled.
    """

    path: Path
    source: Literal["installed", "pulled"]
    distribution: str | None
    state: State
    sha256: str
    revision: str | None


def locate(name: str, *, every_byte: bool = False) -> LocatedModel | None:
    """Find a known model: the first valid file, else one that is missing or changed, else None.

    Parameters
    ----------
    name : str
        A row of the catalog.
    every_byte : bool, default False
        Read the whole file again; by default a cached digest is believed, and of a model that the catalog
        pins no digest of, the size.

    Raises
    ------
    SettingError
        When no model has that name.
    ModelError
        When a record of a download cannot be read.
    """
    found = list(_files(name, known_model(name), every_byte=every_byte))
    return next((one for one in found if one.state == "here"), found[0] if found else None)


def model_file(name: str) -> Path:
    """The file of a known model.

    Raises
    ------
    ModelError
        When it is neither installed nor pulled, or is no longer what it was; the remedies are named.
    """
    found = locate(name)
    if found is None:
        raise ModelError(f"model {name!r} is not here: get it with {remedy(name)}")
    if found.state != "here":
        raise ModelError(
            f"{found.path} (model {name!r}) is {found.state} since it was {found.source}: "
            f"get it again with {remedy(name)}"
        )
    return found.path


def ways_to_get(name: str) -> list[str]:
    """The commands, each of which gets a known model."""
    extra = CATALOG[name].extra
    install = [f"pip install 'ghostbuster[{extra}]'"] if extra else []
    return [*install, f"ghostbuster models pull {name}"]


def remedy(name: str) -> str:
    """`ways_to_get`, as a message says them."""
    return " or ".join(f"`{command}`" for command in ways_to_get(name))


def _files(name: str, row: KnownModel, *, every_byte: bool) -> Iterator[LocatedModel]:
    digest = read_digest if every_byte else file_digest
    path = installed_file(row.distribution, row.distributed) if row.distribution else None
    if path is not None:
        sound = digest(path) == row.sha256
        holder = f"{row.distribution} {installed_version(row.distribution)}"
        yield LocatedModel(path, "installed", holder, "here" if sound else "changed", row.sha256, None)
    record = read_record(name)
    if record is None:
        return
    state: State = record.state
    if state == "here" and every_byte:
        state = verify(record)
    elif state == "here" and row.pinned and record.revision == row.revision:
        state = "here" if digest(record.path) == row.sha256 else "changed"
    yield LocatedModel(Path(record.path), "pulled", None, state, record.sha256, record.revision)
