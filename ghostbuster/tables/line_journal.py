"""Checkpoint of long work: a locked file of checked lines, so that a killed run goes on behind the last one.

A line is on the disk before the next piece of work begins; one that was cut short is dropped. The first line
tells what the work belongs to, and work of another kind is not gone on with.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ghostbuster.errors import InputError, SettingError
from ghostbuster.system.file_lock import open_locked


@dataclass(frozen=True, slots=True)
class JournalKind:
    """What a journal holds, for its first line and for messages.

    Attributes
    ----------
    mark : str
        First words of the file, with the number of its layout.
    command : str
        What writes it: ``score-table``.
    holds : str
        ``scores``.
    again : str
        What ``--restart`` does: ``score all rows again``.
    """

    mark: str
    command: str
    holds: str
    again: str


class LineJournal:
    """Values in the order in which they were added; locked, so that one process writes at a time.

    Parameters
    ----------
    path, output : Path
        The journal, and what it is for.
    kind : JournalKind
    identity : mapping of str to str
        Everything that moves the result, each under a name that a user understands.
    accept : callable
        Whether a value that was read is one; the first that is not ends the journal.
    restart : bool
        Forget what is there.

    Raises
    ------
    InputError
        When another process works on this output, the place cannot be written, or a file of the journal's
        name is none.
    SettingError
        When what is there belongs to other work; it says which.
    """

    def __init__(
        self,
        path: Path,
        output: Path,
        kind: JournalKind,
        identity: Mapping[str, str],
        accept: Callable[[Any], bool],
        *,
        restart: bool = False,
    ) -> None:
        self.path, self._kind, self._identity, self._accept = path, kind, dict(identity), accept
        self._file = open_locked(path, f"{output} is being written by another process; wait for its end")
        self.n_values = 0
        try:
            self._restore(restart=restart)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; one without a value is removed."""
        if not self.n_values and not self._file.closed:
            self.discard()
        self._file.close()

    def add(self, value: Any) -> None:
        """Add a value that JSON knows; it is on the disk when this returns.

        Raises
        ------
        InputError
            When the disk is full or failing; what was kept before stays.
        """
        self._write(json.dumps(value, separators=(",", ":")))
        self.n_values += 1

    def values(self) -> Iterator[Any]:
        """All values, from the first."""
        self._file.seek(0)
        next(self._file)
        for line in self._file:
            yield json.loads(line[9:])

    def discard(self) -> None:
        """Remove the journal: its output is complete."""
        if os.name == "nt":  # pragma: no cover - Windows, where an open file cannot be removed
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _restore(self, *, restart: bool) -> None:
        """Count the intact lines; the file is truncated behind them."""
        mark, again = self._kind.mark, self._kind.again
        header = self._file.readline()
        if not header.endswith(b"\n") and mark.encode().startswith(header[: len(mark)]):
            return self._begin()  # new, or ended while it was begun
        if not header.startswith(mark.encode()):
            raise InputError(
                f"{self.path} is no journal of {self._kind.command}: move it away, its name is needed"
            )
        if restart:
            return self._begin()
        try:
            identity = json.loads(header[len(mark) :])
        except (ValueError, RecursionError):
            identity = None
        if not isinstance(identity, dict):
            raise InputError(f"{self.path} is damaged: give --restart to {again}") from None
        self._check(identity)
        end = self._file.tell()
        for line in self._file:
            if not self._is_intact(line):
                break
            self.n_values += 1
            end += len(line)
        self._file.seek(end)
        self._file.truncate()
        return None

    def _is_intact(self, line: bytes) -> bool:
        if not line.endswith(b"\n") or line[:9] != b"%08x " % zlib.crc32(line[9:-1]):
            return False
        try:
            return self._accept(json.loads(line[9:]))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return False  # a sound checksum of something else

    def _begin(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._write(f"{self._kind.mark} {json.dumps(self._identity)}", checked=False)

    def _check(self, found: Mapping[str, str]) -> None:
        for name, value in self._identity.items():
            if found.get(name) != value:
                raise SettingError(
                    f"{self.path} holds {self._kind.holds} with another {name} "
                    f"({str(found.get(name, 'none'))[:12]}, now {value[:12]}): give --restart to "
                    f"{self._kind.again}, or the command it was begun with"
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
                f"again, it goes on from the last of the {self._kind.holds} kept"
            ) from error
