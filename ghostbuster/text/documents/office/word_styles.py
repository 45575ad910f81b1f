"""What styles of a Word document say of a paragraph's part and of a run's look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.office.names import child, is_on, name, value, within
from ghostbuster.text.documents.sight import LEAST_POINTS, Rgb, is_readable, rgb_of_hex
from ghostbuster.text.documents.style_names import part_of_style

if TYPE_CHECKING:
    from lxml.etree import _Element

Look = Mapping[str, Any]
"""``vanish``, ``bold`` (bool), ``colour`` (Rgb, None for automatic), ``behind`` (Rgb), ``size`` (points)."""

_HIGHLIGHTS = {
    "black": "000000", "blue": "0000FF", "cyan": "00FFFF", "darkBlue": "000080", "darkCyan": "008080",
    "darkGray": "808080", "darkGreen": "008000", "darkMagenta": "800080", "darkRed": "800000",
    "darkYellow": "808000", "green": "00FF00", "lightGray": "C0C0C0", "magenta": "FF00FF", "red": "FF0000",
    "white": "FFFFFF", "yellow": "FFFF00",
}  # fmt: skip
_THEME = {"background1": "FFFFFF", "light1": "FFFFFF", "text1": "000000", "dark1": "000000"}
_MOST_STEPS = 32  # styles that are based on each other in a ring


class Styles:
    """The styles of one document.

    Parameters
    ----------
    root : element or None
        Of ``styles.xml``.
    """

    def __init__(self, root: _Element | None) -> None:
        self._styles: dict[str, _Element] = {}
        self._default = ""
        for style in () if root is None else root:
            if name(style) == "style" and (key := value(style, "styleId")):
                self._styles[key] = style
                if value(style, "type") == "paragraph" and value(style, "default") in {"1", "true"}:
                    self._default = key
        defaults = None if root is None else within(root, "docDefaults", "rPrDefault", "rPr")
        self._defaults = own_look(defaults)

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

    def paragraph_look(self, properties: _Element | None) -> Look:
        """Look of the runs of a paragraph that say nothing themselves."""
        look = dict(self._defaults)
        for style in reversed(self._chain(value(child(properties, "pStyle")) or self._default)):
            look |= own_look(child(style, "rPr"))
            look |= _shade(child(style, "pPr"))
        return look | _shade(properties)

    def run_look(self, inherited: Look, properties: _Element | None) -> Look:
        """Look of a run."""
        look = dict(inherited)
        for style in reversed(self._chain(value(child(properties, "rStyle")))):
            look |= own_look(child(style, "rPr"))
        return look | own_look(properties)

    def shades(self, properties: _Element | None) -> bool:
        """Whether the style of a table paints cells in colours that are not worked out here."""
        chain = self._chain(value(child(properties, "tblStyle")))
        return any(name(one) == "shd" for style in chain for one in style.iter())

    def _chain(self, key: str | None) -> list[_Element]:
        """A style, then what it is based on."""
        found: list[_Element] = []
        while key in self._styles and len(found) < _MOST_STEPS:
            found.append(self._styles[key])
            key = value(child(found[-1], "basedOn"))
        return found


def own_look(properties: _Element | None) -> dict[str, Any]:
    """What run properties say themselves."""
    look: dict[str, Any] = {}
    for one in () if properties is None else properties:
        if (read := _PROPERTIES.get(name(one))) is not None:
            look |= read(one)
    return look


_PROPERTIES: dict[str, Callable[[_Element], dict[str, Any]]] = {
    "vanish": lambda one: {"vanish": is_on(one)},
    "b": lambda one: {"bold": is_on(one)},
    "color": lambda one: {"colour": _colour(one)},
    "sz": lambda one: {"size": _number(value(one)) / 2},
    "highlight": lambda one: _marked(value(one) or ""),
    "shd": lambda one: dict(_fill(one)),
    "w14:textFill": lambda one: {} if child(one, "w14:noFill") is None else {"vanish": True},
}
"""What each property of a run says of its look."""


def _marked(pen: str) -> dict[str, Any]:
    return {"behind": rgb_of_hex(_HIGHLIGHTS[pen])} if pen in _HIGHLIGHTS else {}


def is_hidden(look: Look, page: Rgb | None) -> bool:
    """Whether nobody sees a run; ``page`` is the colour behind its paragraph, None where not known."""
    if look.get("vanish") or 0 < look.get("size", 11.0) <= LEAST_POINTS:
        return True
    colour, behind = look.get("colour"), look.get("behind", page)
    return colour is not None and behind is not None and not is_readable(colour, behind)


def _colour(element: _Element) -> Rgb | None:
    """None for automatic: that is black or white, as can be read."""
    given = value(element)
    themed = _THEME.get(value(element, "themeColor") or "")
    return rgb_of_hex(given) or (rgb_of_hex(themed) if given in {None, "auto"} else None)


def _shade(properties: _Element | None) -> dict[str, Any]:
    shade = child(properties, "shd")
    return {} if shade is None else _fill(shade)


def _fill(shade: _Element) -> dict[str, Any]:
    """The colour that shading paints; none for patterns, and for what says nothing."""
    if value(shade) not in {None, "clear", "nil"}:
        return {"behind": rgb_of_hex(value(shade, "color")) if value(shade) == "solid" else None}
    fill = rgb_of_hex(value(shade, "fill"))
    return {} if fill is None else {"behind": fill}


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
