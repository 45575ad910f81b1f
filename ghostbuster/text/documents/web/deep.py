"""Pages nested deeper than libxml2 follows (2,048 elements), built by Python's own parser of HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from ghostbuster.text.documents.web.parts import BLOCKS

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
_ITEMS = {
    "li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), "tr": ("tr", "td", "th"), "td": ("td", "th"),
    "th": ("td", "th"), "option": ("option",),
}  # fmt: skip
_CLOSES: dict[str, tuple[str, ...]] = dict.fromkeys(BLOCKS, ("p",)) | _ITEMS
"""What an element ends when it begins, if that is the innermost one."""


class _Builder(HTMLParser):
    def __init__(self) -> None:
        from lxml import html

        super().__init__(convert_charrefs=True)
        self.root: HtmlElement = html.Element("html")
        self.open: list[HtmlElement] = [self.root]
        self.n_open: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"html", "body"} or not tag.isalnum():
            return
        while self.open[-1].tag in _CLOSES.get(tag, ()):
            self._close()
        element = self.root.makeelement(tag)
        for name, text in attrs:
            if name.replace("-", "").isalnum() and name.isascii() and name[0].isalpha():
                element.set(name, _clean(text or ""))
        self.open[-1].append(element)
        if tag not in _VOID:
            self.open.append(element)
            self.n_open[tag] = self.n_open.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        if self.n_open.get(tag, 0):
            while self.open[-1].tag != tag:
                self._close()
            self._close()

    def handle_data(self, data: str) -> None:
        last, text = self.open[-1], _clean(data)
        if len(last):
            last[-1].tail = (last[-1].tail or "") + text
        else:
            last.text = (last.text or "") + text

    def _close(self) -> None:
        self.n_open[self.open.pop().tag] -= 1


def deep_tree(source: str) -> HtmlElement:
    """The root of a page, however deep it is."""
    builder = _Builder()
    builder.feed(source)
    builder.close()
    return builder.root


def _clean(text: str) -> str:
    """Without control characters, which no tree takes."""
    return "".join(c for c in text if c >= " " or c in "\t\n\r").encode("utf-8", "replace").decode()
