"""EPUB: the chapters of a book in reading order, each a web page."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Block, Document, Part, tidied
from ghostbuster.text.documents.package import Package
from ghostbuster.text.documents.web.html import decoded, page_document

_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"


def read_epub(data: bytes, called: str) -> Document:
    """A book.

    Raises
    ------
    InputError
        When its chapters are locked, or it names none.
    """
    package = Package(data, called)
    container = package.xml(_CONTAINER)
    place = next((str(one.get("full-path")) for one in container.iter("{*}rootfile")), "")
    if place not in package:
        raise InputError(f"{called} names no book inside: export it again, or as text")
    locked = package.read(_LOCKS).decode("utf-8", "replace").lower() if _LOCKS in package else ""
    book, folder = package.xml(place), posixpath.dirname(place)
    items = {one.get("id"): one for one in book.iter("{*}item")}
    sheets = {
        _inside(folder, str(one.get("href")))
        for one in items.values()
        if one.get("media-type") == "text/css" and one.get("href")
    }
    styles = [decoded(package.read(sheet)) for sheet in sorted(sheets) if sheet in package]
    blocks: list[Block] = []
    for one in book.iter("{*}itemref"):
        item = items.get(one.get("idref"))
        chapter = "" if item is None else _inside(folder, str(item.get("href")))
        if item is None or chapter not in package:
            continue
        if chapter.lower() in locked:
            raise InputError(f"{called} is locked by its shop (DRM): expected a book without")
        is_contents = "nav" in str(item.get("properties") or "").split()
        blocks += _chapter(package.read(chapter), styles, is_contents=is_contents)
    return Document(tidied(blocks))


def _chapter(data: bytes, styles: list[str], *, is_contents: bool) -> Iterator[Block]:
    for block in page_document(decoded(data), styles).blocks:
        seen = block.part is not Part.HIDDEN
        yield replace(block, part=Part.CONTENTS) if is_contents and seen else block


def _inside(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(target.partition("#")[0]))).lstrip("/")
