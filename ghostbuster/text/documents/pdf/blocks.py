"""A PDF to blocks, in this process: letters, lines, what pages repeat, paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ghostbuster.text.documents.document import Block, Document, Part, counted, tidied
from ghostbuster.text.documents.pdf import furniture
from ghostbuster.text.documents.pdf.lines import Line, lines_of, pieces_of
from ghostbuster.text.documents.pdf.page import PageLetters, letters_of
from ghostbuster.text.documents.pdf.paragraphs import across_pages, body_size, is_mono, paragraphs
from ghostbuster.text.documents.references import mark_references

FEWEST_WORDS = 5
"""Seen on a page that is no mere picture."""


class LockedError(ValueError):
    """The document needs a password."""


@dataclass(frozen=True)
class _Page:
    """A page: its lines that are seen, its words that are not, what it repeats."""

    lines: list[Line]
    hidden: str
    numbers: list[str]
    height: float
    is_scan: bool


def document_of(data: bytes) -> Document:
    """A document as its pages show it.

    Raises
    ------
    LockedError
        When it needs a password.
    """
    import pypdfium2
    from pypdfium2 import raw

    try:
        book = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise LockedError from None
        raise
    pages = []
    for page in book:
        pages.append(_page(letters_of(page)))
        page.close()
    return _document(pages)


def _page(found: PageLetters) -> _Page:
    seen = [one for one in found.letters if one.seen]
    hidden = [one for one in found.letters if not one.seen or one.text.isspace()]
    pieces, numbers = furniture.without_line_numbers(pieces_of(seen))
    lines = lines_of(pieces)
    n_seen = sum(len(line.text.split()) for line in lines)
    unseen = (
        " ".join(line.text for line in lines_of(pieces_of(hidden)))
        if any(not one.seen for one in hidden)
        else ""
    )
    return _Page(lines, unseen, numbers, found.height, found.is_picture and n_seen < FEWEST_WORDS)


def _document(pages: Sequence[_Page]) -> Document:
    texts = [page.lines for page in pages]
    body, all_mono = body_size(texts), is_mono(texts)
    running = furniture.running_lines(texts, [page.height for page in pages])
    blocks: list[Block] = []
    for page, repeated in zip(pages, running, strict=True):
        kept = [line for i, line in enumerate(page.lines) if i not in repeated]
        blocks += [Block(Part.RUNNING, page.lines[i].text) for i in sorted(repeated)]
        blocks += [Block(Part.RUNNING, number) for number in page.numbers]
        blocks += paragraphs(kept, page.height, body, all_mono=all_mono)
        if page.hidden and not page.is_scan:
            blocks.append(Block(Part.HIDDEN, page.hidden))
    ordered = mark_references(across_pages(blocks))
    return Document(tidied(ordered), _remarks(pages))


def _remarks(pages: Sequence[_Page]) -> tuple[str, ...]:
    """What is said of pages that are pictures."""
    scans = [page for page in pages if page.is_scan]
    if not scans:
        return ()
    n_words = sum(len(page.hidden.split()) for page in scans)
    layer = f", with an invisible layer of {counted(n_words, 'word')} that was not read" if n_words else ""
    all_of = "is a picture" if len(scans) == 1 else "are pictures"
    return (f"{len(scans):,} of {counted(len(pages), 'page')} {all_of} (scanned){layer}",)
