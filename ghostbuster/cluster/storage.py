"""Files and folders at any address that pyarrow's file systems open; files are written whole or not."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import publish

WRITING = ".writing"
"""Ends the names of files that are not complete; they begin with a dot, so that readers pass them over."""
_WHOLE_ON_CLOSE = {"s3", "gcs", "abfs"}
"""File systems where a file appears when its last byte is written: there is nothing to rename."""


@dataclass(frozen=True)
class Place:
    """A file or folder at an address.

    Attributes
    ----------
    address : str
        As a user wrote it: a path, or ``s3://...`` and the like.
    filesystem : pyarrow.fs.FileSystem
    path : str
        Within the file system.
    """

    address: str
    filesystem: Any
    path: str

    def child(self, name: str) -> Place:
        """A file of this folder."""
        return Place(f"{self.address.rstrip('/')}/{name}", self.filesystem, f"{self.path.rstrip('/')}/{name}")

    @property
    def local(self) -> Path | None:
        """The path, where it is one of this machine's file systems."""
        return Path(self.path) if self.filesystem.type_name == "local" else None


def is_address(named: str) -> bool:
    """Whether a name is an address (``s3://bucket/folder``) and not a path of this machine."""
    return "://" in named


def place_of(named: str) -> Place:
    """The place that a path or an address names.

    Raises
    ------
    InputError
        When no file system has the address's scheme, or it refuses the address.
    """
    from pyarrow import fs

    if not is_address(named):
        return Place(named, fs.LocalFileSystem(), os.path.abspath(named))  # noqa: PTH100 - '..' goes
    try:
        try:
            filesystem, path = fs.FileSystem.from_uri(named)
        except ValueError:
            filesystem, path = _of_fsspec(named)
    except (ValueError, OSError, ImportError) as error:
        raise InputError(
            f"{named} cannot be opened ({_first_line(error)}): expected a path, or an address that pyarrow "
            "or an installed fsspec file system knows, such as s3://, gs://, abfs:// or file://"
        ) from error
    return Place(named, filesystem, path)


def _of_fsspec(named: str) -> tuple[Any, str]:
    """The file system of a package that registers itself with fsspec, and the path in it."""
    from fsspec.core import url_to_fs
    from pyarrow import fs

    found, path = url_to_fs(named)
    return fs.PyFileSystem(fs.FSSpecHandler(found)), path


@contextmanager
def storage_errors(address: str) -> Iterator[None]:
    """Turn what file systems raise into one line.

    Raises
    ------
    InputError
        With the address and what is wrong with it.
    """
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{address} does not exist: give the address of a table or a folder") from None
    except OSError as error:
        raise InputError(
            f"{address} cannot be reached ({error.strerror or _first_line(error)}): check the address and "
            "who may read and write there"
        ) from error


def read_bytes(place: Place) -> bytes | None:
    """The content of a file; None where there is none."""
    with storage_errors(place.address):
        try:
            with place.filesystem.open_input_stream(place.path) as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            return None
        return content


def names_in(folder: Place) -> list[str]:
    """Names of the files in a folder, sorted; none where it is not there."""
    from pyarrow import fs

    with storage_errors(folder.address):
        found = folder.filesystem.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
    return sorted(one.base_name for one in found)


def check_folder(folder: Place) -> None:
    """Check before any costly work that files can be written in a folder, which may be missing yet.

    Raises
    ------
    InputError
        When it is a file, or cannot be written to.
    """
    from pyarrow import fs

    with storage_errors(folder.address):
        info = folder.filesystem.get_file_info(folder.path)
    if info.type == fs.FileType.File:
        raise InputError(f"{folder.address} is a file; expected a folder, which is made where it is missing")
    if folder.local is not None:
        there = next(one for one in (folder.local, *folder.local.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise InputError(f"{there} cannot be written to: choose another place for {folder.address}")


def make_folder(folder: Place) -> None:
    """Make a folder, and those it is in, unless they are there."""
    with storage_errors(folder.address):
        folder.filesystem.create_dir(folder.path, recursive=True)


def remove(place: Place) -> None:
    """Remove a file, if it is there."""
    with storage_errors(place.address), suppress(FileNotFoundError):
        place.filesystem.delete_file(place.path)


@contextmanager
def written_whole(place: Place) -> Iterator[Path]:
    """A file of this machine to write to, which is at ``place`` once the block ends without an error.

    Whoever looks there finds all of it or nothing, whatever ends this process. Two that write the same place
    do not meet: the later one replaces the other's file.

    Raises
    ------
    InputError
        When the place cannot be written to.
    """
    local = place.local
    if local is not None:
        temporary = local.with_name(f".{local.name}.{uuid.uuid4().hex[:12]}{WRITING}")
        try:
            yield temporary
            with storage_errors(place.address):
                publish(temporary, local)
        finally:
            temporary.unlink(missing_ok=True)
        return
    with tempfile.TemporaryDirectory(prefix="ghostbuster-") as folder:
        temporary = Path(folder) / Path(place.path).name
        yield temporary
        with storage_errors(place.address):
            _upload(temporary, place)


def write_bytes(place: Place, content: bytes) -> None:
    """Write a small file whole or not at all."""
    with written_whole(place) as path:
        path.write_bytes(content)


def download(place: Place, path: Path) -> None:
    """Copy a file to this machine.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    with (
        storage_errors(place.address),
        place.filesystem.open_input_stream(place.path) as source,
        path.open("wb") as target,
    ):
        shutil.copyfileobj(source, target, 2**22)


def _upload(path: Path, place: Place) -> None:
    head, _, name = place.path.rpartition("/")
    whole = place.filesystem.type_name in _WHOLE_ON_CLOSE
    target = place.path if whole else f"{head}/.{name}.{uuid.uuid4().hex[:12]}{WRITING}"
    with path.open("rb") as source, place.filesystem.open_output_stream(target) as stream:
        shutil.copyfileobj(source, stream, 2**22)
    if not whole:
        place.filesystem.move(target, place.path)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
