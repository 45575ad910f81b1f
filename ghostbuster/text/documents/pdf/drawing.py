"""A page as PDFium draws it: whether letters show, or lie outside, under something, or in its colour."""

from __future__ import annotations

import ctypes
import math
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.text.documents.sight import Rgb, is_readable

MOST_PIXELS = 1600
"""Of the longer side of a page's drawing: one a point, for pages of paper."""
PLAIN_LEVELS = 90
"""Of 255: dark letters with pixels that much brighter around them are plain to see."""
FEWEST_LEVELS = 10
"""Of 255: a drawing in which no pixel differs by more is blank."""
DARK = 0.4
"""Of the brightest channel of a colour that is nearly black."""
SCAN_SHARE = 0.5
"""Of a page: pictures that cover as much are the page."""
INVISIBLE = 3
"""Mode of letters that are neither filled nor stroked (PDF 32000-1, 9.3.6)."""
_RECTANGLE = 5  # segments of its path at most

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points."""
Pixels = npt.NDArray[np.uint8]


class Drawing:
    """A page, drawn.

    Parameters
    ----------
    page : pypdfium2.PdfPage

    Attributes
    ----------
    order : dict of int to int
        Address of each thing on the page to when it is painted.
    is_picture : bool
        Whether pictures cover the page.
    """

    def __init__(self, page: Any) -> None:
        from pypdfium2 import raw

        self._raw, self._page = raw, page
        left, bottom, right, top = page.get_bbox()
        self._box = (left, bottom, right, top)
        self.order: dict[int, int] = {}
        self._covers: list[tuple[int, Box]] = []
        self._texts: list[Any] = []
        self.is_picture = self._look_at_objects() >= SCAN_SHARE * (right - left) * (top - bottom)
        self._scale = min(1.0, MOST_PIXELS / max(right - left, top - bottom, 1.0))
        self._drawn = self._draw()
        self._brightest = self._drawn.max(axis=2)

    def _look_at_objects(self) -> float:
        """What is painted after what, and what may lie over letters; the area of pictures."""
        raw, n, pictures = self._raw, 0, 0.0
        for thing in self._page.get_objects(max_depth=8):
            n += thing.level == 0
            self.order[address(thing.raw)] = n
            if thing.type == raw.FPDF_PAGEOBJ_TEXT:
                self._texts.append(thing.raw)
            is_picture = thing.type == raw.FPDF_PAGEOBJ_IMAGE
            if thing.level == 0 and (is_picture or self._is_surface(thing)):
                x0, y0, x1, y1 = bounds = thing.get_bounds()
                self._covers.append((n, bounds))
                pictures += is_picture * max(x1 - x0, 0) * max(y1 - y0, 0)
        return pictures

    def _is_surface(self, thing: Any) -> bool:
        """Whether a thing is a filled rectangle."""
        raw, fill, stroke = self._raw, ctypes.c_int(), ctypes.c_int()
        if thing.type != raw.FPDF_PAGEOBJ_PATH:
            return False
        raw.FPDFPath_GetDrawMode(thing.raw, fill, stroke)
        return bool(fill.value) and raw.FPDFPath_CountSegments(thing.raw) <= _RECTANGLE

    def _draw(self) -> Pixels:
        turned = -self._page.get_rotation() % 360
        bitmap = self._page.render(scale=self._scale, rotation=turned, rev_byteorder=True)
        pixels: Pixels = np.array(bitmap.to_numpy()[:, :, :3])
        bitmap.close()
        return pixels

    @cached_property
    def _without_letters(self) -> Pixels:
        """The page with all its letters left out."""
        raw = self._raw
        modes = [raw.FPDFTextObj_GetTextRenderMode(text) for text in self._texts]
        for text in self._texts:
            raw.FPDFTextObj_SetTextRenderMode(text, INVISIBLE)
        drawn = self._draw()
        for text, mode in zip(self._texts, modes, strict=True):
            raw.FPDFTextObj_SetTextRenderMode(text, mode)
        return drawn

    def shows(self, box: Box, colour: Rgb | None, order: int) -> bool:
        """Whether a letter is on the page, under nothing, and differs from what is around it.

        Parameters
        ----------
        box : tuple
        colour : Rgb or None
            Of the letter, where it has one.
        order : int
            When it is painted.
        """
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        left, bottom, right, top = self._box
        if not (left <= x <= right and bottom <= y <= top):
            return False
        part = self._part(box, 1)
        under = any(n > order and c[0] <= x <= c[2] and c[1] <= y <= c[3] for n, c in self._covers)
        if under and not self._changes(part):
            return False
        bright = self._brightest[part]
        span = int(bright.max()) - int(bright.min()) if bright.size else 0
        if span >= PLAIN_LEVELS and colour is not None and max(colour) <= DARK:
            return True
        if span < FEWEST_LEVELS and not self._differs(part):
            return False
        if colour is None:
            return True
        around = self._drawn[self._part(box, 4)].reshape(-1, 3)
        behind = np.median(around, axis=0) / 255
        return is_readable(colour, (float(behind[0]), float(behind[1]), float(behind[2])))

    def _changes(self, part: tuple[slice, slice]) -> bool:
        """Whether letters change what is drawn there: they do not where a picture hides them."""
        before, after = (one[part].astype(np.int16) for one in (self._without_letters, self._drawn))
        return before.size > 0 and int(np.abs(before - after).max()) >= FEWEST_LEVELS

    def _differs(self, part: tuple[slice, slice]) -> bool:
        """Whether pixels differ in hue where they do not in brightness."""
        pixels = self._drawn[part].reshape(-1, 3).astype(np.int16)
        return pixels.size > 0 and int((pixels.max(axis=0) - pixels.min(axis=0)).max()) >= FEWEST_LEVELS

    def _part(self, box: Box, margin: int) -> tuple[slice, slice]:
        """Rows and columns of a box in the drawing, and some around it."""
        left, _, _, top = self._box
        x0, x1 = (box[0] - left) * self._scale, (box[2] - left) * self._scale
        y0, y1 = (top - box[3]) * self._scale, (top - box[1]) * self._scale
        rows = slice(max(int(y0) - margin, 0), max(math.ceil(y1) + margin, 0))
        return rows, slice(max(int(x0) - margin, 0), max(math.ceil(x1) + margin, 0))


def address(thing: Any) -> int:
    """Where a thing of PDFium lies: the same for the same thing."""
    return ctypes.cast(thing, ctypes.c_void_p).value or 0
