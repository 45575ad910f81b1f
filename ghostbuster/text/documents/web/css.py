"""Style sheets of a page, as far as they decide what is seen: which declarations hold for an element.

Parsed by ``tinycss2`` and matched by ``cssselect2``, as WeasyPrint does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ghostbuster.text.documents.sight import LEAST_ALPHA, Rgb

if TYPE_CHECKING:
    from cssselect2 import ElementWrapper, Matcher

SEEN = frozenset({
    "display", "visibility", "opacity", "font-size", "font", "color", "background", "background-color",
    "background-image", "position", "left", "right", "top", "bottom", "text-indent", "margin-left",
    "margin-top", "clip", "clip-path", "overflow", "overflow-x", "overflow-y", "width", "height",
    "max-width", "max-height", "transform", "white-space", "-webkit-text-fill-color", "content-visibility",
    "mso-hide", "mso-list", "filter", "line-height", "scale", "margin", "padding", "padding-left",
})  # fmt: skip
"""Properties that are looked at, and custom ones (``--x``)."""
MOST_RULES = 20_000
"""Rules of all style sheets of a page that are looked at; those of large sites have some thousand."""

Declarations = dict[str, str]
"""Property to value, in lower case."""


class Sheets:
    """All style sheets inside a page.

    Parameters
    ----------
    sheets : iterable of str
        In the order of the page.
    """

    def __init__(self, sheets: Iterable[str]) -> None:
        from cssselect2 import Matcher

        self._matcher: Matcher = Matcher()
        self._n_rules = 0
        for sheet in sheets:
            self._add(_rules(sheet))

    def _add(self, rules: Iterable[Any]) -> None:
        from cssselect2 import SelectorError, compile_selector_list

        for rule in rules:
            normal, important = declarations(rule.content)
            if not normal and not important:
                continue
            self._n_rules += 1
            if self._n_rules > MOST_RULES:
                return
            try:
                selectors = compile_selector_list(rule.prelude)
            except SelectorError:
                continue
            for selector in selectors:
                if not selector.never_matches and selector.pseudo_element is None:
                    self._matcher.add_selector(selector, (normal, important))

    def of(self, element: ElementWrapper) -> Declarations:
        """What holds for an element: sheets, its own style, then what is marked important in either."""
        normal: Declarations = {}
        important: Declarations = {}
        for match in self._matcher.match(element):
            normal |= match[-1][0]
            important |= match[-1][1]
        own = element.etree_element.get("style")
        if own:
            ordinary, urgent = declarations(own)
            normal |= ordinary
            important |= urgent
        return normal | important


def declarations(content: Any) -> tuple[Declarations, Declarations]:
    """Declarations of a block that bear on what is seen: ordinary ones, and those marked important."""
    import tinycss2

    ordinary: Declarations = {}
    important: Declarations = {}
    for one in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type == "declaration" and (one.lower_name in SEEN or one.name.startswith("--")):
            text = tinycss2.serialize(one.value).strip().lower()
            (important if one.important else ordinary).update(_written_out(one.lower_name, text))
    return ordinary, important


def _written_out(name: str, text: str) -> Declarations:
    """A declaration of all four sides as those of the sides that are looked at: top, right, bottom, left."""
    if name not in {"margin", "padding"} or "(" in text:
        return {name: text}
    sides = text.split() or ["0"]
    left = sides[3] if len(sides) > 3 else sides[1 % len(sides)]  # noqa: PLR2004
    return {f"{name}-left": left, **({"margin-top": sides[0]} if name == "margin" else {})}


def _rules(sheet: str) -> Iterator[Any]:
    """Rules that hold on a screen."""
    import tinycss2

    waiting = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)[::-1]
    while waiting:
        rule = waiting.pop()
        if rule.type == "qualified-rule":
            yield rule
        elif rule.type == "at-rule" and rule.content is not None and _on_screen(rule):
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            waiting += inner[::-1]


def _on_screen(rule: Any) -> bool:
    import tinycss2

    said = tinycss2.serialize(rule.prelude).lower()
    if rule.lower_at_keyword == "media":
        return shows_on_screen(said)
    return rule.lower_at_keyword in {"supports", "layer", "container"}


def shows_on_screen(media: str) -> bool:
    """Whether a media query may hold on a screen."""
    queries = [one.strip() for one in media.lower().split(",")] or [""]
    return any(
        not one or one.startswith(("all", "screen", "only screen", "(", "not print")) for one in queries
    )


def colour_of(text: str) -> Rgb | None:
    """An opaque colour; None for one that shows what is behind it, and for what is no colour."""
    found = _parsed(text)
    return None if found is None or found[3] < 1 else found[:3]


def is_clear(text: str) -> bool:
    """Whether a colour does not show at all."""
    found = _parsed(text)
    return found is not None and found[3] <= LEAST_ALPHA


def _parsed(text: str) -> tuple[float, float, float, float] | None:
    from tinycss2.color4 import parse_color

    found = parse_color(text) if text else None
    if found is None or found == "currentcolor" or isinstance(found, str):
        return None
    red, green, blue = found.to("srgb").coordinates
    return float(red or 0), float(green or 0), float(blue or 0), float(found.alpha)
