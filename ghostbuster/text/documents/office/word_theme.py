"""Colours of Word: written out, or by their name in the document's theme, lighter or darker."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ghostbuster.text.documents.office.names import child, inside, name, value, within
from ghostbuster.text.documents.sight import WHITE, Rgb, rgb_of_hex

if TYPE_CHECKING:
    from lxml.etree import _Element

BLACK: Rgb = (0.0, 0.0, 0.0)
_IN_THEME = {
    "dk1": "dark1", "lt1": "light1", "dk2": "dark2", "lt2": "light2", "hlink": "hyperlink",
    "folHlink": "followedHyperlink",
}  # fmt: skip
"""Names of colours in a theme, to those that a document calls them by."""
_ROLES = {"t1": "dark1", "bg1": "light1", "t2": "dark2", "bg2": "light2"}
"""Which of them text and background are, unless the document's settings say otherwise."""
_CALLED = {
    "text1": "t1", "tx1": "t1", "background1": "bg1", "text2": "t2", "tx2": "t2", "background2": "bg2",
}  # fmt: skip
"""What documents and drawings call these."""


class Theme:
    """The colours of a document's theme.

    Parameters
    ----------
    root : element or None
        Of ``theme1.xml``.
    settings : element or None
        Of ``settings.xml``, which may give text and background other colours.
    """

    def __init__(self, root: _Element | None = None, settings: _Element | None = None) -> None:
        self._colours: dict[str, Rgb] = {"dark1": BLACK, "light1": WHITE}
        scheme = None if root is None else within(root, "a:themeElements")
        for one in inside(scheme, "a:clrScheme"):
            called = name(one).removeprefix("a:")
            given = next((value(shown, "lastClr") or value(shown) for shown in one), None)
            if (rgb := rgb_of_hex(given)) is not None:
                self._colours[_IN_THEME.get(called, called)] = rgb
        mapping = child(settings, "clrSchemeMapping")
        self._roles = {role: value(mapping, role) or usual for role, usual in _ROLES.items()}

    def named(self, called: str | None) -> Rgb | None:
        """A colour by its name, in a document's (``background1``) or a drawing's words (``bg1``)."""
        role = _CALLED.get(called or "", called or "")
        known = self._roles.get(role, role)
        return self._colours.get(_IN_THEME.get(known, known))

    def of(self, element: _Element | None, prefix: str = "themeColor", plain: str = "val") -> Rgb | None:
        """The colour that an element of a document names; None for automatic and what is not known.

        Parameters
        ----------
        element : element or None
        prefix : {"themeColor", "themeFill"}
            Attribute that names it by the theme.
        plain : str
            Attribute that writes it out, which the theme outranks.
        """
        if element is None:
            return None
        by_theme = self.named(value(element, prefix))
        if by_theme is None:
            return rgb_of_hex(value(element, plain))
        start = prefix.removesuffix("Color")
        tint, shade = (_share(value(element, start + which)) for which in ("Tint", "Shade"))
        return shaded(by_theme, tint, shade)

    def of_drawing(self, fill: _Element | None) -> Rgb | None:
        """The colour that a fill of a drawing names; None for one that is made lighter or darker there."""
        for one in _colours_in(fill):
            if _local(one) == "srgbClr":
                return rgb_of_hex(value(one))
            return None if any(_local(by) != "alpha" for by in one) else self.named(value(one))
        return None


def shaded(colour: Rgb, tint: float | None, shade: float | None) -> Rgb:
    """A colour made lighter or darker, as ECMA-376 part 1 defines it (17.3.2.6), by its lightness."""
    hue, light, saturation = colorsys.rgb_to_hls(*colour)
    if shade is not None:
        light *= shade
    if tint is not None:
        light = light * tint + (1 - tint)
    return colorsys.hls_to_rgb(hue, light, saturation)


def opacity(fill: _Element | None) -> float:
    """Share of light that a fill of letters stops: 1 where it says nothing of that."""
    for one in _colours_in(fill):
        through = next((value(by) for by in one if _local(by) == "alpha"), None)
        if through is not None and through.isdecimal():
            return 1 - int(through) / 100_000
    return 1.0


def _colours_in(fill: _Element | None) -> Iterator[_Element]:
    for one in () if fill is None else fill:
        if _local(one) in {"srgbClr", "schemeClr"}:
            yield one


def _local(element: _Element) -> str:
    return name(element).rpartition(":")[2]


def _share(digits: str | None) -> float | None:
    """Two hexadecimal digits as a share."""
    try:
        return None if digits is None else int(digits, 16) / 255
    except ValueError:
        return None
