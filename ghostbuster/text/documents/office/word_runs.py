"""The letters of a paragraph of Word: those that are seen, those that are not, and fields around them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ghostbuster.text.documents.document import Block, Part
from ghostbuster.text.documents.office.names import value

if TYPE_CHECKING:
    from lxml.etree import _Element

_FIELD_PARTS = (
    (r"\s*(TOC|INDEX|TOA)\b", Part.CONTENTS),
    (
        r"\s*BIBLIOGRAPHY\b|\s*ADDIN\s+(EN\.REFLIST|ZOTERO_BIBL|Mendeley Bibliography|CSL_BIBLIOGRAPHY)",
        Part.REFERENCES,
    ),
)
"""First words of a field's instruction, by the part its result is: Word's own, EndNote, Zotero, Mendeley."""
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


class Fields:
    """Fields that are open, innermost last; they may go on over paragraphs."""

    def __init__(self) -> None:
        self._open: list[tuple[bool, str]] = []  # whether the result has begun, and the instruction

    @property
    def in_code(self) -> bool:
        """Whether letters belong to an instruction, which Word does not show."""
        return any(not begun for begun, _ in self._open)

    @property
    def part(self) -> Part | None:
        """What the result of the outermost field is, where it is no prose."""
        for _, instruction in self._open:
            for pattern, part in _FIELD_PARTS:
                if re.match(pattern, instruction, re.IGNORECASE):
                    return part
        return None

    def mark(self, kind: str) -> None:
        """A field begins, its result begins, or it ends."""
        if kind == "begin":
            self._open.append((False, ""))
        elif kind == "separate" and self._open:
            self._open[-1] = (True, self._open[-1][1])
        elif kind == "end" and self._open:
            self._open.pop()

    def instruct(self, words: str) -> None:
        """Words of an instruction."""
        if self._open:
            begun, before = self._open[-1]
            self._open[-1] = (begun, before + words)


class Line:
    """One paragraph while it is read.

    Attributes
    ----------
    part : Part
        By its style.
    indent : float
        Points from the margin.
    field : Part or None
        By the field it is the result of.
    floating : list of Block
        Notes and boxes that hang on it.
    goes_on : bool
        Whether its end was deleted, so that the next paragraph belongs to it.
    """

    def __init__(self, part: Part, indent: float = 0.0) -> None:
        self.part = part
        self.indent = indent
        self.field: Part | None = None
        self.floating: list[Block] = []
        self.goes_on = False
        self._seen: list[tuple[str, bool]] = []
        self._unseen: list[str] = []

    def add(self, text: str, *, hidden: bool, bold: bool) -> None:
        """Letters of a run."""
        if hidden:
            self._unseen.append(text)
        elif text:
            self._seen.append((text, bold))

    def blocks(self, part_of: Callable[[int, bool], Part]) -> list[Block]:
        """The paragraph, what of it is hidden, and what hangs on it.

        Parameters
        ----------
        part_of : callable
            Part of a paragraph of so many words that is bold throughout, or not.
        """
        text = "".join(one for one, _ in self._seen)
        bold = all(bold for one, bold in self._seen if one.strip())
        part = part_of(len(text.split()), bold and text.rstrip()[-1:] not in ".!?;,")
        return [Block(part, text, self.indent), Block(Part.HIDDEN, "".join(self._unseen)), *self.floating]


def letters(called: str, element: _Element) -> str:
    """What an element of a run shows as letters."""
    if called in {"t", "m:t"}:
        return element.text or ""
    if called == "sym":
        return _symbol(value(element, "char") or "")
    return _CHARACTERS.get(called, "")


def _symbol(code: str) -> str:
    """A letter by its number; those of symbol fonts have none that means anything elsewhere."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    private = 0xE000 <= number <= 0xF8FF or 0xD800 <= number <= 0xDFFF or number > 0x10FFFF  # noqa: PLR2004
    return "" if private else chr(number)
