"""Word documents (`.docx`, `.docm`, `.dotx`, transitional and strict): what Word shows, in its order.

No library reads all that Word shows and nothing else: ``docs/reliability/documents.md`` compares four.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import CELL_OF_PROSE, HEADING_WORDS, Block, Document, Part, tidied
from ghostbuster.text.documents.indents import mark_indented
from ghostbuster.text.documents.office import word_geometry
from ghostbuster.text.documents.office.names import child, chosen, inside, is_on, name, value, within
from ghostbuster.text.documents.office.word_covers import Page, covered
from ghostbuster.text.documents.office.word_runs import Fields, Line, letters
from ghostbuster.text.documents.office.word_styles import Look, Styles, is_hidden
from ghostbuster.text.documents.office.word_theme import Theme
from ghostbuster.text.documents.package import Package
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.documents.sight import WHITE, Rgb

if TYPE_CHECKING:
    from lxml.etree import _Element

BOLD_HEADING_WORDS = 15

_THROUGH = {"ins", "moveTo", "customXml", "smartTag", "hyperlink", "fldSimple", "dir", "bdo", "sdtContent",
            "ruby", "rubyBase", "txbxContent", "wps:txbx", "v:textbox", "m:oMath", "m:oMathPara"}  # fmt: skip
"""What only wraps content that is shown. Deletions (``del``, ``moveFrom``) are not among them."""


@dataclass(frozen=True)
class Place:
    """Where content stands: what it would be there, what is behind it, whether it is seen at all."""

    part: Part | None = None
    behind: Rgb | None = WHITE
    hidden: bool = False
    in_table: bool = False


class _Reader:
    """One document while it is read."""

    def __init__(self, data: bytes, called: str) -> None:
        self.package = Package(data, called)
        main = next((t for kind, t in self.package.related("").values() if kind == "officeDocument"), "")
        if main not in self.package:
            raise InputError(f"{called} holds no document of Word: save it again, or as text")
        self.root = self.package.xml(main)
        self.related = self.package.related(main)
        self.theme = Theme(self._named("theme"), self._named("settings"))
        self.styles = Styles(self._named("styles"), self.theme)
        self.notes = {kind: self._notes(kind) for kind in ("footnotes", "endnotes")}
        self.fields = Fields()
        self.page = word_geometry.page_width(self.root)
        self.covered = covered(inside(self.root, "body"), self.styles, Page.of(self.root))

    def _named(self, kind: str) -> _Element | None:
        place = next((target for found, target in self.related.values() if found == kind), "")
        return self.package.xml(place) if place in self.package else None

    def _notes(self, kind: str) -> dict[str, _Element]:
        root = self._named(kind)
        return {} if root is None else {value(one, "id") or "": one for one in root}

    def blocks(self) -> Iterator[Block]:
        shown = is_on(child(self._named("settings"), "displayBackgroundShape"))
        page = self.theme.of(child(self.root, "background"), plain="color") if shown else None
        yield from self.content(inside(self.root, "body"), Place(behind=page or WHITE))
        for kind, target in self.related.values():
            if kind in {"header", "footer"} and target in self.package:
                yield from self.content(self.package.xml(target), Place(Part.RUNNING))

    def content(self, elements: Iterable[_Element], place: Place) -> Iterator[Block]:
        """Blocks of a body, a cell, a text box or a note."""
        carried: Line | None = None
        for one in elements:
            called = name(one)
            if called == "p":
                carried = self.paragraph(one, place, carried)
                if not carried.goes_on:
                    yield from self.closed(carried, place)
                    carried = None
            elif called == "tbl":
                yield from self.table(one, place)
            elif called == "sdt":
                yield from self.content(inside(one, "sdtContent"), self.controlled(one, place))
            elif called == "mc:AlternateContent":
                yield from self.content(chosen(one), place)
            elif called == "altChunk":
                yield from self.imported(one, place)
            elif called in _THROUGH:
                yield from self.content(one, place)
        if carried is not None:
            yield from self.closed(carried, place)

    def controlled(self, control: _Element, place: Place) -> Place:
        """What a content control holds, where Word made it for a purpose."""
        gallery = (value(within(control, "sdtPr", "docPartObj", "docPartGallery")) or "").lower()
        if gallery == "table of contents":
            return replace(place, part=Part.CONTENTS)
        if gallery == "bibliographies" or within(control, "sdtPr", "bibliography") is not None:
            return replace(place, part=Part.REFERENCES)
        return place

    def imported(self, chunk: _Element, place: Place) -> Iterator[Block]:
        """A file inside the document, which Word takes in when it opens that."""
        from ghostbuster.text.documents.web.html import read_html
        from ghostbuster.text.documents.web.mail import read_mail

        _, target = self.related.get(value(chunk, "id") or "", ("", ""))
        if target not in self.package:
            return
        data = self.package.read(target)
        if data.startswith(b"PK"):
            inner = read_word(data, f"{target} of {self.package.name}")
        elif b"mime-version:" in data[:4096].lower():
            inner = read_mail(data, self.package.name)
        else:
            inner = read_html(data, self.package.name)
        yield from (replace(block, part=Part.HIDDEN) if place.hidden else block for block in inner.blocks)

    def table(self, table: _Element, place: Place) -> Iterator[Block]:
        """Cells row by row; merged ones once."""
        about = child(table, "tblPr")
        behind = None if self.styles.shades(about) else place.behind
        away = place.hidden or word_geometry.is_table_away(about, self.page)
        here = replace(place, in_table=True, behind=behind, hidden=away)
        for row in _rows(table):
            properties = child(row, "trPr")
            if child(properties, "del") is not None:
                continue
            gone = is_on(child(properties, "hidden")) or word_geometry.is_flat(properties)
            for cell in _cells(row):
                own = child(cell, "tcPr")
                if child(own, "cellDel") is not None:
                    continue
                merge = child(own, "vMerge")
                covered = merge is not None and value(merge) != "restart"
                behind = self.styles.fill(child(own, "shd")).get("behind", here.behind)
                yield from self.content(cell, replace(here, behind=behind, hidden=away or gone or covered))

    def paragraph(self, element: _Element, place: Place, before: Line | None) -> Line:
        """One paragraph, and what floats in it."""
        properties = child(element, "pPr")
        indent = 0.0 if place.in_table else self.styles.indent(properties)
        line = before or Line(self.styles.part(properties), indent)
        away = word_geometry.is_out_of_sight(properties, self.page)
        unseen = place.hidden or away or element in self.covered
        self.runs(element, line, replace(place, hidden=unseen), self.styles.paragraph_look(properties))
        line.goes_on = within(element, "pPr", "rPr", "del") is not None
        return line

    def closed(self, line: Line, place: Place) -> list[Block]:
        """Blocks of a paragraph that has ended."""
        return line.blocks(lambda words, bold: self.part_of(line, place, words, bold=bold))

    def part_of(self, line: Line, place: Place, words: int, *, bold: bool) -> Part:
        """The part of a paragraph: what it stands in, then what it is itself."""
        part = place.part or line.field or line.part
        if part is Part.HEADING and words > HEADING_WORDS:
            part = Part.PROSE
        if part is Part.PROSE and place.in_table and words < CELL_OF_PROSE:
            return Part.TABLE
        if part is Part.PROSE and bold and words <= BOLD_HEADING_WORDS:
            return Part.HEADING
        return part

    def runs(self, element: Iterable[_Element], line: Line, place: Place, look: Look) -> None:
        """Runs of a paragraph, through all that only wraps them."""
        for one in element:
            called = name(one)
            if called in {"r", "m:r"}:
                self.run(one, line, place, look)
            elif called == "sdt":
                self.runs(inside(one, "sdtContent"), line, place, look)
            elif called == "mc:AlternateContent":
                self.runs(chosen(one), line, place, look)
            elif called in _THROUGH or (called.startswith("m:") and not called.endswith("Pr")):
                self.runs(one, line, place, look)

    def run(self, run: _Element, line: Line, place: Place, inherited: Look) -> None:
        """Letters of a run, notes that hang on it, and boxes that float."""
        look = self.styles.run_look(inherited, child(run, "rPr"))
        hidden = place.hidden or is_hidden(look, place.behind)
        for one in run:
            called = name(one)
            if called == "fldChar":
                self.fields.mark(value(one, "fldCharType") or "")
            elif called == "instrText":
                self.fields.instruct(one.text or "")
            elif called in {"footnoteReference", "endnoteReference"}:
                note = self.notes[called.replace("Reference", "s")].get(value(one, "id") or "")
                if note is not None:
                    line.floating += self.content(note, replace(place, part=Part.FOOTNOTE))
            elif called in {"drawing", "pict", "object", "mc:AlternateContent"}:
                self.drawing([one], line, replace(place, hidden=hidden))
            elif called == "ruby":
                self.runs(inside(one, "rubyBase"), line, place, inherited)
            elif not self.fields.in_code:
                line.add(letters(called, one), hidden=hidden, bold=bool(look.get("bold")))
                line.field = self.fields.part or line.field

    def drawing(self, elements: Iterable[_Element], line: Line, place: Place) -> None:
        """Text in boxes and shapes; boxes outside the page are not seen."""
        for one in elements:
            called = name(one)
            if called == "mc:AlternateContent":
                self.drawing(chosen(one), line, place)
            elif called == "txbxContent":
                line.floating += self.content(one, place)
            elif called == "a:t":
                part = Part.HIDDEN if place.hidden else Part.CAPTION
                line.floating.append(Block(part, one.text or ""))
            else:
                gone = place.hidden or word_geometry.is_off_page(one, self.page)
                behind = word_geometry.painted(one, place.behind, self.theme)
                self.drawing(one, line, replace(place, hidden=gone, behind=behind))


def _rows(table: _Element) -> Iterator[_Element]:
    for one in table:
        called = name(one)
        if called == "tr":
            yield one
        elif called == "sdt":
            yield from _rows(inside(one, "sdtContent"))
        elif called in _THROUGH:
            yield from _rows(one)


def _cells(row: _Element) -> Iterator[_Element]:
    for one in row:
        called = name(one)
        if called == "tc":
            yield one
        elif called == "sdt":
            yield from _cells(inside(one, "sdtContent"))
        elif called in _THROUGH:
            yield from _cells(one)


def read_word(data: bytes, called: str) -> Document:
    """A Word document as Word shows it.

    Raises
    ------
    InputError
        When it is locked, a bomb, or no document of Word.
    """
    return Document(tidied(mark_references(mark_indented(list(_Reader(data, called).blocks())))))
