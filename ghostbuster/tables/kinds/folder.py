"""A folder of documents, read as a table of ids and texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.base import Chunk
from ghostbuster.tables.chunks import RecordChunk
from ghostbuster.tables.kinds.files import file_errors
from ghostbuster.text.documents import check_installed, document_text, documents_in

if TYPE_CHECKING:
    import pyarrow as pa

    from ghostbuster.tables.dialect import Dialect


class FolderReader:
    """A folder of documents as a table of two columns: the path within the folder, and the text.

    Parameters
    ----------
    path : Path
    id_column, text_column : str

    Raises
    ------
    InputError
        When the folder holds no document of a known kind, or both columns have one name.
    SettingError
        When a library that a document needs is not installed.
    """

    def __init__(self, path: Path, id_column: str, text_column: str) -> None:
        self.path = path
        self.documents = documents_in(path)
        if not self.documents:
            raise InputError(f"{path} holds no document; expected .txt, .md, .docx, .pdf or .html files")
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

    def texts(self, column: str, start: int = 0) -> Iterator[tuple[str, str]]:  # noqa: ARG002 - no column
        """The text of each document, from row ``start`` on, and what is wrong with it; one is empty."""
        for path in islice(self.documents, start, None):
            try:
                yield document_text(path), ""
            except InputError as error:
                yield "", str(error)

    def _names(self) -> Iterator[str]:
        return (encodable(path.relative_to(self.path).as_posix()) for path in self.documents)
