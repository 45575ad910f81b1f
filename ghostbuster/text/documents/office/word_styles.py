"""What styles of a Word document say of a paragraph's part and of a run's look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.office.names import child, is_on, name, value, within
from ghostbuster.text.documents.office.word_geometry import TWIPS, number
from ghostbuster.text.documents.office.word_theme import Theme, opacity
from ghostbuster.text.documents.sight import LEAST_ALPHA, LEAST_POINTS, Rgb, is_readable, rgb_of_hex
from ghostbuster.text.documents.style_names import part_of_style

if TYPE_CHECKING:
    from lxml.etree import _Element

Look = Mapping[str, Any]
"""``vanish``, ``bold`` (bool), ``colour`` (Rgb, None for automatic), ``behind`` (Rgb), ``size`` (points),
``width`` (share), ``tracking`` (points)."""

LEAST_WIDTH = 0.1
"""Share of their width to which letters can be squeezed and read."""
MOST_CLOSE = -0.4
"""Space between letters, in their size, at which they are set upon each other."""

_HIGHLIGHTS = {
    "black": "000000", "blue": "0000FF", "cyan": "00FFFF", "darkBlue": "000080", "darkCyan": "008080",
    "darkGray": "808080", "darkGreen": "008000", "darkMagenta": "800080", "darkRed": "800000",
    "darkYellow": "808000", "green": "00FF00", "lightGray": "C0C0C0", "magenta": "FF00FF", "red": "FF0000",
    "white": "FFFFFF", "yellow": "FFFF00",
}  # fmt: skip
_MOST_STEPS = 32  # styles that are based on each other in a ring


class Styles:
    """The styles of one document.

    Parameters
    ----------
    root : element or None
        Of ``styles.xml``.
    theme : Theme
    """

    def __init__(self, root: _Element | None, theme: Theme) -> None:
        self.theme = theme
        self._styles: dict[str, _Element] = {}
        self._default = ""
        for style in () if root is None else root:
            if name(style) == "style" and (key := value(style, "styleId")):
                self._styles[key] = style
                if value(style, "type") == "paragraph" and value(style, "default") in {"1", "true"}:
                    self._default = key
        defaults = None if root is None else within(root, "docDefaults", "rPrDefault", "rPr")
        self._defaults = self.own_look(defaults)
        self._paragraphs = None if root is None else within(root, "docDefaults", "pPrDefault", "pPr")

    def part(self, properties: _Element | None) -> Part:
        """What a paragraph is, by its outline level and the names of its style and those that is based on."""
        level = value(child(properties, "outlineLvl"))
        if level is not None and level.isdecimal() and int(level) < 9:  # noqa: PLR2004 - 9 is body text
            return Part.HEADING
        for style in self._chain(value(child(properties, "pStyle"))):
            called = (value(child(style, "name")) or "").lower()
            if (named := part_of_style(called)) is not None:
                return named
            level = value(within(style, "pPr", "outlineLvl"))
            if level is not None and level.isdecimal() and int(level) < 9:  # noqa: PLR2004
                return Part.HEADING
        return Part.PROSE

    def indent(self, properties: _Element | None) -> float:
        """Points from the margin to where the lines of a paragraph begin; 0 for an item of a list."""
        chain = self._chain(value(child(properties, "pStyle")) or self._default)
        names = [(value(child(style, "name")) or "").lower() for style in chain]
        numbered = [properties, *(child(style, "pPr") for style in chain)]
        if any(one.startswith("list") for one in names) or any(
            child(one, "numPr") is not None for one in numbered
        ):
            return 0.0
        left, start = (self.of_paragraph(properties, "ind", side) for side in ("left", "start"))
        return number(left or start) / TWIPS

    def of_paragraph(self, properties: _Element | None, element: str, attribute: str) -> str | None:
        """An attribute of a paragraph's properties, its own or of the styles that it follows."""
        chain = self._chain(value(child(properties, "pStyle")) or self._default)
        given = [properties, *(child(style, "pPr") for style in chain), self._paragraphs]
        found = (value(child(one, element), attribute) for one in given)
        return next((one for one in found if one is not None), None)

    def paragraph_look(self, properties: _Element | None) -> Look:
        """Look of the runs of a paragraph that say nothing themselves."""
        look = dict(self._defaults)
        for style in reversed(self._chain(value(child(properties, "pStyle")) or self._default)):
            look |= self.own_look(child(style, "rPr"))
            look |= self._shade(child(style, "pPr"))
        return look | self._shade(properties)

    def run_look(self, inherited: Look, properties: _Element | None) -> Look:
        """Look of a run."""
        look = dict(inherited)
        for style in reversed(self._chain(value(child(properties, "rStyle")))):
            look |= self.own_look(child(style, "rPr"))
        return look | self.own_look(properties)

    def shades(self, properties: _Element | None) -> bool:
        """Whether the style of a table paints cells in colours that are not worked out here."""
        chain = self._chain(value(child(properties, "tblStyle")))
        return any(name(one) == "shd" for style in chain for one in style.iter())

    def own_look(self, properties: _Element | None) -> dict[str, Any]:
        """What run properties say themselves."""
        look: dict[str, Any] = {}
        for one in () if properties is None else properties:
            called = name(one)
            if called == "color":
                look["colour"] = self.theme.of(one)
            elif called == "shd":
                look |= self.fill(one)
            elif called == "w14:textFill":
                look |= self._painted(one)
            elif (read := _PROPERTIES.get(called)) is not None:
                look |= read(one)
        return look

    def fill(self, shade: _Element | None) -> dict[str, Any]:
        """The colour that shading paints; none for patterns, and for what says nothing."""
        if shade is None:
            return {}
        if value(shade) not in {None, "clear", "nil"}:
            solid = value(shade) == "solid"
            return {"behind": self.theme.of(shade, plain="color") if solid else None}
        painted = self.theme.of(shade, "themeFill", "fill")
        unknown = value(shade, "themeFill") is not None
        return {"behind": painted} if painted is not None or unknown else {}

    def _shade(self, properties: _Element | None) -> dict[str, Any]:
        return self.fill(child(properties, "shd"))

    def _painted(self, fill: _Element) -> dict[str, Any]:
        """How letters are filled: Word paints them so, whatever colour they have."""
        solid = child(fill, "w14:solidFill")
        if child(fill, "w14:noFill") is not None or opacity(solid) <= LEAST_ALPHA:
            return {"vanish": True}
        return {} if solid is None else {"colour": self.theme.of_drawing(solid)}

    def _chain(self, key: str | None) -> list[_Element]:
        """A style, then what it is based on."""
        found: list[_Element] = []
        while key in self._styles and len(found) < _MOST_STEPS:
            found.append(self._styles[key])
            key = value(child(found[-1], "basedOn"))
        return found


