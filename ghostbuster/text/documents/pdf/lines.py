"""Letters to lines in reading order: columns one after the other, lines from top to bottom."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ghostbuster.text.documents.pdf.page import Letter

WORD_GAP = 0.18
"""Of a letter's size: a wider gap parts words, where no space is written."""
CELL_GAP = 1.0
"""Of a letter's size: a wider gap may part columns."""
SAME_LINE = 0.4
"""Of a letter's size: baselines nearer than this are one line's; indices stand off less."""
FEWEST_IN_COLUMN = 4
"""Lines of a column."""
MOST_ACROSS = 0.3
"""Share of a page's lines that may stand across both columns."""
_DEEPEST = 6


@dataclass(slots=True)
class Line:
    """Words side by side.

    Attributes
    ----------
    text : str
    x0, x1, y : float
        Left, right, baseline (points, up).
    size : float
        Of most letters.
    bold, mono : bool
        Throughout.
    n_cells : int
        Pieces with wide gaps between them.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    mono: bool
    n_cells: int = 1


def lines_of(pieces: Sequence[Line]) -> list[Line]:
    """Lines of a page in reading order."""
    ordered = _in_columns(list(pieces), 0)
    lines: list[Line] = []
    for piece in ordered:
        if lines and _continues(lines[-1], piece):
            lines[-1] = _joined(lines[-1], piece)
        else:
            lines.append(piece)
    return lines


def pieces_of(letters: Sequence[Letter]) -> list[Line]:
    """Runs of letters without a wide gap, in the order of the file."""
    runs: list[list[Letter]] = []
    for letter in letters:
        if runs and _is_note_mark(runs[-1][-1], letter):
            last = runs[-1][-1]
            runs[-1].append(replace(last, text="", x0=letter.x0, x1=letter.x1))
        elif runs and _is_next(runs[-1], letter):
            runs[-1].append(letter)
        elif not letter.text.isspace():
            runs.append([letter])
    return [piece for run in runs if (piece := _piece(run)).text]


def _is_note_mark(last: Letter, letter: Letter) -> bool:
    """Whether a letter is the small raised number of a note, behind a word."""
    raised = 0.15 * last.size < letter.y - last.y < 0.7 * last.size
    near = -0.3 * last.size <= letter.x0 - last.x1 <= 0.3 * last.size
    small = letter.size < 0.85 * last.size
    return raised and near and small and (letter.text.isdigit() or letter.text in "*\u2020\u2021,")


def _is_next(run: Sequence[Letter], letter: Letter) -> bool:
    last = run[-1]
    size = max(last.size, letter.size, 1.0)
    gap = letter.x0 - last.x1
    follows = letter.x0 >= last.x0 - 0.2 * size  # letters of a ligature stand in one place
    return abs(letter.y - last.y) <= SAME_LINE * size and follows and gap <= CELL_GAP * size


def _piece(run: Sequence[Letter]) -> Line:
    text = run[0].text
    for before, after in itertools.pairwise(run):
        wide = after.x0 - before.x1 > WORD_GAP * max(before.size, 1.0)
        if wide and not before.text.isspace() and not after.text.isspace():
            text += " "
        text += after.text
    inked = [letter for letter in run if not letter.text.isspace()] or list(run)
    sizes = Counter(round(letter.size, 1) for letter in inked)
    levels = Counter(round(letter.y, 1) for letter in inked)
    return Line(
        " ".join(text.split()),
        min(letter.x0 for letter in inked),
        max(letter.x1 for letter in inked),
        levels.most_common(1)[0][0],
        sizes.most_common(1)[0][0],
        all(letter.bold for letter in inked if letter.text.isalnum()),
        all(letter.mono for letter in inked),
    )


def _in_columns(pieces: list[Line], depth: int) -> list[Line]:
    """Pieces in reading order: between lines across the page, the left column before the right one."""
    cut = _gutter(pieces) if depth < _DEEPEST else None
    if cut is None:
        return _top_down(pieces)
    across = sorted((p for p in pieces if p.x0 < cut < p.x1), key=lambda p: -p.y)
    ordered: list[Line] = []
    rest = [p for p in pieces if not p.x0 < cut < p.x1]
    for line in [*across, None]:
        band = [p for p in rest if line is None or p.y > line.y]
        rest = [p for p in rest if line is not None and p.y <= line.y]
        for side in ([p for p in band if p.x1 <= cut], [p for p in band if p.x0 >= cut]):
            ordered += _in_columns(side, depth + 1)
        ordered += [] if line is None else [line]
    return ordered


def _top_down(pieces: list[Line]) -> list[Line]:
    """Line by line, each from left to right."""
    rows: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda p: -p.y):
        if rows and abs(rows[-1][0].y - piece.y) <= SAME_LINE * max(rows[-1][0].size, piece.size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [piece for row in rows for piece in sorted(row, key=lambda p: p.x0)]


def _gutter(pieces: Sequence[Line]) -> float | None:
    """Where the gap between two columns is; None where there are no columns.

    It is where fewest lines cross; both sides have lines at the same heights, and lines as long as prose.
    """
    if len(pieces) < 2 * FEWEST_IN_COLUMN:
        return None
    left, right = min(p.x0 for p in pieces), max(p.x1 for p in pieces)
    best: tuple[int, float, float] | None = None
    for cut in sorted({p.x0 - 0.5 for p in pieces if left + 0.15 * (right - left) < p.x0 < right}):
        before = [p for p in pieces if p.x1 <= cut]
        after = [p for p in pieces if p.x0 >= cut]
        n_across = len(pieces) - len(before) - len(after)
        if n_across > MOST_ACROSS * len(pieces) or not _are_columns(before, after):
            continue
        gap = cut - max(p.x1 for p in before)
        if best is None or (n_across, -gap) < best[:2]:
            best = (n_across, -gap, cut - gap / 2)
    return None if best is None else best[2]


def _are_columns(before: Sequence[Line], after: Sequence[Line]) -> bool:
    """Whether lines on two sides are columns of prose, beside each other."""
    if min(len(before), len(after)) < FEWEST_IN_COLUMN:
        return False
    low = max(min(p.y for p in before), min(p.y for p in after))
    high = min(max(p.y for p in before), max(p.y for p in after))
    beside = [sum(low <= p.y <= high for p in side) for side in (before, after)]
    if min(beside) < FEWEST_IN_COLUMN:
        return False
    starts = Counter(round(p.x0 / 4) for p in after)
    aligned = starts.most_common(1)[0][1] >= 0.5 * len(after)
    long = [sorted(len(p.text.split()) for p in side)[len(side) // 2] for side in (before, after)]
    return aligned and min(long) >= 3  # noqa: PLR2004 - words; cells of tables have fewer


def _continues(line: Line, piece: Line) -> bool:
    """Whether a piece stands to the right of a line, on it."""
    return abs(line.y - piece.y) <= SAME_LINE * max(line.size, piece.size) and piece.x0 >= line.x1 - line.size


def _joined(line: Line, piece: Line) -> Line:
    glue = "" if piece.x0 - line.x1 <= WORD_GAP * line.size else " "
    return Line(
        line.text + glue + piece.text,
        line.x0,
        piece.x1,
        line.y,
        max(line.size, piece.size),
        line.bold and piece.bold,
        line.mono and piece.mono,
        line.n_cells + (piece.x0 - line.x1 > 1.5 * CELL_GAP * line.size),
    )
