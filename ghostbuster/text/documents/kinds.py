"""Kinds of document: how each is recognised and read. To add a kind: its file, and its row in ``READERS``."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

HEAD = 8192
"""First bytes of a file, by which its kind is told."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A kind of document that can be read.

    Attributes
    ----------
    called : str
        What people call it.
    function : str
        Module in this package, colon, function: bytes and what to call them to Document.
    suffixes : tuple of str
        Of files of this kind.
    needs : tuple of str
        Modules that have to be installed.
    is_text : bool
        Whether it is letters alone, so that its suffix says more than its first bytes.
    """

    called: str
    function: str
    suffixes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    is_text: bool = False


_WEB = ("lxml", "tinycss2", "cssselect2")

READERS: dict[str, Reader] = {
    "text": Reader("plain text", "plain:read_plain", (".txt", ".text"), is_text=True),
    "markdown": Reader("markdown", "plain:read_markdown", (".md", ".markdown"), is_text=True),
    "word": Reader("Word", "office.word:read_word", (".docx", ".docm", ".dotx", ".dotm"), ("lxml",)),
    "old word": Reader("Word 97 to 2003", "office.old_word:read_old_word", ()),
    "opendocument": Reader(
        "OpenDocument", "office.opendocument:read_opendocument", (".odt", ".ott"), ("lxml",)
    ),
    "flat opendocument": Reader(
        "flat OpenDocument", "office.opendocument:read_flat", (".fodt",), ("lxml",), is_text=True
    ),
    "pdf": Reader("PDF", "pdf.reader:read_pdf", (".pdf",), ("pypdfium2",)),
    "html": Reader("web page", "web.html:read_html", (".html", ".htm", ".xhtml"), _WEB, is_text=True),
    "mail": Reader("e-mail", "web.mail:read_mail", (".eml",), _WEB, is_text=True),
    "mhtml": Reader("saved web page", "web.mail:read_mail", (".mhtml", ".mht"), _WEB, is_text=True),
    "epub": Reader("EPUB", "web.epub:read_epub", (".epub",), _WEB),
    "rtf": Reader("RTF", "rtf:read_rtf", (".rtf",)),
    "notebook": Reader("Jupyter notebook", "notebook:read_notebook", (".ipynb",), is_text=True),
    "tex": Reader("LaTeX", "tex:read_tex", (".tex", ".latex"), ("pylatexenc",), is_text=True),
}
"""Name of a kind to how it is read."""

SUFFIXES: dict[str, str] = {suffix: kind for kind, row in READERS.items() for suffix in row.suffixes}
"""Suffix to kind."""

_AS_WORD = "save it as .docx or .pdf"

UNREADABLE: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a picture", "expected words: type them, or ask for the document"),
    (b"\xff\xd8\xff", "a picture", "expected words: type them, or ask for the document"),
    (b"GIF8", "a picture", "expected words: type them, or ask for the document"),
    (b"II*\x00", "a picture", "expected words: type them, or ask for the document"),
    (b"MM\x00*", "a picture", "expected words: type them, or ask for the document"),
    (b"BM", "a picture", "expected words: type them, or ask for the document"),
    (b"\x00\x00\x00", "a picture or a film", "expected words: type them, or ask for the document"),
    (b"PAR1", "a Parquet table", "use `ghostbuster score-table`"),
    (b"\x1f\x8b", "a packed archive", "unpack it"),
    (b"7z\xbc\xaf", "a packed archive", "unpack it"),
    (b"Rar!", "a packed archive", "unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old office document (of 97 to 2003)", _AS_WORD),
)
"""First bytes, what they begin, and what to do. Checked for files that are no text."""
TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"})
"""Suffixes of tables, of which each row is a text of its own."""
_IN_ARCHIVES: tuple[tuple[str, str, str], ...] = (
    (
        r"index/document\.iwa|index\.xml|index\.apxl",
        "a document of Apple's Pages",
        "export it as Word or PDF",
    ),
    (r"xl/workbook\..*", "an Excel workbook", "save it as .csv and use `ghostbuster score-table`"),
    (r"content\.xml", "an OpenDocument table or presentation", "save its words as text"),
    (r"ppt/presentation\..*", "a PowerPoint presentation", "save its words as text"),
)
_OLD = b"\xd0\xcf\x11\xe0"
_OLD_WORD = "WordDocument".encode("utf-16-le")
"""Name of the stream that holds a text, in the directory of an old office document."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,40}:[ \t][^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,}")
_MAIL = re.compile(
    rb"^(?:From|MIME-Version|Received|Message-ID|Return-Path|Delivered-To):[ \t]",
    re.IGNORECASE | re.MULTILINE,
)
_NOTEBOOK = re.compile(rb'\s*\{\s*"(?:cells|metadata|nbformat|worksheets)"\s*:')
_LATEX = re.compile(rb"(?:\s|%[^\n]*\n)*\\(?:documentclass|documentstyle|begin\{document\})")


