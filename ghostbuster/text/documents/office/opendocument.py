"""OpenDocument texts (`.odt`, `.ott`), as LibreOffice shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import CELL_OF_PROSE, HEADING_WORDS, Block, Document, Part, tidied
from ghostbuster.text.documents.indents import mark_indented
from ghostbuster.text.documents.package import Package, parsed
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.documents.sight import LEAST_POINTS, WHITE, is_readable, rgb_of_hex
from ghostbuster.text.documents.style_names import part_of_style

if TYPE_CHECKING:
    from lxml.etree import _Element

_SPACE = re.compile(r"\{urn:oasis:names:tc:opendocument:xmlns:([\w-]+):[\d.]+\}(.+)")
_SHORT = {"xsl-fo-compatible": "fo", "drawing": "draw", "svg-compatible": "svg"}
_SKIPPED = frozenset({
    "text:tracked-changes", "office:annotation", "office:annotation-end", "office:forms",
    "text:note-citation", "text:ruby-text", "text:sequence-decls", "text:variable-decls",
    "text:user-field-decls", "svg:title", "svg:desc", "table:covered-table-cell",
    "text:index-title-template", "text:table-of-content-source", "text:bibliography-source",
    "text:alphabetical-index-source", "text:illustration-index-source", "office:scripts",
})  # fmt: skip
"""Elements whose letters are not shown, or are shown elsewhere as well."""
_WHOLE = {
    "text:note-body": Part.FOOTNOTE, "text:table-of-content": Part.CONTENTS,
    "text:alphabetical-index": Part.CONTENTS, "text:illustration-index": Part.CONTENTS,
    "text:table-index": Part.CONTENTS, "text:bibliography": Part.REFERENCES, "style:header": Part.RUNNING,
    "style:footer": Part.RUNNING, "style:header-left": Part.RUNNING, "style:footer-left": Part.RUNNING,
    "style:header-first": Part.RUNNING, "style:footer-first": Part.RUNNING,
}  # fmt: skip
_FLOATS = frozenset({"draw:frame", "draw:text-box", "draw:custom-shape", "draw:g", "text:note", "draw:rect"})
_MOST_STEPS = 32
_FAR = 1500.0
"""Points beside its place where nothing is on a page."""
_ALWAYS = frozenset({"ooow:1", "ooow:true", "ooow:1==1", "ooow:1 == 1", "1", "true"})
"""Conditions that hold whatever the document says; for others LibreOffice stores what came of them."""
_POINTS = {"pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "px": 0.75}


@lru_cache(maxsize=4096)
def _name(tag: str) -> str:
    found = _SPACE.fullmatch(tag)
    return f"{_SHORT.get(found[1], found[1])}:{found[2]}" if found else ""


def _attributes(element: _Element) -> dict[str, str]:
    return {_name(str(key)): str(text) for key, text in element.attrib.items()}


@dataclass(frozen=True)
class _Place:
    part: Part | None = None
    hidden: bool = False
    in_table: bool = False
    in_list: bool = False


class _Styles:
    """Looks and names of styles, of ``styles.xml`` and of the text itself."""

    def __init__(self, *roots: _Element) -> None:
        self._styles: dict[tuple[str, str], dict[str, str]] = {}
        for root in roots:
            for style in root.iter():
                called = _name(style.tag) if isinstance(style.tag, str) else ""
                if called in {"style:style", "style:default-style"}:
                    own = _attributes(style)
                    for properties in style:
                        if str(properties.tag).endswith("-properties"):
                            own |= _attributes(properties)
                    self._styles[own.get("style:family", ""), own.get("style:name", "")] = own

    def chain(self, family: str, name: str) -> list[dict[str, str]]:
        """A style, and what it is based on, up to the default."""
        found: list[dict[str, str]] = []
        while (style := self._styles.get((family, name))) is not None and len(found) < _MOST_STEPS:
            found.append(style)
            if not name:
                break
            name = style.get("style:parent-style-name", "")
        return found

    def look(self, family: str, name: str, inherited: dict[str, Any]) -> dict[str, Any]:
        """What letters of a style look like inside others: size in points, colours, whether shown."""
        look = dict(inherited)
        for style in reversed(self.chain(family, name)):
            if "fo:font-size" in style:
                look["size"] = _points(style["fo:font-size"], look.get("size", 12.0))
            if "fo:color" in style:
                look["colour"] = rgb_of_hex(style["fo:color"])
            if style.get("style:use-window-font-color") == "true":
                look["colour"] = None
            if (behind := style.get("fo:background-color", "transparent")) != "transparent":
                look["behind"] = rgb_of_hex(behind)
            if "text:display" in style:
                look["gone"] = style["text:display"] != "true"
            away = (_points(style.get(f"fo:{side}", "0"), 0.0) for side in ("margin-left", "text-indent"))
            if (
                any(abs(one) >= _FAR for one in away)
                or 0 < _points(style.get("fo:line-height", "0"), 0) <= LEAST_POINTS
            ):
                look["gone"] = True
        return look

    def indent(self, name: str) -> float:
        """Points from the margin to where the lines of a paragraph begin."""
        given = (one.get("fo:margin-left") for one in self.chain("paragraph", name))
        return _points(next((one for one in given if one is not None), "0"), 0.0)

    def part(self, name: str) -> Part:
        """What a paragraph is, by the names of its style and those that is based on."""
        for style in self.chain("paragraph", name):
            called = style.get("style:display-name") or style.get("style:name", "").replace("_20_", " ")
            if (part := part_of_style(called)) is not None:
                return part
        return Part.PROSE


class _Reader:
    def __init__(self, styles: _Styles) -> None:
        self.styles = styles

    def content(self, element: _Element, place: _Place) -> Iterator[Block]:
        """Blocks of a body, a cell, a section or a frame."""
        for one in element:
            called = _name(one.tag) if isinstance(one.tag, str) else ""
            if called in _SKIPPED or not called:
                continue
            if called in {"text:p", "text:h"}:
                yield from self.paragraph(one, called, place)
                continue
            own = _attributes(one)
            unseen = _is_shut(own)
            yield from self.content(
                one,
                _Place(
                    place.part or _WHOLE.get(called),
                    place.hidden or unseen or _is_away(own),
                    place.in_table or called == "table:table-cell",
                    place.in_list or called == "text:list",
                ),
            )

    def paragraph(self, element: _Element, called: str, place: _Place) -> Iterator[Block]:
        """A paragraph, what of it is hidden, and what hangs on it."""
        style = _attributes(element).get("text:style-name", "")
        seen: list[str] = []
        unseen: list[str] = []
        floating: list[Block] = []
        look = self.styles.look("paragraph", style, self.styles.look("paragraph", "", {}))
        if any(_is_hidden_paragraph(one) for one in element):
            place = replace(place, hidden=True)
        self.letters(element, look, place, (seen, unseen, floating))
        text = "".join(seen)
        part = place.part or (Part.HEADING if called == "text:h" else self.styles.part(style))
        n_words = len(text.split())
        if part is Part.HEADING and n_words > HEADING_WORDS:
            part = Part.PROSE
        if part is Part.PROSE and place.in_table and n_words < CELL_OF_PROSE:
            part = Part.TABLE
        yield Block(part, text, 0.0 if place.in_list or place.in_table else self.styles.indent(style))
        yield Block(Part.HIDDEN, "".join(unseen))
        yield from floating

    def letters(
        self,
        element: _Element,
        look: dict[str, Any],
        place: _Place,
        into: tuple[list[str], list[str], list[Block]],
    ) -> None:
        """Letters of a paragraph, in order."""
        seen, unseen, floating = into
        out = unseen if place.hidden or _is_hidden(look) else seen
        out.append(element.text or "")
        for one in element:
            called = _name(one.tag) if isinstance(one.tag, str) else ""
            own = _attributes(one)
            if called == "text:s":
                out.append(" " * min(int(own.get("text:c", "1") or 1), 100))
            elif called in {"text:tab", "text:line-break"}:
                out.append("\t" if called == "text:tab" else "\n")
            elif called == "text:hidden-text" and own.get("text:is-hidden") != "false":
                unseen.append(own.get("text:string-value", "") + "".join(one.itertext()))
            elif called in _FLOATS:
                floating += self.content(one, replace(place, hidden=place.hidden or _is_away(own)))
            elif called and called not in _SKIPPED:
                inner = look
                if called == "text:span":
                    inner = self.styles.look("text", own.get("text:style-name", ""), look)
                self.letters(one, inner, place, into)
            out.append(one.tail or "")


def read_opendocument(data: bytes, called: str) -> Document:
    """An OpenDocument text.

    Raises
    ------
    InputError
        When it is locked with a password, a bomb, or damaged.
    """
    package = Package(data, called)
    manifest = "META-INF/manifest.xml"
    if manifest in package and b"encryption-data" in package.read(manifest):
        raise InputError(f"{called} is locked with a password: save a copy without one")
    content = package.xml("content.xml")
    return _document(content, package.xml("styles.xml") if "styles.xml" in package else content)


def read_flat(data: bytes, called: str) -> Document:
    """An OpenDocument text in one file of XML (`.fodt`).

    Raises
    ------
    InputError
        When it is damaged, or longer than any essay.
    """
    root = parsed(data, called)
    return _document(root, root)


def _document(content: _Element, styles: _Element) -> Document:
    """A document from the roots of its text and of its styles, which may be one."""
    reader = _Reader(_Styles(*([content] if styles is content else [styles, content])))
    blocks: list[Block] = []
    for body in content.iter("{*}text"):
        if _name(str(body.tag)) == "office:text":
            blocks += reader.content(body, _Place())
    for masters in styles.iter("{*}master-styles"):
        blocks += reader.content(masters, _Place(Part.RUNNING))
    return Document(tidied(mark_references(mark_indented(blocks))))


def _is_hidden(look: dict[str, Any]) -> bool:
    if look.get("gone") or 0 < look.get("size", 12.0) <= LEAST_POINTS:
        return True
    colour, behind = look.get("colour"), look.get("behind", WHITE)
    return colour is not None and behind is not None and not is_readable(colour, behind)


def _is_hidden_paragraph(element: _Element) -> bool:
    """Whether this is a field that hides the paragraph that it stands in."""
    called = _name(element.tag) if isinstance(element.tag, str) else ""
    return called == "text:hidden-paragraph" and _attributes(element).get("text:is-hidden") != "false"


def _is_shut(own: dict[str, str]) -> bool:
    """Whether a section is hidden, by itself or by its condition, or a row folded away."""
    hidden = own.get("text:display") == "none"
    if own.get("text:display") == "condition":
        hidden = own.get("text:is-hidden") == "true" or own.get("text:condition", "") in _ALWAYS
    return hidden or own.get("table:visibility") in {"collapse", "filter"}


def _is_away(own: dict[str, str]) -> bool:
    return any(abs(_points(own.get(side, "0"), 0.0)) >= _FAR for side in ("svg:x", "svg:y"))


def _points(text: str, of: float) -> float:
    found = re.fullmatch(r"(-?[\d.]+)(pt|in|cm|mm|px|%)", text)
    try:
        number = float(found[1]) if found else 0.0
    except ValueError:
        return 0.0
    if not found:
        return 0.0
    return of * number / 100 if found[2] == "%" else number * _POINTS[found[2]]
