"""What names of styles say of a paragraph, in Word, LibreOffice and pandoc alike."""

from __future__ import annotations

import re

from ghostbuster.text.documents.document import Part

PARTS: tuple[tuple[str, Part], ...] = (
    (r"heading \d|title|subtitle|toc heading|heading|chapter.*|appendix", Part.HEADING),
    (r"toc \d|table of (figures|authorities)|contents \d|index \d|contents heading", Part.CONTENTS),
    (r"(intense )?quote|block (text|quotation|quote)|quotations?|blockquote", Part.QUOTE),
    (r"(image |table )?caption|illustration|figure|drawing", Part.CAPTION),
    (r"(footnote|endnote)( text| block text)?", Part.FOOTNOTE),
    (r".*bibliography.*|references?( list)?|works cited", Part.REFERENCES),
    (r"html preformatted|preformatted text|source code|code( block)?|macro text|verbatim.*", Part.CODE),
    (r"header( left| right)?|footer( left| right)?", Part.RUNNING),
)
"""Names of styles, as Word, LibreOffice and pandoc write them (Word's own are English in every language)."""


def part_of_style(called: str) -> Part | None:
    """The part that a style is for; None where its name does not say."""
    name = called.lower()
    return next((part for pattern, part in PARTS if re.fullmatch(pattern, name)), None)
