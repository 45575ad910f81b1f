"""A folder of documents, read as a table of ids and texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError, SettingError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Chunk, TextRow
from ghostbuster.tables.chunks import RecordChunk
from ghostbuster.tables.kinds.files import file_errors
from ghostbuster.text.documents.folder import documents_in
from ghostbuster.text.documents.read import check_installed, document_text

if TYPE_CHECKING:
    import pyarrow as pa

    from ghostbuster.tables.dialect import Dialect


class FolderReader:
    """A folder of documents as a table of two columns: the path within the folder, and the text.

    Parameters
    ----------
    path : Path
    id_column, text_column : str
    whole : bool
        Whether all that documents show is read, not their prose alone.

    Raises
    ------
    InputError
        When the folder holds no document, or both columns have one name.
    SettingError
        When a library that a document needs is not installed.
    """

    def __init__(self, path: Path, id_column: str, text_column: str, *, whole: bool = False) -> None:
        self.path = path
        self._whole = whole
        self.documents, self.passed_over = documents_in(path)
        if id_column == text_column:
            raise InputError(f"ids and texts cannot both be called {id_column!r}: give another --id-column")
        check_installed(self.documents)
        self.columns = [id_column]
        self.schema: pa.Schema | None = None
        self.dialect: Dialect | None = None
        self.n_rows: int | None = len(self.documents)

    def digest(self) -> str:
        """SHA-256 over names, sizes and times of change."""
        made = hashlib.sha256()
        with file_errors(self.path):
            for path, name in zip(self.documents, self._names(), strict=True):
                status = path.stat()
                made.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        return made.hexdigest()

    def chunks(self, only: str | None = None) -> Iterator[Chunk]:  # noqa: ARG002 - there is one column
        """The ids; no document is read for them."""
        for name in self._names():
            yield RecordChunk([{self.columns[0]: name}], [""])

    def texts(self, column: str, start: int = 0) -> Iterator[TextRow]:  # noqa: ARG002 - no column
        """The text of each document, from row ``start`` on, or what is wrong with it."""
        for path in islice(self.documents, start, None):
            try:
                read = document_text(path, whole=self._whole)
            except (InputError, SettingError) as error:
                yield TextRow("", str(error))
            else:
                yield TextRow(read.text, note="; ".join(filter(None, (read.refusal, *read.notes))))

    def _names(self) -> Iterator[str]:
        return (encodable(path.relative_to(self.path).as_posix()) for path in self.documents)
