"""Elements of a page: which end a line, which are never seen, and what part of a document each is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.web.css import Declarations

if TYPE_CHECKING:
    from lxml.html import HtmlElement

UNSEEN = frozenset({
    "script", "style", "template", "noscript", "head", "title", "meta", "link", "svg", "iframe", "object",
    "embed", "audio", "video", "canvas", "select", "datalist", "button", "textarea", "input", "map", "rp",
    "rt",
})  # fmt: skip
"""Elements whose letters are no words of the page."""
BLOCKS = frozenset({
    "html", "body", "address", "article", "aside", "blockquote", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "legend", "li", "main", "menu", "nav", "ol",
    "optgroup", "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "ul", "plaintext", "listing", "xmp",
})  # fmt: skip
"""Elements that end a line before and behind them, as browsers' own style sheet has it."""

_PARTS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Part.HEADING),
    "blockquote": Part.QUOTE,
    "pre": Part.CODE,
    "listing": Part.CODE,
    "xmp": Part.CODE,
    "caption": Part.CAPTION,
    "figcaption": Part.CAPTION,
    "nav": Part.RUNNING,
    "footer": Part.RUNNING,
}
_CLASSES: tuple[tuple[str, Part], ...] = (
    (r"mso(?:title|subtitle|heading)\w*|title|subtitle", Part.HEADING),
    (r"mso(?:intense)?quote\w*|msoblocktext", Part.QUOTE),
    (r"msocaption", Part.CAPTION),
    (r"mso(?:footnote|endnote)text|footnotes?|endnotes?|footnotes-end-of-document", Part.FOOTNOTE),
    (r"mso(?:toc\d|tocheading|tableoffigures)|toc", Part.CONTENTS),
    (r"mso(?:header|footer)", Part.RUNNING),
    (r"msobibliography|references|csl-bib-body|bibliography", Part.REFERENCES),
    (r"gmail_quote.*|moz-cite-prefix|yahoo_quoted", Part.QUOTE),
    (r"block-text.*|quotations.*", Part.QUOTE),
    (r"sourcecode|highlight|source-code.*|preformatted.*", Part.CODE),
)
"""Classes that Word, LibreOffice, pandoc and reference managers write."""
_ROLES = {
    "doc-footnote": Part.FOOTNOTE, "doc-endnote": Part.FOOTNOTE, "doc-endnotes": Part.FOOTNOTE,
    "doc-footnotes": Part.FOOTNOTE, "footnote": Part.FOOTNOTE, "footnotes": Part.FOOTNOTE,
    "endnotes": Part.FOOTNOTE, "rearnotes": Part.FOOTNOTE, "doc-bibliography": Part.REFERENCES,
    "bibliography": Part.REFERENCES, "doc-toc": Part.CONTENTS, "toc": Part.CONTENTS, "heading": Part.HEADING,
    "doc-subtitle": Part.HEADING, "doc-pagebreak": Part.RUNNING, "pagebreak": Part.RUNNING,
    "navigation": Part.RUNNING, "contentinfo": Part.RUNNING, "banner": Part.RUNNING,
}  # fmt: skip
_OUTRANKS = frozenset({Part.RUNNING, Part.CONTENTS, Part.REFERENCES, Part.FOOTNOTE, Part.QUOTE, Part.CODE})
"""What a part is in one of these, it stays."""
_FOR_READERS_ALOUD = re.compile(r"sr-only|visually-?hidden|accesshide|screen-reader-text|visuallyhidden")
_NOTE_BACK = re.compile(r"#(?:_?ftn(?:t_)?ref|_?edn(?:t_)?ref|fnref|sdfootnote\d+anc|sdendnote\d+anc)")
_NOTE_MARK = re.compile(r"\[?(?:\d{1,3}|[ivx]{1,5}|[a-z*\u2020\u2021])\]?")


def part_of(node: HtmlElement, around: Part) -> Part:
    """What an element is, inside one that is ``around``."""
    if around in _OUTRANKS:
        return around
    role = node.get("role") or node.get("epub:type") or ""
    for one in role.split():
        if one in _ROLES:
            return _ROLES[one]
    for one in (node.get("class") or "").lower().split():
        for pattern, part in _CLASSES:
            if re.fullmatch(pattern, one):
                return part
    if node.tag in {"div", "p", "li", "aside"} and _is_note(node):
        return Part.FOOTNOTE
    return _PARTS.get(node.tag, around)


def _is_note(node: HtmlElement) -> bool:
    """Whether an element begins with the link that leads back from a note to its mark."""
    first = node
    for _ in range(6):
        if first.tag == "a":
            return bool(_NOTE_BACK.search(first.get("href") or ""))
        if (first.text or "").strip() or not len(first):
            return False
        first = first[0]
    return False


def skipped(node: HtmlElement, style: Declarations) -> bool:
    """Whether an element's letters are nobody's words: marks of notes and lists, labels for reading aloud."""
    if "noteref" in (node.get("role") or "") + (node.get("epub:type") or ""):
        return True
    if node.tag == "sup":
        return bool(_NOTE_MARK.fullmatch("".join(node.itertext()).strip()))
    if style.get("mso-list") == "ignore":
        return True
    return bool(_FOR_READERS_ALOUD.search((node.get("class") or "").lower()))


def attributes_of(node: HtmlElement) -> Declarations:
    """What attributes of old pages say as styles; style sheets outrank them."""
    style: Declarations = {}
    if node.get("hidden") is not None or (node.tag == "dialog" and node.get("open") is None):
        style["display"] = "none"
    if node.tag == "pre":
        style["white-space"] = "pre"
    if colour := node.get("bgcolor"):
        style["background-color"] = colour.lower()
    if node.get("background"):
        style["background-image"] = "url()"
    letters = node.get("color") if node.tag == "font" else node.get("text") if node.tag == "body" else None
    if letters:
        style["color"] = letters.lower()
    return style
