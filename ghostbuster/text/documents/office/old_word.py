"""Word 97 to 2003 (`.doc`): made a document of today by Aspose.Words FOSS, then read like one."""

from __future__ import annotations

import zipfile
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from ghostbuster.text.documents.document import Document
from ghostbuster.text.documents.office.word import read_word

LIBRARY = "aspose.words_foss"
_UNKNOWN_SIZE = b'<wp:extent cx="635" cy="635"/>'
"""What the library writes of text boxes whose size it cannot tell: a twip each way, too small to see."""
_TEXT = "word/document.xml"


def is_installed() -> bool:
    """Whether the library is there; it needs a Python older than 3.13."""
    return find_spec(LIBRARY.partition(".")[0]) is not None and find_spec(LIBRARY) is not None


def read_old_word(data: bytes, called: str) -> Document:
    """A document of Word 97 to 2003, as Word shows it.

    Raises
    ------
    InputError
        As ``read_word``.
    """
    library = import_module(LIBRARY)
    with TemporaryDirectory(prefix="ghostbuster-") as folder:
        path = Path(folder) / "made.docx"
        library.Document(BytesIO(data)).save(path)
        made = path.read_bytes()
    return read_word(_with_unknown_sizes(made), called)


def _with_unknown_sizes(data: bytes) -> bytes:
    """The document without sizes that are none."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for part in old.namelist():
            inner = old.read(part)
            new.writestr(part, inner.replace(_UNKNOWN_SIZE, b"") if part == _TEXT else inner)
    return made.getvalue()
