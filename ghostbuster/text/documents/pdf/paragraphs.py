"""Lines to paragraphs, and what each is by its looks: headings are larger, notes smaller."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ghostbuster.text.documents.document import Block, Part
from ghostbuster.text.documents.pdf.lines import Line
from ghostbuster.text.hyphenation import join_hyphenated

LARGER, SMALLER = 1.15, 0.93
"""Size of a heading, and of a note, by that of the text."""
HEADING_WORDS, BOLD_HEADING_WORDS = 25, 15
FEWEST_CELLS = 3
ROW_WORDS = 8
_CAPTION = re.compile(
    r"(?:figure|fig\.|table|chart|exhibit|plate)\s*[\dA-Z][\d.-]*\s*[.:\u2013|]", re.IGNORECASE
)
_NOTE = re.compile(r"(?:\d{1,3}|[*\u2020\u2021])[.)]?\s*\S")
_FINISHED = re.compile(r"[.!?:;][\"'\u2019\u201d)\]]*$")


def body_size(pages: Sequence[Sequence[Line]]) -> float:
    """Size of most letters of a document."""
    sizes: Counter[float] = Counter()
    for line in (line for lines in pages for line in lines):
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 11.0


def is_mono(pages: Sequence[Sequence[Line]]) -> bool:
    """Whether most letters of a document are of one width: then these mean nothing."""
    n_mono = sum(len(line.text) for lines in pages for line in lines if line.mono)
    return 2 * n_mono > sum(len(line.text) for lines in pages for line in lines)


def paragraphs(lines: Sequence[Line], height: float, body: float, *, all_mono: bool) -> Iterator[Block]:
    """Blocks of a page, each with its part.

    Parameters
    ----------
    lines : sequence of Line
        In reading order, without running heads.
    height, body : float
        Of the page and of the text's letters, in points.
    all_mono : bool
        Whether the document is typed in letters of one width.
    """
    for group in _groups(lines):
        text = join_hyphenated("\n".join(line.text for line in group))[0].replace("\n", " ")
        yield Block(_part(group, text, height, body, all_mono=all_mono), text)


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that belong together: of one size, without a gap between them."""
    leading = _leading(lines)
    group: list[Line] = []
    for line in lines:
        if group and _parts(group, line, leading):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _leading(lines: Sequence[Line]) -> float:
    """The usual distance of two baselines."""
    steps = [a.y - b.y for a, b in itertools.pairwise(lines) if 0 < a.y - b.y < 6 * max(a.size, b.size)]
    return Counter(round(step, 1) for step in steps).most_common(1)[0][0] if steps else 14.0


def _parts(group: Sequence[Line], line: Line, leading: float) -> bool:
    """Whether a new paragraph begins."""
    last = group[-1]
    step = last.y - line.y
    if _is_row(last) and _is_row(line) and 0 < step < 3 * leading:
        return False
    if step > 1.35 * leading + 0.5 or step < -SAME_COLUMN * leading:
        return True
    alike = abs(line.size - last.size) <= 0.08 * last.size and line.mono == last.mono
    is_row = _is_row(line) != _is_row(last)
    bolder = line.bold != last.bold and _FINISHED.search(last.text) is None and len(group) == 1
    indented = line.x0 - last.x0 > 0.8 * line.size
    return not alike or is_row or bolder or indented


SAME_COLUMN = 0.5
"""Lines higher than the last one by more begin another column."""


def _is_row(line: Line) -> bool:
    """Whether a line looks like a row of a table: cells with gaps between them."""
    return line.n_cells >= FEWEST_CELLS or (line.n_cells > 1 and len(line.text.split()) <= ROW_WORDS)


def _part(group: Sequence[Line], text: str, height: float, body: float, *, all_mono: bool) -> Part:
    n_words, size = len(text.split()), max(line.size for line in group)
    bold = all(line.bold for line in group) and n_words <= BOLD_HEADING_WORDS and text[-1:] not in ".!?,"
    if all(_is_row(line) for line in group) and len(group) > 1:
        return Part.TABLE
    if not all_mono and all(line.mono for line in group):
        return Part.CODE
    if _CAPTION.match(text) and n_words <= 4 * BOLD_HEADING_WORDS:
        return Part.CAPTION
    if bold or (size >= LARGER * body and n_words <= HEADING_WORDS):
        return Part.HEADING
    if size <= SMALLER * body and group[0].y < 0.5 * height and _NOTE.match(text):
        return Part.FOOTNOTE
    return Part.PROSE


def across_pages(blocks: Sequence[Block]) -> list[Block]:
    """Blocks, with paragraphs joined that a column or a page ended in the middle of a sentence."""
    joined: list[Block] = []
    last = -1  # of the prose so far
    for block in blocks:
        before = joined[last].text if last >= 0 else ""
        goes_on = block.part is Part.PROSE and before and not _FINISHED.search(before)
        if goes_on and (block.text[:1].islower() or before.endswith(("-", "\u00ad", ","))):
            text = join_hyphenated(f"{before}\n{block.text}")[0].replace("\n", " ")
            joined[last] = Block(Part.PROSE, text)
            continue
        joined.append(block)
        if block.part is Part.PROSE:
            last = len(joined) - 1
    return joined
