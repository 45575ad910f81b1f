"""Jupyter notebooks: cells of markdown are prose, cells of code and what they print are code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Block, Document, Part, tidied
from ghostbuster.text.documents.plain import plain_document


def read_notebook(data: bytes, called: str) -> Document:
    """A notebook.

    Raises
    ------
    InputError
        When it is no notebook.
    """
    try:
        book = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{called} is no notebook ({error}): save it again, or as text") from None
    if not isinstance(book, dict):
        raise InputError(f"{called} is no notebook; expected an object with cells: save it again")
    return Document(tidied(block for cell in _cells(book) for block in _blocks(cell)))


def _cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sheets = book.get("worksheets")  # version 3
    holders = sheets if isinstance(sheets, list) else [book]
    for holder in holders:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        listed = cells if isinstance(cells, list) else []
        yield from (cell for cell in listed if isinstance(cell, dict))


def _blocks(cell: dict[str, Any]) -> Iterator[Block]:
    source = _joined(cell.get("source", cell.get("input", "")))
    match cell.get("cell_type"):
        case "markdown":
            yield from plain_document(source, markdown=True).blocks
        case "heading":
            yield Block(Part.HEADING, source)
        case "code":
            yield Block(Part.CODE, source)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else []:
                if isinstance(output, dict):
                    yield Block(Part.CODE, _joined(output.get("text", "")))
        case _:
            pass


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(one for one in source if isinstance(one, str))
    return source if isinstance(source, str) else ""
