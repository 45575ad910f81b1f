"""What every reader returns: the words of a document in order, each block with the part it plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Part(StrEnum):
    """What a block of a document is; the value is how a note calls it."""

    PROSE = "prose"
    HEADING = "headings"
    QUOTE = "quotations"
    REFERENCES = "references"
    TABLE = "tables"
    CAPTION = "captions"
    CODE = "code"
    FOOTNOTE = "footnotes"
    CONTENTS = "tables of contents"
    RUNNING = "headers and footers"
    HIDDEN = "hidden"


NEVER_READ = frozenset({Part.HIDDEN, Part.RUNNING})
"""Not judged even as a whole: nobody sees the one, and pages repeat the other."""

CELL_OF_PROSE = 25
"""Words of a paragraph that is prose though it stands in a table: tables lay out pages, too."""
HEADING_WORDS = 30
"""Longer paragraphs are no headings, whatever their style."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, a cell: words that stand together.

    Attributes
    ----------
    part : Part
    text : str
    indent : float
        Points from where the lines of the page begin to where its own do; 0 in lists and where not known.
    """

    part: Part
    text: str
    indent: float = field(default=0.0, compare=False)

    @property
    def n_words(self) -> int:
        """Words between white space."""
        return len(self.text.split())


@dataclass(frozen=True)
class Document:
    """A document as a person sees it.

    Attributes
    ----------
    blocks : tuple of Block
        In reading order; what nobody sees is among them as ``Part.HIDDEN``.
    remarks : tuple of str
        What else its reader has to say of it: pages that are pictures, for example.
    """

    blocks: tuple[Block, ...]
    remarks: tuple[str, ...] = field(default=())

    def words(self) -> dict[Part, int]:
        """Number of words of each part that has any."""
        counted: Counter[Part] = Counter()
        for block in self.blocks:
            counted[block.part] += block.n_words
        return {part: counted[part] for part in Part if counted[part]}

    def text(self, *, whole: bool = False) -> str:
        """Prose, a block a line; with ``whole`` everything that is seen, but for what pages repeat."""
        return "\n".join(block.text for block in self.blocks if _is_read(block.part, whole=whole))

    def notes(self, *, whole: bool = False) -> tuple[str, ...]:
        """What a reader of the verdict has to know: hidden words, parts that were not read."""
        words = self.words()
        left = [
            f"{n:,} of {part}"
            for part, n in words.items()
            if part is not Part.HIDDEN and not _is_read(part, whole=whole)
        ]
        made = []
        if hidden := words.get(Part.HIDDEN, 0):
            made.append(
                f"suspicious: {counted(hidden, 'hidden word')} {_were(hidden)} left out; "
                "honest documents have none"
            )
        if left and any(_is_read(part, whole=whole) for part in words):
            made.append(f"not read: {', '.join(left)} (words; prose alone is judged)")
        return (*made, *self.remarks)

    def parts(self, *, whole: bool = False) -> list[dict[str, object]]:
        """What was read and what was not: name, number of words, whether it was read."""
        return [
            {"part": str(part), "n_words": n, "read": _is_read(part, whole=whole)}
            for part, n in self.words().items()
        ]


def _is_read(part: Part, *, whole: bool) -> bool:
    return part not in NEVER_READ if whole else part is Part.PROSE


def counted(n: int, noun: str) -> str:
    """``1 word``, ``2,000 words``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def tidied(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks that hold words, without white space around them."""
    stripped = (replace(block, text=block.text.strip()) for block in blocks)
    return tuple(block for block in stripped if block.text)
