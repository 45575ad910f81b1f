"""Write a folder of token scores, part by part; one process at a time, and each part whole or not at all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ghostbuster.errors import InputError
from ghostbuster.reading.scores.manifest import FILE, Manifest
from ghostbuster.reading.scores.part import About, PartRows, about, write_part
from ghostbuster.reading.scores.rows import DOCUMENTS, ID, TABLE, Looked, copy_rows, look, rows_in, table_name
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.file_lock import open_locked
from ghostbuster.tables.registry import open_reader
from ghostbuster.tables.survey import SHOWN, Fault

if TYPE_CHECKING:
    from ghostbuster.reading.scores.panel_facts import PanelFacts
    from ghostbuster.tables.base import TableReader

LOCK = ".lock"
_TEMPORARY = (".part-", f".{TABLE}-", f".{TABLE}.", f".{Path(FILE).stem}-")
"""How files begin that a killed run left behind."""


@dataclass(frozen=True)
class Summary:
    """What a folder of token scores holds.

    Attributes
    ----------
    n_rows, n_texts, n_tokens, n_parts : int
        Texts are rows with a word that could be read; tokens are those of the strong model.
    n_bytes : int
        Of the parts.
    n_faults : int
        Rows without a word that could be read.
    faults : tuple of (int, str)
        The first of them: number of the row, from 1, and what is wrong with it.
    """

    n_rows: int
    n_texts: int
    n_tokens: int
    n_parts: int
    n_bytes: int
    n_faults: int
    faults: tuple[Fault, ...]

    @property
    def bytes_a_token(self) -> float:
        """Bytes of the parts for each token of the strong model; 0 without a token."""
        return self.n_bytes / self.n_tokens if self.n_tokens else 0.0


def check_place(folder: Path) -> None:
    """Check before any costly work that a folder of token scores can be at a path.

    Raises
    ------
    InputError
        When there is a file, or a folder that holds something else, or it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; expected the name of a folder to write")
    place = folder if folder.is_dir() else folder.parent
    if not place.is_dir():
        raise InputError(f"{place} is no folder: make it first, or write {folder.name} elsewhere")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"{place} cannot be written to: choose another place")
    if folder.is_dir() and not (folder / FILE).exists():
        other = next((one.name for one in sorted(folder.iterdir()) if not _is_left_behind(one.name)), None)
        if other is not None:
            raise InputError(
                f"{folder} holds something else than token scores ({other}): choose a new folder"
            )


