"""Checkpoint of the scores of a table, beside its output: an interrupted run resumes there.

A journal is a file of lines: a header that tells what the scores belong to, then one line a batch of rows,
each with a checksum. A line is on the disk before the next batch begins, so whatever ends the process, at
most one batch has to be scored again; a line cut short is dropped.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ghostbuster.errors import InputError, SettingError
from ghostbuster.system.file_lock import open_locked

MARK = "ghostbuster journal 1"
"""First words of every journal, with the number of its layout."""


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one row, or its error.

    Attributes
    ----------
    probability : float or None
    label : str or None
    error : str
        Why there is neither; empty for a sound row.
    note : str
        What of its document was not read.
    """

    probability: float | None
    label: str | None = None
    error: str = ""
    note: str = ""


def journal_path(output: Path) -> Path:
    """Path of the journal of an output."""
    return output.with_name(f"{output.name}.partial")


class Journal:
    """The scores of one table so far; locked, so that one process writes at a time.

    Parameters
    ----------
    output : Path
        The table that is to be written.
    identity : mapping of str to str
        Everything that moves a score, each under a name that a user understands.
    restart : bool
        Forget scores that are there.

    Attributes
    ----------
    n_rows : int
        Rows scored.

    Raises
    ------
    InputError
        When another process works on this output, the place cannot be written, or a file of the journal's
        name is none.
    SettingError
        When the scores there belong to another table, detector or setting; it says which.
    """

    def __init__(self, output: Path, identity: Mapping[str, str], *, restart: bool = False) -> None:
        self.path = journal_path(output)
        self._identity = dict(identity)
        self._file = open_locked(self.path, f"{output} is being written by another process; wait for its end")
        try:
            self.n_rows = self._restore(restart=restart)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.n_rows and not self._file.closed:
            self.discard()
        self._file.close()

    def append(self, scores: Sequence[Score]) -> None:
        """Append the scores of the next rows; they are on the disk when this returns.

        Raises
        ------
        InputError
            When the disk is full or failing; what was kept before stays.
        """
        listed = [
            [one.probability, one.label, one.error, one.note][: 4 if one.note else 3 if one.error else 2]
            for one in scores
        ]
        self._write(json.dumps([self.n_rows, listed], separators=(",", ":")))
        self.n_rows += len(scores)

    def scores(self) -> Iterator[Score]:
        """All scores, row by row from the first."""
        self._file.seek(0)
        next(self._file)
        for line in self._file:
            for one in json.loads(line[9:])[1]:
                yield Score(*one)

    def discard(self) -> None:
        """Remove the journal: its output is complete."""
        if os.name == "nt":  # pragma: no cover - Windows, where an open file cannot be removed
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _restore(self, *, restart: bool) -> int:
        """Number of rows in the intact lines; the file is truncated behind them."""
        header = self._file.readline()
        if not header.endswith(b"\n") and MARK.encode().startswith(header[: len(MARK)]):
            return self._begin()  # new, or ended while it was begun
        if not header.startswith(MARK.encode()):
            raise InputError(f"{self.path} is no journal of score-table: move it away, its name is needed")
        if restart:
            return self._begin()
        try:
            identity = json.loads(header[len(MARK) :])
        except (ValueError, RecursionError):
            identity = None
        if not isinstance(identity, dict):
            raise InputError(f"{self.path} is damaged: give --restart to score all rows again") from None
        self._check(identity)
        n_rows, end = 0, self._file.tell()
        for line in self._file:
            batch = _batch(line)
            if batch is None or batch[0] != n_rows:
                break
            n_rows += batch[1]
            end += len(line)
        self._file.seek(end)
        self._file.truncate()
        return n_rows

    def _begin(self) -> int:
        self._file.seek(0)
        self._file.truncate()
        self._write(f"{MARK} {json.dumps(self._identity)}", checked=False)
        return 0

    def _check(self, found: Mapping[str, str]) -> None:
        for name, value in self._identity.items():
            if found.get(name) != value:
                raise SettingError(
                    f"{self.path} holds scores with another {name} ({str(found.get(name, 'none'))[:12]}, now "
                    f"{value[:12]}): give --restart to score all rows again, or the command it was begun with"
                )

    def _write(self, text: str, *, checked: bool = True) -> None:
        """Append one line and flush it to the disk."""
        data = text.encode()
        line = (b"%08x " % zlib.crc32(data) if checked else b"") + data + b"\n"
        self._file.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[os.write(self._file.fileno(), line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be written ({error.strerror}): make room and give the same command "
                "again, it goes on from the last row kept"
            ) from error


def _batch(line: bytes) -> tuple[int, int] | None:
    """First row and number of rows of an intact line; None for a damaged one."""
    if not line.endswith(b"\n") or line[:9] != b"%08x " % zlib.crc32(line[9:-1]):
        return None
    try:
        first, scores = json.loads(line[9:])
        for one in scores:
            Score(*one)
    except (ValueError, TypeError, RecursionError):
        return None  # a sound checksum of something else
    return first, len(scores)
