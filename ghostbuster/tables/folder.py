"""A folder of documents, read as a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ghostbuster.errors import InputError
from ghostbuster.system.printable import encodable
from ghostbuster.tables.chunks import Chunk, RecordChunk, readable
from ghostbuster.text.documents import check_installed, document_text, documents_in


class FolderSource:
    """Documents of a folder as a table of two columns: where each lies in the folder, and its text.

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
        self._text_column = text_column

    def digest(self) -> str:
        """SHA-256 over names, sizes and times of change."""
        made = hashlib.sha256()
        with readable(self.path):
            for path, name in zip(self.documents, self._names(), strict=True):
                status = path.stat()
                made.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        return made.hexdigest()

    def chunks(self, only: str | None = None, start: int = 0) -> Iterator[Chunk]:
        """One document at a time, with its text where that alone is asked for; from the row ``start`` on."""
        for path, name in islice(zip(self.documents, self._names(), strict=True), start, None):
            row, fault = {self.columns[0]: name}, ""
            if only == self._text_column:
                try:
                    row[self._text_column] = document_text(path)
                except InputError as error:
                    fault = str(error)
            yield RecordChunk([row], [fault])

    def _names(self) -> Iterator[str]:
        return (encodable(path.relative_to(self.path).as_posix()) for path in self.documents)
