"""Reference lists at the end of a document: names, years and titles that nobody wrote as prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ghostbuster.text.documents.document import Block, Part

WORDS_A_MARK = 40
"""A list of references has a year or an address in as many words at least; most have two."""
FEWEST_UNTITLED = 3
"""Entries without a title above them that make a list."""
MOST_TITLES = 64
"""Of lists in one document: each costs a look at all that follows."""
_LONGEST_TITLE, _LONGEST_ENTRY = 40, 1500
_MAY_BE_REFERENCES = frozenset({Part.PROSE, Part.HEADING, Part.TABLE})

_TITLE = re.compile(
    r"\W*(?:(?:\d+|[IVX]+)\.?\s+)?"
    r"(?:(?:list of )?(?:references|sources|citations)(?: list| cited)?|reference list"
    r"|(?:selected |annotated )?bibliography|works (?:cited|consulted)|literature(?: cited)?|cited works"
    r"|further reading)\W*",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\W*(?:appendi(?:x|ces)\b.*|acknowledge?ments?|notes|about the authors?|author note|tables?"
    r"|figures?)\W*",
    re.IGNORECASE,
)
_MARK = re.compile(r"\b(?:1[5-9]|20)\d\d[a-z]?\b|https?://|www\.|\bdoi\b|\bn\.d\.", re.IGNORECASE)
_NAME = r"[A-Z\u00c0-\u00de][\w\u2019'`-]+(?: [A-Z][\w\u2019'-]+)?"
_ENTRY = re.compile(
    rf"\W*(?:\[\d+\]|\d+\.)?\s*(?:{_NAME}, (?:[A-Z]\.|{_NAME}\b)|[A-Z]\. ?(?:[A-Z]\. ?)*{_NAME},|\[\w+\])"
)


def is_entry(text: str) -> bool:
    """Whether a paragraph alone shows that it is a reference: it begins with a name, and has a year."""
    if len(text) > _LONGEST_ENTRY:
        return False
    return bool(_ENTRY.match(text)) and bool(_MARK.search(text)) and len(text.split()) <= 2 * WORDS_A_MARK


def mark_references(blocks: Sequence[Block]) -> list[Block]:
    """Blocks, with those of reference lists called so.

    That is what stands under a title such as *Works Cited* up to the next heading, if it reads like such a
    list, and a run of entries at the end.
    """
    marked = list(blocks)
    for i in [i for i, block in enumerate(blocks) if _is_title(block)][-MOST_TITLES:]:
        end = _end(blocks, i + 1)
        if _reads_like_references(blocks[i + 1 : end]):
            for j in range(i, end):
                if marked[j].part in _MAY_BE_REFERENCES:
                    marked[j] = replace(marked[j], part=Part.REFERENCES)
    entries = _last_entries(marked)
    if len(entries) >= FEWEST_UNTITLED:
        for j in entries:
            marked[j] = replace(marked[j], part=Part.REFERENCES)
    return marked


def _is_title(block: Block) -> bool:
    text = block.text.strip()
    return (
        block.part in {Part.PROSE, Part.HEADING}
        and len(text) <= _LONGEST_TITLE
        and bool(_TITLE.fullmatch(text))
    )


def _end(blocks: Sequence[Block], start: int) -> int:
    for i in range(start, len(blocks)):
        text = blocks[i].text.strip()
        is_heading = blocks[i].part is Part.HEADING and not is_entry(text)
        if is_heading or (len(text) <= _LONGEST_TITLE and _AFTER.fullmatch(text)):
            return i
    return len(blocks)


def _reads_like_references(blocks: Sequence[Block]) -> bool:
    text = " ".join(block.text for block in blocks if block.part in {Part.PROSE, Part.TABLE, Part.REFERENCES})
    n_marks = len(_MARK.findall(text))
    return n_marks > 0 and len(text.split()) <= WORDS_A_MARK * n_marks


def _last_entries(blocks: Sequence[Block]) -> list[int]:
    """Indices of the entries that end the prose, blank lines between them passed over."""
    found = []
    for i in range(len(blocks) - 1, -1, -1):
        block = blocks[i]
        if block.part is not Part.PROSE or not block.text.strip():
            continue
        if not is_entry(block.text.strip()):
            break
        found.append(i)
    return found