_SHOW_THEMSELVES = frozenset({"mail", "mhtml", "notebook", "flat opendocument"})
"""Kinds of letters that their beginning tells, whatever a file is called."""
_FLAT = re.compile(rb"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<office:document\b", re.DOTALL)
_WORD_XML = re.compile(rb"<\?mso-application\s+progid=\"Word\.Document\"|<(?:w:wordDocument|pkg:package)\b")


def suffix_of(name: str) -> str:
    """The suffix in lower case."""
    return PurePath(name).suffix.lower()


def kind_of(head: bytes, name: str) -> tuple[str, str]:
    """Kind of a document by its first bytes, then by its name.

    Parameters
    ----------
    head : bytes
        The first ``HEAD`` of them; all of an archive.
    name : str

    Returns
    -------
    tuple of (str, str)
        A key of ``READERS`` and nothing, or nothing and why it cannot be read.
    """
    if b"%PDF-" in head[:1024]:
        return "pdf", ""
    if head.startswith(b"PK\x03\x04"):
        return _in_archive(head)
    if head.startswith(_OLD) and _ENCRYPTED not in head and _OLD_WORD in head:
        return _old_word()
    refusal = _unreadable(head)
    kind = "rtf" if head.startswith(b"{\\rtf") else _of_text(head, suffix_of(name))
    return ("", refusal) if refusal else (kind, "")


def _old_word() -> tuple[str, str]:
    """Word 97 to 2003, where a library for it is installed; what to do elsewhere."""
    from ghostbuster.text.documents.office.old_word import is_installed

    if is_installed():
        return "old word", ""
    by_pip = "or pip install 'ghostbuster[doc]' (Python 3.11 and 3.12)"
    return "", f"an old office document (Word 97 to 2003): {_AS_WORD}, {by_pip}"


def _unreadable(head: bytes) -> str:
    """What a file is that nothing here reads, and what to do; empty for others."""
    if head.startswith(b"\xd0\xcf\x11\xe0") and _ENCRYPTED in head:
        return "locked with a password: save a copy without one"
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):  # byte order marks
        return ""
    if _WORD_XML.search(head[:1024]):
        return f"a document of Word as XML: {_AS_WORD}"
    for start, what, remedy in UNREADABLE:
        if head.startswith(start) and (start != b"BM" or _BINARY.search(head)):
            return f"{what}: {remedy}"
    return ""


def _in_archive(data: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = {name.lower() for name in archive.namelist()}
            first = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, NotImplementedError, ValueError, KeyError):
        return "", "a damaged archive or office document: save it again"
    if b"epub" in first or "meta-inf/container.xml" in names:
        return "epub", ""
    if b"opendocument.text" in first or (not first and "content.xml" in names):
        return "opendocument", ""
    for pattern, what, remedy in _IN_ARCHIVES:
        if any(re.fullmatch(pattern, name) for name in names):
            return "", f"{what}: {remedy}"
    is_word = "[content_types].xml" in names or any(name.startswith("word/") for name in names)
    return ("word", "") if is_word else ("", "an archive: unpack it")


def _of_text(head: bytes, suffix: str) -> str:
    """Kind of letters: what they say they are, then what their name says, then plain text."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _PAGE.match(text):
        return "html"
    if _FLAT.match(text):
        return "flat opendocument"
    headers = _HEADER.match(text)
    if headers and _MAIL.search(headers[0]):
        return "mail"
    if suffix in {".ipynb", ""} and _NOTEBOOK.match(text):
        return "notebook"
    if _LATEX.match(text):
        return "tex"
    kind = SUFFIXES.get(suffix, "text")
    named = READERS[kind]
    return (
        kind if named.is_text and kind not in {"mail", "mhtml", "notebook", "flat opendocument"} else "text"
    )
