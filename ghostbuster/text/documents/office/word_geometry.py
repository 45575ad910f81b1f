"""Places on a page of Word: what lies beside it, or in a row too low for a letter, is not seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghostbuster.text.documents.office.names import child, name, value, within
from ghostbuster.text.documents.office.word_theme import Theme
from ghostbuster.text.documents.sight import LEAST_POINTS, WHITE, Rgb, rgb_of_hex

if TYPE_CHECKING:
    from lxml.etree import _Element

TWIPS = 20.0
"""In a point."""
EMU = 12_700.0
"""English metric units in a point."""
LETTER = 612.0
"""Points of a page that says nothing of its width."""
_SHIFT = re.compile(r"(?:margin-left|margin-top|left|top)\s*:\s*(-?[\d.]+)(pt|in|px|cm|mm)?")
_POINTS = {"pt": 1.0, "in": 72.0, "px": 0.75, "cm": 28.35, "mm": 2.835, None: 0.75}


def page_width(root: _Element) -> float:
    """Width of the widest page, in points."""
    widths = [number(value(one, "w")) / TWIPS for one in root.iter() if name(one) == "pgSz"]
    return max([*widths, 0.0]) or LETTER


def is_out_of_sight(properties: _Element | None, page: float) -> bool:
    """Whether a paragraph stands beside its page, or in lines too low for a letter."""
    indent, spacing = child(properties, "ind"), child(properties, "spacing")
    left = number(value(indent, "left") or value(indent, "start")) / TWIPS
    right = number(value(indent, "right") or value(indent, "end")) / TWIPS
    flat = value(spacing, "lineRule") == "exact" and _is_low(value(spacing, "line"))
    return flat or left >= page or left <= -page or right <= -2 * page or _is_framed_away(properties, page)


def _is_framed_away(properties: _Element | None, page: float) -> bool:
    """Whether a paragraph stands in a frame of its own that is beside its page, or too low for a letter."""
    frame = child(properties, "framePr")
    across, down = (number(value(frame, side)) / TWIPS for side in ("x", "y"))
    flat = value(frame, "hRule") == "exact" and _is_low(value(frame, "h"))
    return flat or abs(across) >= page or abs(down) >= 2 * page


def is_flat(properties: _Element | None) -> bool:
    """Whether a row of a table is too low for a letter."""
    height = child(properties, "trHeight")
    return value(height, "hRule") == "exact" and _is_low(value(height))


def is_table_away(properties: _Element | None, page: float) -> bool:
    """Whether a table stands beside its page."""
    indent = number(value(child(properties, "tblInd"), "w")) / TWIPS
    place = number(value(child(properties, "tblpPr"), "tblpX")) / TWIPS
    return any(abs(one) >= page for one in (indent, place))


def is_off_page(element: _Element, page: float) -> bool:
    """Whether a drawing is hidden, or lies beside its page."""
    called = name(element)
    if called == "wp:anchor":
        return _is_anchored_away(element, page)
    if called.startswith("v:"):
        style = (element.get("style") or "").lower()
        shifts = [float(n) * _POINTS[unit or None] for n, unit in _shifts(style)]
        return "visibility:hidden" in style.replace(" ", "") or any(abs(one) >= 2 * page for one in shifts)
    return called == "wp:inline" and _is_unshown(element)


def painted(element: _Element, behind: Rgb | None, theme: Theme) -> Rgb | None:
    """What is behind the text of a shape; None where that is not known."""
    called = name(element)
    if called == "wps:wsp":
        properties = child(element, "wps:spPr")
        fill = theme.of_drawing(within(element, "wps:spPr", "a:solidFill"))
        clear = child(properties, "a:noFill") is not None
        plain = child(element, "wps:style") is None and child(properties, "a:solidFill") is None
        other = any(
            child(properties, f"a:{kind}") is not None for kind in ("gradFill", "blipFill", "pattFill")
        )
        return fill or (behind if (clear or plain) and not other else None)
    if called in {"v:shape", "v:rect", "v:roundrect", "v:oval"}:
        if (element.get("filled") or "t").lower() in {"f", "false"}:
            return behind
        given = element.get("fillcolor")
        return WHITE if given is None else rgb_of_hex(given.split()[0] if given.strip() else "")
    return behind


def _is_anchored_away(anchor: _Element, page: float) -> bool:
    """Whether a floating drawing begins behind the page's far edge, or ends before its near one."""
    extent = child(anchor, "wp:extent")
    for axis, size in (("wp:positionH", "cx"), ("wp:positionV", "cy")):
        place = child(anchor, axis)
        offset = child(place, "wp:posOffset")
        if offset is None:
            continue
        start = number(offset.text) / EMU
        near = 0.0 if value(place, "relativeFrom") == "page" else -page / 3  # margins are no wider
        if start >= 2 * page or start + number(value(extent, size)) / EMU <= near:
            return True
    return _is_unshown(anchor)


def _is_unshown(drawing: _Element) -> bool:
    """Whether a drawing is hidden, or too small for a letter and does not grow."""
    extent = child(drawing, "wp:extent")
    sides = [number(value(extent, side)) / EMU for side in ("cx", "cy")] if extent is not None else []
    if any(0 < side <= LEAST_POINTS for side in sides) and not any(
        name(one) == "a:spAutoFit" for one in drawing.iter()
    ):
        return True
    return (value(child(drawing, "wp:docPr"), "hidden") or "").lower() in {"1", "true"}


def _is_low(height: str | None) -> bool:
    return 0 < number(height) / TWIPS <= LEAST_POINTS


def _shifts(style: str) -> list[tuple[str, str]]:
    return [(n, unit) for n, unit in _SHIFT.findall(style) if re.fullmatch(r"-?\d+(?:\.\d*)?|-?\.\d+", n)]


def number(text: str | None) -> float:
    """A number of an attribute; 0 for what is none."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
