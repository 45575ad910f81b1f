"""Paragraphs of Word that lie under a picture, by an estimate of where their lines fall."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghostbuster.text.documents.office.names import chosen, name, value, within
from ghostbuster.text.documents.office.word_geometry import EMU, TWIPS, number
from ghostbuster.text.documents.office.word_styles import Styles

if TYPE_CHECKING:
    from lxml.etree import _Element

LETTER_WIDTH = 0.47
"""Mean advance of a letter, in sizes of the letters, of the fonts that documents are written in."""
LINE_HEIGHT = 1.17
"""Of a line set single, in sizes of its letters."""
MOST_BELOW = 0.9
"""Share of a picture's height that counts: what an estimate puts near its end may stand below it."""
MOSTLY = 0.8
"""Share of a paragraph's height that lies under a picture where nobody can read it."""
LEAST_WIDTH = 0.8
"""Share of the lines' width that a picture hides."""
FEWEST_WORDS = 20
"""Under a picture; less may be an error of the estimate."""
_OPAQUE = ("/picture", "wordprocessingShape")


@dataclass(frozen=True)
class Page:
    """The place for text on a page, in points: from the top and the left, how wide, how high."""

    top: float = 72.0
    left: float = 72.0
    width: float = 468.0
    height: float = 648.0

    @classmethod
    def of(cls, root: _Element) -> Page:
        """That of a document's last section."""
        sizes = [one for one in root.iter() if name(one) == "pgSz"]
        margins = [one for one in root.iter() if name(one) == "pgMar"]
        if not sizes or not margins:
            return cls()
        top, left, right, bottom = (
            number(value(margins[-1], side)) / TWIPS for side in ("top", "left", "right", "bottom")
        )
        width, height = (number(value(sizes[-1], side)) / TWIPS for side in ("w", "h"))
        return cls(
            abs(top), left, max(width - left - right, 72.0), max(height - abs(top) - abs(bottom), 72.0)
        )


@dataclass(frozen=True)
class _Placed:
    """A paragraph where it is likely to stand, in points from the first page's first line."""

    element: _Element
    start: float
    height: float
    n_words: int


def covered(body: Iterable[_Element], styles: Styles, page: Page) -> frozenset[_Element]:
    """Paragraphs of a body that nobody can read, since a picture lies before them.

    Where lines fall is reckoned from the number of letters, not set; only what lies well inside a picture as
    wide as the lines counts, and only where that is more than a line or two.
    """
    elements = list(body)
    if not any(True for one in elements for _ in one.iter("{*}anchor")):
        return frozenset()
    placed = list(_placed(elements, styles, page))
    hidden: set[_Element] = set()
    for here in placed:
        for anchor in _anchors(here.element):
            start, end = _extent(anchor, here, page)
            under = [
                one
                for one in placed
                if min(one.start + one.height, end) - max(one.start, start) >= MOSTLY * one.height
            ]
            if sum(one.n_words for one in under) >= FEWEST_WORDS:
                hidden.update(one.element for one in under)
    return frozenset(hidden)


def _placed(elements: Iterable[_Element], styles: Styles, page: Page) -> Iterator[_Placed]:
    at = 0.0
    for one in elements:
        called = name(one)
        if called != "p":
            if called in {"tbl", "sdt"}:
                at += sum(_height(inner, styles, page)[0] for inner in one.iter() if name(inner) == "p")
            continue
        if any(_breaks_page(inner) for inner in one.iter()):
            at = math.ceil(at / page.height) * page.height
        height, n_words = _height(one, styles, page)
        yield _Placed(one, at, height, n_words)
        at += height


def _height(paragraph: _Element, styles: Styles, page: Page) -> tuple[float, int]:
    """Height of a paragraph in points, and its words."""
    properties = within(paragraph, "pPr")
    text = "".join(one.text or "" for one in paragraph.iter() if name(one) == "t")
    sizes = [number(value(one)) / 2 for one in paragraph.iter() if name(one) == "sz"]
    size = max(sizes, default=0.0) or float(styles.paragraph_look(properties).get("size", 11.0))
    letters = max((page.width - styles.indent(properties)) / (LETTER_WIDTH * size), 1.0)
    n_lines = max(math.ceil(len(text) / letters), 1)
    line = number(styles.of_paragraph(properties, "spacing", "line"))
    rule = styles.of_paragraph(properties, "spacing", "lineRule") or "auto"
    high = size * LINE_HEIGHT * (line / 240 if rule == "auto" and line else 1.0)
    if rule != "auto" and line:
        high = line / TWIPS
    around = sum(number(styles.of_paragraph(properties, "spacing", side)) for side in ("before", "after"))
    return n_lines * high + around / TWIPS, len(text.split())


def _breaks_page(element: _Element) -> bool:
    called = name(element)
    return called == "lastRenderedPageBreak" or (called == "br" and value(element, "type") == "page")


def _anchors(paragraph: _Element) -> list[_Element]:
    """Pictures and painted shapes of a paragraph that stand before the text, as wide as its lines or not."""
    return [one for one in _shown(paragraph) if name(one) == "wp:anchor" and _is_in_front(one)]


def _shown(element: _Element) -> Iterator[_Element]:
    """An element and all in it that a program of today shows."""
    yield element
    for one in chosen(element) if name(element) == "mc:AlternateContent" else element:
        yield from _shown(one)


def _is_in_front(anchor: _Element) -> bool:
    if (value(anchor, "behindDoc") or "0").lower() in {"1", "true"} or within(anchor, "wp:wrapNone") is None:
        return False
    uri = value(within(anchor, "a:graphic", "a:graphicData"), "uri") or ""
    if not uri.endswith(_OPAQUE):
        return False
    names = [name(one) for one in anchor.iter()]
    if uri.endswith("/picture"):
        return not any(called.startswith("a:alpha") for called in names)
    return "txbxContent" not in names and "a:solidFill" in names and "a:alpha" not in names


def _extent(anchor: _Element, here: _Placed, page: Page) -> tuple[float, float]:
    """Where a picture begins and ends, as ``_Placed`` counts; nothing where it is narrow or not placed so."""
    size, across, down = (within(anchor, one) for one in ("wp:extent", "wp:positionH", "wp:positionV"))
    width, height = (number(value(size, side)) / EMU for side in ("cx", "cy"))
    offset = within(down, "wp:posOffset") if down is not None else None
    shift = within(across, "wp:posOffset") if across is not None else None
    left = 0.0 if shift is None else number(shift.text) / EMU
    if across is not None and value(across, "relativeFrom") in {"page", "leftMargin"}:
        left -= page.left
    seen = min(left + width, page.width) - max(left, 0.0)
    if offset is None or seen < LEAST_WIDTH * page.width:
        return 0.0, 0.0
    start, of = number(offset.text) / EMU, value(down, "relativeFrom")
    if of in {"page", "margin", "topMargin"}:
        start += here.start // page.height * page.height - (0.0 if of == "margin" else page.top)
    else:
        start += here.start
    return start, start + MOST_BELOW * height
