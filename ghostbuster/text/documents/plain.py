"""Plain text and markdown: code, what a reply quotes, and references, apart from prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice

from ghostbuster.text.documents.document import Block, Document, Part, tidied
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.documents.replies import mark_answered
from ghostbuster.text.prepare import decode

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FENCE_END = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*")
_WROTE = re.compile(r"(?:On|Am|Le) .{4,120}(?:wrote|schrieb|\u00e9crit) ?:\s*")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_NOTE = re.compile(r"\[\^[\w-]{1,40}\]:")
_NOTE_MARK = re.compile(r"\[\^[\w-]{1,40}\](?!:)")
_TABLE_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*")


def read_plain(data: bytes, called: str) -> Document:
    """Plain text; raises what ``decode`` refuses."""
    return plain_document(decode(data, called))


def read_markdown(data: bytes, called: str) -> Document:
    """Markdown: as plain text, with headings and tables apart as well."""
    return plain_document(decode(data, called), markdown=True)


def plain_document(text: str, *, markdown: bool = False) -> Document:
    """A text sorted by its lines.

    Parameters
    ----------
    text : str
    markdown : bool
        Whether signs of headings and tables mean these.
    """
    lines = (_NOTE_MARK.sub("", text) if markdown else text).splitlines()
    parts = list(_parts(lines, markdown=markdown))
    blocks = [Block(part, line) for part, line in zip(parts, lines, strict=True)]
    if not any(part is Part.PROSE and line.strip() for part, line in zip(parts, lines, strict=True)):
        # all of it is quoted or fenced: then marks mean nothing
        fences = [bool(_FENCE.match(line)) for line in lines]
        blocks = [
            replace(block, part=Part.CODE if fence else Part.PROSE)
            for block, fence in zip(blocks, fences, strict=True)
        ]
    return Document(tidied(_joined(mark_references(mark_answered(blocks)))))


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Neighbouring lines of one part; blank ones belong to what is before them."""
    parts: list[Part] = []
    for block in blocks:
        parts.append(parts[-1] if parts and not block.text.strip() else block.part)
    for part, group in groupby(zip(parts, blocks, strict=True), key=lambda pair: pair[0]):
        yield Block(part, "\n".join(block.text for _, block in group))


def _parts(lines: Sequence[str], *, markdown: bool) -> Iterator[Part]:
    """The part of each line."""
    fence = ""
    ends = {
        line.strip()[0]: i for i, line in enumerate(lines) if _FENCE_END.fullmatch(line)
    }  # the last of each
    for i, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            yield Part.CODE
            if line.strip().startswith(fence) and _FENCE_END.fullmatch(line):
                fence = ""
        elif mark and i < ends.get(mark[1][0], 0):
            fence = mark[1][:3]
            yield Part.CODE
        elif line.lstrip().startswith(">") or (
            _WROTE.fullmatch(line) and _is_quoted(islice(lines, i + 1, None))
        ):
            yield Part.QUOTE
        elif markdown and _HEADING.match(line):
            yield Part.HEADING
        elif markdown and _NOTE.match(line):
            yield Part.FOOTNOTE
        elif markdown and _TABLE_ROW.fullmatch(line):
            yield Part.TABLE
        else:
            yield Part.PROSE


def _is_quoted(lines: Iterable[str]) -> bool:
    """Whether the next line that holds anything is quoted."""
    return next((line.lstrip().startswith(">") for line in lines if line.strip()), False)
