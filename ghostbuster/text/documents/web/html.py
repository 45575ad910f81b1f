"""Web pages as a person sees them, by their own styles: exports of Google Docs, Word, Moodle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import CELL_OF_PROSE, Block, Document, Part, tidied
from ghostbuster.text.documents.indents import mark_indented
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.documents.web.css import Declarations, Sheets, shows_on_screen
from ghostbuster.text.documents.web.deep import deep_tree
from ghostbuster.text.documents.web.look import Look, indent, styled
from ghostbuster.text.documents.web.parts import BLOCKS, UNSEEN, attributes_of, part_of, skipped
from ghostbuster.text.encoding import BYTE_ORDER_MARKS
from ghostbuster.text.prepare import MOST_BYTES

if TYPE_CHECKING:
    from cssselect2 import ElementWrapper
    from lxml.html import HtmlElement

_CHARSET = re.compile(
    rb"<(?:meta[^>]{0,200}charset\s*=|\?xml[^>]{0,100}encoding\s*=)\s*[\"']?([\w-]+)", re.IGNORECASE
)
_PICTURES = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=\s]{1000,}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where letters stand."""

    look: Look
    part: Part = Part.PROSE
    in_table: bool = False
    indent: float = 0.0
    in_list: bool = False


_NO_INDENT = frozenset({"li", "dd", "td", "th"})
"""Elements in which a place further in says nothing of quotations."""


class _Page:
    """Letters of a page, gathered into blocks."""

    def __init__(self, sheets: Sheets) -> None:
        self.sheets = sheets
        self.blocks: list[Block] = []
        self._seen: list[tuple[str, _Place]] = []
        self._unseen: list[str] = []

    def add(self, text: str, place: _Place) -> None:
        """Letters where they stand."""
        shown = text if place.look.pre else re.sub(r"[ \t\n\r\f]+", " ", text)
        if place.look.unseen:
            self._unseen.append(shown)
        elif shown:
            self._seen.append((shown, place))

    def end(self) -> None:
        """A block ends."""
        text = re.sub(r" *\n *", "\n", "".join(one for one, _ in self._seen))
        if text.strip():
            place = next(place for one, place in self._seen if one.strip())
            part, in_table = place.part, self._seen[-1][1].in_table
            if part is Part.PROSE and in_table and len(text.split()) < CELL_OF_PROSE:
                part = Part.TABLE
            self.blocks.append(Block(part, text, 0.0 if place.in_list else place.indent))
        hidden = "".join(self._unseen)
        if hidden.strip():
            self.blocks.append(Block(Part.HIDDEN, hidden))
        self._seen, self._unseen = [], []

    def walk(self, root: HtmlElement) -> None:
        """All letters of the page in order; with a stack of its own, since pages nest at will."""
        from cssselect2 import ElementWrapper

        waiting: list[object] = [(ElementWrapper.from_html_root(root), _Place(Look()))]
        while waiting:
            one = waiting.pop()
            if one is None:
                self.end()
            elif isinstance(one, tuple) and isinstance(one[0], str):
                self.add(*one)
            elif isinstance(one, tuple):
                waiting += self.opened(*one)

    def opened(self, element: ElementWrapper, place: _Place) -> list[object]:
        """What an element holds, last first: texts and elements with their places, None where blocks end."""
        tag, node = element.local_name, element.etree_element
        style = attributes_of(node) | self.sheets.of(element)
        if tag == "br":
            self.add("\n", replace(place, look=replace(place.look, pre=True)))
            return []
        if tag in UNSEEN or skipped(node, style):
            return []
        look = styled(place.look, style)
        further = indent(style, look.size) if _is_block(tag, style) else 0.0
        here = replace(
            place,
            look=look,
            part=part_of(node, place.part),
            in_table=place.in_table or tag in {"td", "th"},
            indent=place.indent + further,
            in_list=place.in_list or tag in _NO_INDENT,
        )
        parts: list[object] = [(node.text or "", here)]
        for child in element.iter_children():
            parts += [(child, here), (child.etree_element.tail or "", here)]
        if _is_block(tag, style):
            parts = [None, *parts, None]
        return parts[::-1]


def _is_block(tag: str, style: Declarations) -> bool:
    display = style.get("display", "")
    if tag in BLOCKS:
        return not display.startswith("inline")
    return display in {"block", "flex", "grid", "table", "list-item", "table-row", "table-cell", "flow-root"}


def read_html(data: bytes, called: str, sheets: Iterable[str] = ()) -> Document:
    """A web page as it is seen, with style sheets that stand elsewhere.

    Raises
    ------
    InputError
        When it is longer than any page.
    """
    return page_document(checked_page(decoded(data), called), sheets)


def checked_page(source: str, called: str) -> str:
    """The source of a page, without pictures in it where these make it long.

    Raises
    ------
    InputError
        When it is longer than any page.
    """
    if len(source) > MOST_BYTES:
        source = _PICTURES.sub("", source)
    if len(source) > MOST_BYTES:
        raise InputError(
            f"{called} is longer than {MOST_BYTES / 1e6:g} MB: save it as text, without pictures"
        )
    return source


def page_document(source: str, sheets: Iterable[str] = ()) -> Document:
    """A page from its source, and style sheets that stand elsewhere."""
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    kept = re.sub(r"\A\s*<\?xml[^>]*\?>", "", source.replace("\x00", ""))
    try:
        root = html.document_fromstring(kept.encode(errors="replace"), parser=parser)
    except etree.ParserError:  # nothing but white space and comments
        return Document(())
    if any(one.type_name == "ERR_RESOURCE_LIMIT" for one in parser.error_log):
        root = deep_tree(kept)
    page = _Page(Sheets([*sheets, *_sheets(root)]))
    page.walk(root)
    page.end()
    return Document(tidied(mark_references(mark_indented(page.blocks))))


def _sheets(root: HtmlElement) -> Iterator[str]:
    for style in root.iter("style"):
        if shows_on_screen(style.get("media", "")):
            yield style.text or ""


def decoded(data: bytes) -> str:
    """The page's letters: by its byte order mark, by what it says of itself, as UTF-8, as browsers guess."""
    from webencodings import lookup

    mark = next((name for start, name in BYTE_ORDER_MARKS.items() if data.startswith(start)), None)
    if mark is not None:
        return data.decode(mark, "replace")
    said = _CHARSET.search(data[:4096])
    encoding = lookup(said[1].decode("ascii")) if said else None
    if encoding is not None and not encoding.name.startswith("utf-16"):
        return str(encoding.codec_info.decode(data, "replace")[0])
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")
