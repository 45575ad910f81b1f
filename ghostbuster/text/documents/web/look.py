"""How an element of a page looks to a person: shown or not, how large, in what colour on what."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from ghostbuster.text.documents.sight import LEAST_ALPHA, LEAST_POINTS, WHITE, Rgb, is_readable
from ghostbuster.text.documents.web.css import Declarations, colour_of, is_clear

PIXELS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54}
"""Lengths in pixels of 1/96 inch."""
_NAMED_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
    "xx-large": 32.0, "xxx-large": 48.0}  # fmt: skip
_RELATIVE = {"smaller": 1 / 1.2, "larger": 1.2}
_AWAY = 400.0
"""Pixels beside its place where nothing can be seen any more."""
_LENGTH = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z%]*)")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_NO_SIZE = re.compile(r"scale[xy3d]*\(\s*0*\.?0*\s*[,)]|matrix\(\s*0\s*,\s*0\s*,\s*0\s*,\s*0")
_AWAY_SHIFT = re.compile(r"translate[xy3d]*\(([^()]*)\)")
_NOTHING = re.compile(
    r"(?:circle|ellipse)\(\s*0|inset\(\s*(?:[5-9]\d|100)%|polygon\(\s*0[^,]*(?:,\s*0[^,]*)*\)$"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What an element hands down to what it holds.

    Attributes
    ----------
    gone : bool
        Whether nothing in it can be seen, whatever that says of itself.
    hidden : bool
        Whether it is not seen unless it says otherwise (``visibility``).
    size : float
        Of letters, in pixels.
    colour : Rgb or None
        Of letters; None where it shows what is behind, or is not known.
    behind : Rgb or None
        Of the background; None for pictures and what is not known.
    clear : bool
        Whether letters are painted in no colour.
    pre : bool
        Whether line breaks of the source count.
    variables : tuple of (str, str)
        Custom properties.
    """

    gone: bool = False
    hidden: bool = False
    size: float = 16.0
    colour: Rgb | None = (0.0, 0.0, 0.0)
    behind: Rgb | None = WHITE
    clear: bool = False
    pre: bool = False
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def unseen(self) -> bool:
        """Whether nobody sees letters that stand here."""
        if self.gone or self.hidden or self.clear or self.size <= LEAST_POINTS * PIXELS["pt"]:
            return True
        return (
            self.colour is not None and self.behind is not None and not is_readable(self.colour, self.behind)
        )


def styled(look: Look, style: Declarations) -> Look:
    """The look of an element with these declarations inside one of that look."""
    own = {name: text for name, text in style.items() if name.startswith("--")}
    variables = tuple({**dict(look.variables), **own}.items()) if own else look.variables
    if variables:
        known = dict(variables)
        style = {
            name: _VARIABLE.sub(lambda m: known.get(m[1], m[2] or ""), text) for name, text in style.items()
        }
    size = font_size(style, look.size)
    visible = style.get("visibility", "")
    colour, clear = _letters(style, look)
    return replace(
        look,
        gone=look.gone or is_gone(style, size),
        hidden=visible in {"hidden", "collapse"}
        if visible in {"hidden", "collapse", "visible"}
        else look.hidden,
        size=size,
        colour=colour,
        clear=clear,
        behind=_background(style, look.behind),
        pre=style["white-space"].startswith(("pre", "break")) if "white-space" in style else look.pre,
        variables=variables,
    )


def is_gone(style: Declarations, size: float) -> bool:
    """Whether an element and all in it is not shown, or outside what is."""
    get = style.get
    off = get("display") == "none" or get("content-visibility") == "hidden" or get("mso-hide") == "all"
    faint = "opacity" in style and _share(style["opacity"]) <= LEAST_ALPHA
    filtered = re.match(r"opacity\(\s*0?\.?0*%?\s*\)", get("filter", "")) is not None
    return off or faint or filtered or _is_flat(style) or _is_away(style, size) or _is_shut(style, size)


def indent(style: Declarations, size: float) -> float:
    """Points by which an element's lines begin further in than those around it."""
    edges = (length(style.get(name, ""), size) for name in ("margin-left", "padding-left"))
    return sum(edge for edge in edges if edge is not None and edge > 0) / PIXELS["pt"]