def _marked(pen: str) -> dict[str, Any]:
    return {"behind": rgb_of_hex(_HIGHLIGHTS[pen])} if pen in _HIGHLIGHTS else {}


_PROPERTIES: dict[str, Callable[[_Element], dict[str, Any]]] = {
    "vanish": lambda one: {"vanish": is_on(one)},
    "b": lambda one: {"bold": is_on(one)},
    "sz": lambda one: {"size": number(value(one)) / 2},
    "w": lambda one: {"width": number(value(one)) / 100},
    "spacing": lambda one: {"tracking": number(value(one)) / TWIPS},
    "highlight": lambda one: _marked(value(one) or ""),
}
"""What properties of a run say of its look, whatever the theme."""


def is_hidden(look: Look, page: Rgb | None) -> bool:
    """Whether nobody sees a run; ``page`` is the colour behind its paragraph, None where not known."""
    size = look.get("size", 11.0)
    if look.get("vanish") or 0 < size <= LEAST_POINTS or 0 < look.get("width", 1.0) <= LEAST_WIDTH:
        return True
    if look.get("tracking", 0.0) <= MOST_CLOSE * size:
        return True
    colour, behind = look.get("colour"), look.get("behind", page)
    return colour is not None and behind is not None and not is_readable(colour, behind)