class ScoresWriter:
    """A folder of token scores that is written; locked, so that one process writes at a time.

    Parameters
    ----------
    folder : Path
        Made where it is missing; see `check_place`.
    run : mapping of str to str
        Everything that moves a score, each under a name that a user understands.
    restart : bool
        Forget what is there.

    Attributes
    ----------
    manifest : Manifest or None
        None until `begin`.

    Raises
    ------
    InputError
        When another process writes it, or the place cannot be written to.
    SettingError
        When the scores there belong to another table, panel or setting; it says which.
    """

    manifest: Manifest | None = None

    def __init__(self, folder: Path, run: Mapping[str, str], *, restart: bool = False) -> None:
        check_place(folder)
        self.folder, self._run = folder, dict(run)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made ({error.strerror}): choose another place") from error
        taken = f"{folder} is being written by another process; wait for its end"
        self._lock = open_locked(folder / LOCK, taken)
        try:
            self._restore(restart=restart)
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unlock()
        if self.manifest is None and not any(self.folder.iterdir()):
            self.folder.rmdir()  # nothing was begun

    def begin(self, reader: TableReader, column: str, panel: PanelFacts) -> Looked:
        """Copy the table and write the manifest, where they are not there yet.

        Parameters
        ----------
        reader : TableReader
            Of the table, or of a folder of documents.
        column : str
            What the column of texts is called.
        panel : PanelFacts
            What is to read.

        Returns
        -------
        Looked
            At the copy, which is what is read.

        Raises
        ------
        InputError
            When the disk is full, no row holds a text, or the copy is no longer the table that was read.
        """
        copy = self.folder / (self.manifest.table if self.manifest else table_name(reader.path))
        if self.manifest is not None and copy.exists():
            looked = look(open_reader(copy, ID, column), column, documents=copy.name == DOCUMENTS)
            self._check_rows(self.manifest, looked)
            return looked
        with atomic_write(copy, InputError) as temporary:
            copy_rows(reader, column, temporary)
            documents = copy.name == DOCUMENTS
            looked = look(open_reader(temporary, ID, column), column, reader.path, documents=documents)
            if self.manifest is None:
                made = Manifest(self._run, copy.name, column, panel, looked.first_rows)
                made.write(self.folder)
                self.manifest = made
            self._check_rows(self.manifest, looked)
        return looked

    def _check_rows(self, manifest: Manifest, looked: Looked) -> None:
        if looked.first_rows != manifest.first_rows:
            raise InputError(
                f"{self.folder / manifest.table} holds other texts than were begun with: put it back as it "
                "was, or give --restart to read all rows again"
            )

    def rows(self, numbers: Sequence[int]) -> Iterator[PartRows]:
        """The rows of some parts, rising; no more than one part is in memory at a time."""
        manifest = self._begun()
        wanted, digest = set(numbers), manifest.digest
        column, documents = manifest.text_column, manifest.table == DOCUMENTS
        chunks = open_reader(self.folder / manifest.table, ID, column).chunks(column)
        texts = (row for chunk in chunks for row in rows_in(chunk, column, documents=documents))
        for number, (first, stop) in enumerate(pairwise(manifest.first_rows)):
            if number in wanted:
                yield PartRows(digest, number, first, list(islice(texts, stop - first)), column)
            else:
                deque(islice(texts, stop - first), maxlen=0)

    def n_rows_of(self, number: int) -> int:
        """Rows of a part, with those that hold no text."""
        first, stop = self._begun().first_rows[number : number + 2]
        return stop - first

    def missing(self) -> list[int]:
        """Numbers of the parts that are not there, are cut short, or belong to another run."""
        return [number for number, part in enumerate(self._parts()) if part is None]

    def put(self, number: int, data: bytes) -> None:
        """Write a part's file.

        Raises
        ------
        InputError
            When the disk is full or failing; the parts before stay.
        """
        write_part(data, self._begun().part_path(self.folder, number))

    def summary(self) -> Summary:
        """What is there once all parts are."""
        manifest = self._begun()
        parts = [part for part in self._parts() if part is not None]
        faults = [fault for part in parts for fault in part.faults]
        paths = [manifest.part_path(self.folder, number) for number in range(manifest.n_parts)]
        n_faults = sum(part.n_faults for part in parts)
        return Summary(
            n_rows=manifest.n_rows,
            n_texts=manifest.n_rows - n_faults,
            n_tokens=sum(part.n_tokens for part in parts),
            n_parts=len(parts),
            n_bytes=sum(path.stat().st_size for path in paths),
            n_faults=n_faults,
            faults=tuple(faults[:SHOWN]),
        )

    def _parts(self) -> Iterator[About | None]:
        manifest = self._begun()
        return parts_of(self.folder, manifest)

    def _begun(self) -> Manifest:
        if self.manifest is None:
            raise InputError(f"{self.folder} has no manifest yet: begin it first")
        return self.manifest

    def _restore(self, *, restart: bool) -> None:
        """Take up what an earlier run left."""
        for path in self.folder.iterdir():
            is_ours = restart and (
                path.name == FILE or path.name.startswith(f"{TABLE}.") or path.match("part-*.parquet")
            )
            if is_ours or path.name.startswith(_TEMPORARY):
                path.unlink()
        if (self.folder / FILE).exists():
            found = Manifest.read(self.folder)
            found.check_run(self._run, self.folder)
            self.manifest = found

    def _unlock(self) -> None:
        if os.name != "nt":  # pragma: no branch - Windows cannot remove an open file
            (self.folder / LOCK).unlink(missing_ok=True)
        self._lock.close()


def parts_of(folder: Path, manifest: Manifest) -> Iterator[About | None]:
    """What each part says of itself; None for one that is missing, cut short or of another run."""
    digest = manifest.digest
    for number in range(manifest.n_parts):
        said = about(manifest.part_path(folder, number))
        yield said if said is not None and (said.manifest, said.number) == (digest, number) else None


def _is_left_behind(name: str) -> bool:
    return name == LOCK or name.startswith(_TEMPORARY)
