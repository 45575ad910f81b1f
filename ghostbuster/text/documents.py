"""Texts of documents: plain text, Word, PDF and web pages. To add a kind, add its row to ``DOCUMENTS``."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError, SettingError
from ghostbuster.system.time_limit import CpuTimeExceeded, cpu_time_limit
from ghostbuster.text.prepare import MOST_BYTES, read_bytes, read_text

if TYPE_CHECKING:
    from bs4 import Tag

MOST_UNPACKED = 256 * 2**20
"""Bytes that a Word document may unpack to; more is a bomb, not an essay."""
PATIENCE = 60.0
"""Seconds for one document: some are made to take their reader for ever."""
UNSEEN = ("script", "style", "template", "noscript", "head", "svg", "nav", "button", "select", "textarea")
"""Parts of a web page that are no prose."""
BLOCKS = ("p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6")
"""Parts of a web page that end a line."""


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document.

    Attributes
    ----------
    read : callable
        Path to text.
    module, package : str
        What has to be installed for it: the module's name and the package's; empty for nothing.
    """

    read: Callable[[Path], str]
    module: str = ""
    package: str = ""


def document_text(path: Path) -> str:
    """Text of a document of a known kind.

    Raises
    ------
    InputError
        When the file is missing, damaged, locked with a password, takes too long, or holds no text; it says
        which.
    """
    try:
        with cpu_time_limit(PATIENCE):
            text = DOCUMENTS[path.suffix.lower()].read(path)
    except InputError:
        raise
    except CpuTimeExceeded:
        raise InputError(
            f"{path} takes more than {PATIENCE:g} seconds to read, as damaged and hostile files do: save it "
            "as text"
        ) from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply to be read: save it as text") from None
    except Exception as error:
        kind = path.suffix[1:].upper()
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise InputError(f"{path} cannot be read as {kind} ({reason}): save it again or as text") from error
    if not text.strip():
        raise InputError(f"{path} holds no text; expected words (a scanned page is a picture: it has none)")
    return text


def documents_in(folder: Path) -> list[Path]:
    """Documents of known kinds in a folder and those below it, by name; hidden ones are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in DOCUMENTS and path.is_file())
    inside = ((path.relative_to(folder), path) for path in found)
    return [path for name, path in sorted(inside) if not any(part.startswith(".") for part in name.parts)]


def check_installed(paths: Iterable[Path]) -> None:
    """Refuse documents whose library is not installed, before any is read.

    Raises
    ------
    SettingError
        Names the kind and how to install what it needs.
    """
    for suffix in sorted({path.suffix.lower() for path in paths}):
        kind = DOCUMENTS[suffix]
        if kind.module and find_spec(kind.module) is None:
            raise SettingError(
                f"reading {suffix} needs {kind.package}, which is not installed: "
                "pip install 'ghostbuster[documents]'"
            )


def _docx(path: Path) -> str:
    """Paragraphs and cells of tables, in the order of the document."""
    import docx
    from docx.table import Table

    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_UNPACKED:
        raise InputError(f"{path} unpacks to {size} bytes; expected at most {MOST_UNPACKED}: it is no essay")
    lines = []
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            lines += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(block.text)
    return "\n".join(lines)


def _pdf(path: Path) -> str:
    """Text of all pages; one that needs a password is refused."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise InputError(f"{path} is locked with a password: save a copy without one")
    return "\n".join(page.extract_text() for page in reader.pages)


def _html(path: Path) -> str:
    """What a reader of the page sees, one line a block."""
    from bs4 import BeautifulSoup

    data = read_bytes(path)
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} is longer than {MOST_BYTES / 1e6:g} MB: save it as text, without pictures")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what looks like a path or like XML is taken for a page all the same
        page = BeautifulSoup(data, "html.parser")
    return "".join(_seen(page))


def _seen(page: Tag) -> Iterator[str]:
    """Strings of a page and its line breaks, in order; with a stack of its own, since pages nest at will."""
    from bs4 import Tag
    from bs4.element import CData, NavigableString

    waiting: list[object] = [page]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and type(part) in {str, NavigableString, CData}:
            yield str(part)
        elif isinstance(part, Tag) and part.name == "br":
            yield "\n"
        elif isinstance(part, Tag) and part.name not in UNSEEN:
            waiting += ["\n"] * (part.name in BLOCKS)
            waiting += part.contents[::-1]


_PLAIN = Document(read_text)
_PAGE = Document(_html, "bs4", "beautifulsoup4")

DOCUMENTS: dict[str, Document] = {
    ".txt": _PLAIN,
    ".md": _PLAIN,
    ".docx": Document(_docx, "docx", "python-docx"),
    ".pdf": Document(_pdf, "pypdf", "pypdf"),
    ".html": _PAGE,
    ".htm": _PAGE,
}
"""Suffix to kind of document."""
