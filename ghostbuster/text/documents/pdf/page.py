"""Letters of a page with their places, by PDFium; those that nobody sees are told apart.

Whether letters show is asked of the page as it is drawn: where a word stands, something has to be there, in a
colour that differs from what is around it.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ghostbuster.text.documents.pdf.drawing import Box, Drawing, address
from ghostbuster.text.documents.sight import LEAST_ALPHA, LEAST_POINTS, Rgb

if TYPE_CHECKING:
    import pypdfium2

_INVISIBLE = frozenset({3, 7})  # PDF 32000-1, 9.3.6: neither fill nor stroke
_STROKED = frozenset({1, 5})
_HYPHEN_MARK = 2  # how PDFium spells a hyphen that ends a line


@dataclass(slots=True)
class Letter:
    """A letter; places are points from the page's lower left corner, as it is read.

    Attributes
    ----------
    text : str
    x0, x1, y : float
        Its left, its right, its baseline.
    size : float
        Of its font.
    bold, mono : bool
    seen : bool
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool = False
    mono: bool = False
    seen: bool = True


@dataclass(frozen=True, slots=True)
class _Run:
    """What letters of one text object share."""

    unseen: bool
    colour: Rgb | None
    bold: bool
    mono: bool
    order: int


@dataclass(frozen=True)
class PageLetters:
    """The letters of a page in the order of the file.

    Attributes
    ----------
    letters : list of Letter
    width, height : float
        Points.
    is_picture : bool
        Whether a picture covers the page.
    """

    letters: list[Letter]
    width: float
    height: float
    is_picture: bool


def letters_of(page: pypdfium2.PdfPage) -> PageLetters:
    """All letters of a page."""
    width, height = page.get_size()
    textpage = page.get_textpage()
    reader = _Reader(page, textpage)
    found = list(reader.letters())
    _hide_blank_words(found)
    letters = [one for one, _ in found]
    turned = _turned(found)
    if turned:
        _turn(letters, [box for _, (_angle, box) in found], turned)
        if turned % 2:
            width, height = height, width
    return PageLetters(letters, width, height, reader.drawing.is_picture)


class _Reader:
    """A page while its letters are taken."""

    def __init__(self, page: Any, textpage: Any) -> None:
        from pypdfium2 import raw

        self.raw, self.textpage = raw, textpage
        self.runs: dict[int, _Run] = {}
        self.drawing = Drawing(page)

    def letters(self) -> Iterator[tuple[Letter, tuple[float, Box]]]:
        """Each letter with its angle (radians) and its box."""
        raw, textpage = self.raw, self.textpage.raw
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        x, y, loose = ctypes.c_double(), ctypes.c_double(), raw.FS_RECTF()
        for i in range(raw.FPDFText_CountChars(textpage)):
            code = raw.FPDFText_GetUnicode(textpage, i)
            if code == 0 or raw.FPDFText_IsGenerated(textpage, i) == 1:
                continue
            raw.FPDFText_GetCharBox(textpage, i, left, right, bottom, top)
            raw.FPDFText_GetLooseCharBox(textpage, i, loose)
            raw.FPDFText_GetCharOrigin(textpage, i, x, y)
            angle = raw.FPDFText_GetCharAngle(textpage, i)
            box = (left.value, bottom.value, right.value, top.value)
            upright = abs(math.sin(angle)) < 0.5  # noqa: PLR2004 - nearer to level
            tall = (loose.top - loose.bottom) if upright else (loose.right - loose.left)
            size = max(tall / 1.15, 0.0)  # of a font, ascent and descent together are somewhat more
            run = self._run(raw.FPDFText_GetTextObject(textpage, i))
            text = _spelled(code)
            large = size > LEAST_POINTS and not run.unseen and not text.isspace()
            seen = large and self.drawing.shows(box, run.colour, run.order)
            letter = Letter(
                text, loose.left, loose.right, y.value, size, run.bold, run.mono, seen or text.isspace()
            )
            yield letter, (angle, box)

    def _run(self, thing: Any) -> _Run:
        key = address(thing)
        if key not in self.runs:
            self.runs[key] = self._made(thing, self.drawing.order.get(key, 0))
        return self.runs[key]

    def _made(self, thing: Any, order: int) -> _Run:
        raw = self.raw
        if not thing:
            return _Run(False, None, False, False, order)
        mode = raw.FPDFTextObj_GetTextRenderMode(thing)
        ask = raw.FPDFPageObj_GetStrokeColor if mode in _STROKED else raw.FPDFPageObj_GetFillColor
        found = self._colour(thing, ask)
        clear = found is not None and found[1] <= LEAST_ALPHA and mode in {0, *_STROKED}
        colour = None if found is None or found[1] < 1 or mode == 2 else found[0]  # noqa: PLR2004 - both
        font = raw.FPDFTextObj_GetFont(thing)
        name = _font_name(raw, font).lower()
        bold = "bold" in name or "black" in name or raw.FPDFFont_GetWeight(font) >= 600  # noqa: PLR2004
        mono = bool(raw.FPDFFont_GetFlags(font) & 1) or any(
            word in name for word in ("courier", "mono", "consol")
        )
        return _Run(mode in _INVISIBLE or clear, colour, bold, mono, order)

    def _colour(self, thing: Any, ask: Any) -> tuple[Rgb, float] | None:
        channels = [ctypes.c_uint() for _ in range(4)]
        if not ask(thing, *channels):
            return None
        red, green, blue, alpha = (channel.value / 255 for channel in channels)
        return (red, green, blue), alpha


def _hide_blank_words(found: list[tuple[Letter, Any]]) -> None:
    """Marks take few pixels: what is blank among letters that show, shows."""
    start = 0
    for end in range(len(found) + 1):
        if end < len(found) and not found[end][0].text.isspace():
            continue
        word = [letter for letter, _ in found[start:end]]
        shown = sum(letter.seen for letter in word)
        for letter in word:
            if not letter.text.isalnum():
                letter.seen = 2 * shown >= len(word) or (letter.seen and len(word) == 1)
        start = end + 1


def _turned(found: list[tuple[Letter, tuple[float, Box]]]) -> int:
    """Quarter turns, against the clock, of most letters of a page."""
    quarters = [round(angle / (math.pi / 2)) % 4 for _, (angle, _box) in found]
    turned = max(set(quarters), key=quarters.count) if quarters else 0
    if turned % 2:  # upwards or downwards: that shows in how letters follow each other
        steps = [after[1][1][1] - before[1][1][1] for before, after in pairwise(found)]
        return 1 if sum(step > 0 for step in steps) > len(steps) / 2 else 3
    return turned


def _turn(letters: list[Letter], boxes: list[Box], quarters: int) -> None:
    """Lay letters level that stand on their side."""
    for letter, (x0, y0, x1, y1) in zip(letters, boxes, strict=True):
        if quarters == 1:
            letter.x0, letter.x1, letter.y = y0, y1, -x1
        elif quarters == 3:  # noqa: PLR2004
            letter.x0, letter.x1, letter.y = -y1, -y0, x0
        else:
            letter.x0, letter.x1, letter.y = -x1, -x0, -letter.y


def _spelled(code: int) -> str:
    if code == _HYPHEN_MARK:
        return "-"
    text = chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004
    return unicodedata.normalize("NFKC", text) if "\ufb00" <= text <= "\ufb06" else text


def _font_name(raw: Any, font: Any) -> str:
    size = raw.FPDFFont_GetBaseFontName(font, None, 0)
    if not 0 < size < 512:  # noqa: PLR2004
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFFont_GetBaseFontName(font, buffer, size)
    return buffer.value.decode("utf-8", "replace")
