"""Files of an input on this machine: where they are, or copied here once; and the rows of a span."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from ghostbuster.cluster.inputs import InputFile
from ghostbuster.cluster.parts import Span
from ghostbuster.cluster.storage import download, storage_errors
from ghostbuster.errors import InputError
from ghostbuster.tables.base import Chunk, TableReader
from ghostbuster.tables.chunks import RecordChunk
from ghostbuster.tables.kinds.parquet import ArrowChunk

MOST_KEPT = 2
"""Copies of files on this machine at a time: a worker goes through them in order."""


class LocalFiles:
    """The files of an input as paths; what is elsewhere is copied into a folder that this object owns."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copies: OrderedDict[str, Path] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def path(self, file: InputFile) -> Path:
        """The path of a file.

        Raises
        ------
        InputError
            When it is not there, or has changed since the input was looked through.
        """
        self._check(file)
        if file.place.local is not None:
            return file.place.local
        address = file.place.address
        if address not in self._copies:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="ghostbuster-")
            copy = Path(tempfile.mkdtemp(dir=self._folder.name)) / Path(file.place.path).name
            download(file.place, copy)
            self._copies[address] = copy
        self._copies.move_to_end(address)
        while len(self._copies) > MOST_KEPT:
            self._copies.popitem(last=False)[1].unlink(missing_ok=True)
        return self._copies[address]

    def close(self) -> None:
        """Remove all copies."""
        self._copies.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @staticmethod
    def _check(file: InputFile) -> None:
        with storage_errors(file.place.address):
            info = file.place.filesystem.get_file_info(file.place.path)
        if info.size is None:
            import socket

            raise InputError(
                f"{file.place.address} is not on {socket.gethostname()}: put the input where all nodes reach "
                "it, such as a shared folder or s3://"
            )
        if (info.size, info.mtime_ns or 0) != (file.n_bytes, file.changed_ns):
            raise InputError(
                f"{file.place.address} has changed while it was scored: give --restart to score it as it is "
                "now"
            )


class RowSource:
    """Rows of spans, read forward: a file is begun again only for rows before those read last.

    Parameters
    ----------
    files : LocalFiles
    """

    def __init__(self, files: LocalFiles) -> None:
        self._files = files
        self._address = ""
        self._chunks: Iterator[Chunk] = iter(())
        self._position = 0  # rows before the chunk read last
        self._chunk: Chunk | None = None

    def rows(
        self, file: InputFile, span: Span, open_reader: Callable[[Path], TableReader]
    ) -> Iterator[Chunk]:
        """The rows of a span, in chunks.

        Raises
        ------
        InputError
            When the file has changed, or ends before its span does.
        """
        path = self._files.path(file)
        if self._address != file.place.address or span.start < self._position:
            self._address, self._position, self._chunk = file.place.address, 0, None
            self._chunks = open_reader(path).chunks()
        end = span.start + span.n_rows
        while self._position < end:
            if self._chunk is None:
                self._chunk = self._next()
            if self._chunk is None:
                raise InputError(
                    f"{file.place.address} ends before row {end}: it has changed: give --restart"
                )
            n = len(self._chunk.faults)
            first, last = max(span.start - self._position, 0), min(end - self._position, n)
            if first < last:
                yield _slice(self._chunk, first, last)
            if last < n:
                return  # the next span goes on in this chunk
            self._position += n
            self._chunk = None

    def _next(self) -> Chunk | None:
        """The next chunk of the file; it is begun again after its end, or an error."""
        address, self._address = self._address, ""
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._address = address
        return chunk


def _slice(chunk: Chunk, first: int, last: int) -> Chunk:
    if isinstance(chunk, ArrowChunk):
        return ArrowChunk(chunk.batch.slice(first, last - first))
    return RecordChunk(chunk.records()[first:last], chunk.faults[first:last])
