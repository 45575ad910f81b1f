"""Other readers of documents: bytes to text, each as its own manual says."""

from __future__ import annotations

import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from benchmarks.documents.conversions import pandoc_path

Reader = Callable[[bytes], str]


def _docx2python(data: bytes) -> str:
    from docx2python import docx2python

    with docx2python(BytesIO(data)) as made:
        return str(made.body_runs and made.text)


def _mammoth(data: bytes) -> str:
    import mammoth

    return str(mammoth.extract_raw_text(BytesIO(data)).value)


def _python_docx(data: bytes) -> str:
    import docx
    from docx.table import Table

    lines = []
    for block in docx.Document(BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            lines += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(block.text)
    return "\n".join(lines)


def _pandoc(kind: str) -> Reader:
    def read(data: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
            file.write(data)
            file.flush()
            command = [
                pandoc_path(),
                "-f",
                {"tex": "latex"}.get(kind, kind),
                "-t",
                "plain",
                "--wrap=none",
                file.name,
            ]
            done = subprocess.run(command, check=True, capture_output=True, timeout=120)
        return done.stdout.decode()

    return read


def _pypdf(data: bytes) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages)


def _pdfminer(data: bytes) -> str:
    from pdfminer.high_level import extract_text

    return str(extract_text(BytesIO(data)))


def _pypdfium2(data: bytes) -> str:
    import pypdfium2

    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))


def _beautifulsoup(data: bytes) -> str:
    from bs4 import BeautifulSoup

    return str(BeautifulSoup(data, "html.parser").get_text())


def _striprtf(data: bytes) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(data.decode("latin-1"), errors="ignore"))


def _odfpy(data: bytes) -> str:
    from odf import opendocument, teletype, text

    with tempfile.NamedTemporaryFile(suffix=".odt") as file:
        file.write(data)
        file.flush()
        document = opendocument.load(file.name)
    return "\n".join(
        teletype.extractText(one) for kind in (text.H, text.P) for one in document.getElementsByType(kind)
    )


def _unzipped(data: bytes) -> str:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        pages = [archive.read(name) for name in sorted(archive.namelist()) if name.endswith("html")]
    return "\n".join(_beautifulsoup(page) for page in pages)


READERS: dict[str, dict[str, Reader]] = {
    ".docx": {
        "docx2python": _docx2python,
        "mammoth": _mammoth,
        "pandoc": _pandoc("docx"),
        "python-docx": _python_docx,
    },
    ".pdf": {"pypdf": _pypdf, "pdfminer.six": _pdfminer, "pypdfium2": _pypdfium2},
    ".html": {"BeautifulSoup": _beautifulsoup, "pandoc": _pandoc("html")},
    ".odt": {"odfpy": _odfpy, "pandoc": _pandoc("odt")},
    ".rtf": {"striprtf": _striprtf, "pandoc": _pandoc("rtf")},
    ".epub": {"pandoc": _pandoc("epub"), "its pages, by BeautifulSoup": _unzipped},
    ".tex": {"pandoc": _pandoc("tex")},
    ".ipynb": {"pandoc": _pandoc("ipynb")},
}
"""Suffix to readers by name."""


def ours(data: bytes, suffix: str) -> tuple[str, str, int]:
    """Prose, all that is seen, and the number of hidden words."""
    from ghostbuster.text.documents.document import Part
    from ghostbuster.text.documents.read import read_document

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(data)
        made = read_document(path)
    return made.text(), made.text(whole=True), made.words().get(Part.HIDDEN, 0)
