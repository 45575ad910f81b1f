"""Names of elements and attributes of Office Open XML, transitional or strict, without their namespaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_OOXML = r"http://(?:schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml)/"
_SPACES = (
    (rf"{_OOXML}wordprocessingml/(?:2006/)?main", ""),
    (rf"{_OOXML}officeDocument/(?:2006/)?math", "m:"),
    (rf"{_OOXML}officeDocument/(?:2006/)?relationships", "r:"),
    (rf"{_OOXML}drawingml/(?:2006/)?main", "a:"),
    (rf"{_OOXML}drawingml/(?:2006/)?wordprocessingDrawing", "wp:"),
    (rf"{_OOXML}drawingml/(?:2006/)?diagram", "dgm:"),
    (rf"{_OOXML}markup-compatibility/2006", "mc:"),
    (r"http://schemas\.microsoft\.com/office/word/\d+/wordprocessing(?:Shape|Group|Canvas|Drawing)", "wps:"),
    (r"http://schemas\.microsoft\.com/office/word/\d+/wordml", "w14:"),
    (r"urn:schemas-microsoft-com:vml", "v:"),
)
"""Namespace to prefix. Elements of other namespaces are not shown, and have no name here."""
_UNDERSTOOD = re.compile(r"http://schemas\.(?:microsoft\.com/office|openxmlformats\.org)/")


@lru_cache(maxsize=4096)
def _short(tag: str) -> str:
    space, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    for pattern, prefix in _SPACES:
        if re.fullmatch(pattern, space):
            return prefix + local
    return ""


def name(element: _Element) -> str:
    """``p``, ``m:t``, ``wps:txbx``; empty for what no program shows."""
    return _short(element.tag) if isinstance(element.tag, str) else ""


def value(element: _Element | None, attribute: str = "val") -> str | None:
    """An attribute of the main namespace, or without one."""
    if element is None:
        return None
    for key, text in element.attrib.items():
        if str(key).rpartition("}")[2] == attribute:
            return str(text)
    return None


def child(element: _Element | None, wanted: str) -> _Element | None:
    """The first child of that name."""
    if element is None:
        return None
    return next((one for one in element if name(one) == wanted), None)


def within(element: _Element, *path: str) -> _Element | None:
    """The element at the end of a path of names."""
    found: _Element | None = element
    for one in path:
        found = child(found, one)
    return found


def inside(element: _Element | None, wanted: str) -> Iterable[_Element]:
    """Children of the first child of that name; none where there is no such child."""
    found = child(element, wanted)
    return () if found is None else found


def is_on(element: _Element | None) -> bool:
    """Whether a switch is there and not turned off."""
    return element is not None and (value(element) or "true").lower() not in {"0", "false", "off"}


def chosen(alternatives: _Element) -> Iterator[_Element]:
    """Children of the one alternative that a program of today shows."""
    for one in alternatives:
        if name(one) == "mc:Choice":
            spaces = [one.nsmap.get(prefix, "") or "" for prefix in (one.get("Requires") or "").split()]
            if all(_UNDERSTOOD.match(space) for space in spaces):
                yield from one
                return
        elif name(one) == "mc:Fallback":
            yield from one
            return
