"""Registry of downloaded models: one JSON file a model, with its path and the SHA-256 it must keep.

Two processes that pull two models write two files, so neither can lose the other's record.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.digest import read_digest
from ghostbuster.system.atomic_files import atomic_write, check_writable
from ghostbuster.system.cache_dir import named_folder

RECORDS_VARIABLE = "GHOSTBUSTER_MODELS"

State = Literal["here", "missing", "changed"]


@dataclass(frozen=True, slots=True)
class PulledModel:
    """A model file that was checked after its download.

    Attributes
    ----------
    name : str
        Its row of the catalog.
    repository, file, revision : str
        Where it came from.
    sha256 : str
        Of the file's bytes.
    size : int, bytes
    path : str
        Path in the hub's own cache.
    """

    name: str
    repository: str
    file: str
    revision: str
    sha256: str
    size: int
    path: str

    @property
    def state(self) -> State:
        """``here``, ``missing`` or ``changed``, by the file's size alone: its digest takes long."""
        file = Path(self.path)
        if not file.is_file():
            return "missing"
        return "here" if file.stat().st_size == self.size else "changed"


def records_folder() -> Path:
    """Folder of the records: what ``GHOSTBUSTER_MODELS`` names, else one in the user's place for data.

    They are no cache: without them a digest that has changed since the first download would go unnoticed.

    Raises
    ------
    SettingError
        When the variable begins with the home of somebody who has none.
    """
    named = named_folder(RECORDS_VARIABLE)
    if named is not None:
        return named
    from platformdirs import user_data_path

    return user_data_path("ghostbuster", appauthor=False) / "models"


def record_path(name: str) -> Path:
    """Path of a model's record."""
    return records_folder() / f"{name}.json"


def read_record(name: str) -> PulledModel | None:
    """The record of a downloaded model; None where it was never downloaded.

    Raises
    ------
    ModelError
        When the record cannot be read or is no record.
    """
    path = record_path(name)
    try:
        content = json.loads(path.read_text("utf-8"))
        record = PulledModel(**content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(path) from error
    if any(type(getattr(record, field.name)).__name__ != field.type for field in fields(record)):
        raise _damaged(path)
    return record


def write_record(record: PulledModel) -> None:
    """Write a record atomically.

    Raises
    ------
    ModelError
        When the folder cannot be written to.
    """
    with atomic_write(writable_path(record.name), ModelError) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")


def writable_path(name: str) -> Path:
    """Path of a model's record, checked to be writable; its folder is made.

    Raises
    ------
    ModelError
        When it cannot be made or written to.
    """
    path = record_path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"{path.parent} cannot be made ({error.strerror}): name another with {RECORDS_VARIABLE}"
        ) from error
    check_writable(path, ModelError)
    return path


def verify(record: PulledModel) -> State:
    """State of a pulled model by the digest of every byte."""
    if record.state != "here":
        return record.state
    return "here" if read_digest(record.path) == record.sha256 else "changed"


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path} is no record of a pulled model: remove it and pull the model again")
