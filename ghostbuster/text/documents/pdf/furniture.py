"""What pages carry beside their text: running heads, page numbers, line numbers."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ghostbuster.text.documents.pdf.lines import Line

MARGIN = 0.14
"""Share of a page's height, at the top and at the foot, where such lines stand."""
REPEATED = 0.4
"""Share of pages that a running head is on; left and right pages may have different ones."""
FEWEST_NUMBERS = 5
"""Line numbers of a page."""

_PAGE_NUMBER = re.compile(
    r"\W*(?:page|p\.|seite)?\W*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_RUNNING_HEAD = re.compile(r"running head:.*", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"(\d{1,4})\s+(?=\S)")


def running_lines(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[set[int]]:
    """Indices of each page's lines that are page numbers or stand on many pages alike."""
    marginal = [_marginal(lines, height) for lines, height in zip(pages, heights, strict=True)]
    seen = Counter(
        key for lines, edge in zip(pages, marginal, strict=True) for key in {_key(lines[i]) for i in edge}
    )
    most = max(2, REPEATED * len(pages))
    return [
        {i for i in edge if _is_running(lines[i]) or (len(pages) > 1 and seen[_key(lines[i])] >= most)}
        for lines, edge in zip(pages, marginal, strict=True)
    ]


def _is_running(line: Line) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(line.text) or _RUNNING_HEAD.fullmatch(line.text))


def _marginal(lines: Sequence[Line], height: float) -> list[int]:
    """Lines at the top and at the foot of a page: nearer to its edge than text is, or in its margin."""
    levels = sorted({round(line.y) for line in lines})
    outer = {*levels[:2], *levels[-2:]}
    return [
        i
        for i, line in enumerate(lines)
        if round(line.y) in outer and not MARGIN * height < line.y < (1 - MARGIN) * height
    ]


def _key(line: Line) -> tuple[str, int]:
    """What a running head has in common on all its pages: its words but for numbers, and its height."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.lower()), round(line.y / 4)


def without_line_numbers(pieces: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """Pieces of lines without the numbers that count them, and those numbers."""
    ordered = sorted(pieces, key=lambda piece: -piece.y)
    alone = [piece for piece in ordered if re.fullmatch(r"\d{1,4}", piece.text)]
    if _counts([int(piece.text) for piece in alone]) and _is_column(alone):
        return [piece for piece in pieces if piece not in alone], [piece.text for piece in alone]
    found = [(piece, m) for piece in ordered if (m := _LEADING_NUMBER.match(piece.text))]
    counts = _counts([int(m[1]) for _, m in found])
    if counts and len(found) >= 0.8 * len(pieces) and _is_column([piece for piece, _ in found]):
        kept = [replace(piece, text=_LEADING_NUMBER.sub("", piece.text)) for piece in pieces]
        return kept, [m[1] for _, m in found]
    return list(pieces), []


def _counts(numbers: Sequence[int]) -> bool:
    """Whether numbers count lines: by one, by five, anew on each page."""
    if len(numbers) < FEWEST_NUMBERS:
        return False
    steps = Counter(after - before for before, after in itertools.pairwise(numbers))
    step, n = steps.most_common(1)[0]
    return step in {1, 2, 5, 10} and n >= 0.8 * (len(numbers) - 1)


def _is_column(lines: Sequence[Line]) -> bool:
    """Whether lines begin, or end, at the same place."""
    return any(
        Counter(round(place / 3) for place in places).most_common(1)[0][1] >= 0.4 * len(lines)
        for places in ([line.x0 for line in lines], [line.x1 for line in lines])
    )
