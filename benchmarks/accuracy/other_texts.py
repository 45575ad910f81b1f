"""Further test texts: long ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ghostbuster.text.prepare import prepare
from training.data.dataset import deduplicate, group, learnable
from training.data.labelled import LabelledText, read_file
from training.data.lengths import cut_to

LONG_WORDS, MOST_WORDS = 370, 800  # about 500 and 1,100 tokens
FEWEST_LONG = 50  # long texts of each class that a file needs
PER_CLASS = 60


def long_texts(folder: Path, known: Sequence[LabelledText]) -> list[LabelledText]:
    """The longest texts of each class and file, prepared; none related to a known text of another source.

    Parameters
    ----------
    folder : Path
        Holds ``*.jsonl.xz``.
    known : sequence of LabelledText
        What detectors learn from.
    """
    chosen: list[LabelledText] = []
    for path in sorted(Path(folder).glob("*.jsonl.xz")):
        rows = learnable(deduplicate(read_file(path)))
        sides = [
            [row for row in rows if row.label == side and _n_words(row.raw) >= LONG_WORDS] for side in (0, 1)
        ]
        if min(map(len, sides)) >= FEWEST_LONG:
            chosen += [row for side in sides for row in _longest(side)]
    prepared = [replace(row, text=cut_to(prepare(row.raw).text, MOST_WORDS)) for row in chosen]
    grouped = group([*known, *prepared])
    sources: dict[int, set[str]] = {}
    for row in grouped[: len(known)]:
        sources.setdefault(row.group, set()).add(row.source)
    return [row for row in grouped[len(known) :] if sources.get(row.group, set()) <= {row.source}]


def _longest(rows: Iterable[LabelledText]) -> list[LabelledText]:
    return sorted(rows, key=lambda row: (-_n_words(row.raw), row.key))[:PER_CLASS]


def _n_words(text: str) -> int:
    return len(text.split())