def _is_flat(style: Declarations) -> bool:
    """Whether an element is drawn without any extent."""
    nothing = _NOTHING.match(style.get("clip-path", "")) is not None
    return style.get("scale") == "0" or nothing or _NO_SIZE.search(style.get("transform", "")) is not None


def _is_away(style: Declarations, size: float) -> bool:
    """Whether an element is moved to where nobody looks, or cut to nothing where it stands."""
    get = style.get
    shifts = [one for found in _AWAY_SHIFT.findall(get("transform", "")) for one in found.split(",")]
    moved = [*shifts, get("text-indent", ""), get("margin-left", ""), get("margin-top", "")]
    if get("position") in {"absolute", "fixed", "relative"}:
        moved += [get(side, "") for side in ("left", "right", "top", "bottom")]
    if any(_is_far(one, size) for one in moved):
        return True
    edges = [length(one, size) for one in re.findall(r"[-\w.%]+", get("clip", "").partition("(")[2])]
    cut = bool(edges) and all(edge is not None and edge <= 1 for edge in edges)
    return cut and get("position") in {"absolute", "fixed"}


def _is_shut(style: Declarations, size: float) -> bool:
    """Whether an element is too small for what it holds, and cuts that off."""
    cuts = any(
        style.get(name, "").startswith(("hidden", "clip"))
        for name in ("overflow", "overflow-x", "overflow-y")
    )
    if not cuts:
        return False
    sides = [length(style.get(name, ""), size) for name in ("width", "height", "max-width", "max-height")]
    return any(side is not None and side <= 1 for side in sides)


def _is_far(text: str, size: float) -> bool:
    """Whether a shift takes an element to where nobody looks: to the left, or above."""
    shift = length(text, size)
    return shift is not None and shift <= -_AWAY


def _letters(style: Declarations, look: Look) -> tuple[Rgb | None, bool]:
    text = style.get("-webkit-text-fill-color") or style.get("color", "")
    if not text or text in {"inherit", "currentcolor"}:
        return look.colour, look.clear
    if is_clear(text):
        return None, True
    return colour_of(text), False


def _background(style: Declarations, before: Rgb | None) -> Rgb | None:
    """The colour behind an element's letters."""
    text = style.get("background-color") or style.get("background", "")
    picture = style.get("background-image", "") + style.get("background", "")
    if "url(" in picture or "gradient(" in picture:
        return None
    if not text:
        return before
    if text in {"none", "transparent", "inherit", "initial", "unset"} or is_clear(text):
        return before
    found = colour_of(text) or next((c for word in text.split() if (c := colour_of(word))), None)
    return found if found or "background-color" in style else before


def font_size(style: Declarations, before: float) -> float:
    """Size of letters in pixels, from ``font-size`` or ``font``."""
    text = style.get("font-size", "")
    if not text and "font" in style:
        text = next((w.partition("/")[0] for w in style["font"].split() if _is_size(w.partition("/")[0])), "")
    if text in _NAMED_SIZES:
        return _NAMED_SIZES[text]
    if text in _RELATIVE:
        return before * _RELATIVE[text]
    found = length(text, before, of=before)
    return before if found is None else max(found, 0.0)


def _is_size(word: str) -> bool:
    return word in _NAMED_SIZES or bool(re.fullmatch(r"[\d.]+(?:px|pt|pc|in|cm|mm|em|rem|%)|0", word))


def _share(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    if not found:
        return 1.0
    return float(found[1]) / (100 if found[2] == "%" else 1)


@lru_cache(maxsize=4096)
def length(text: str, size: float, of: float = 1000.0) -> float | None:
    """Pixels; percents are of ``of``. None for what is no length."""
    found = _LENGTH.fullmatch(text.strip())
    if not found:
        return None
    units = PIXELS | {"em": size, "ch": size / 2, "ex": size / 2, "rem": 16.0, "%": of / 100, "": 1.0}
    units |= dict.fromkeys(("vw", "vh", "vmin", "vmax"), 10.0)
    return float(found[1]) * units[found[2]] if found[2] in units else None
