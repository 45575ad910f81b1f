"""Documents made up of known words: what a person sees of each, in order, and what nobody sees."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("examples/human.txt", "examples/machine.txt", "docs/reading-a-verdict.md", "README.md")


@dataclass
class Essay:
    """What a document is to hold.

    Attributes
    ----------
    title, heading, quote, caption : str
    paragraphs : list of str
    cells : list of list of str
    references : list of str
    hidden : str
        Words that nobody is to see, where a document has such.
    """

    title: str
    heading: str
    paragraphs: list[str]
    quote: str
    caption: str
    cells: list[list[str]]
    references: list[str]
    hidden: str = ""


@dataclass
class Made:
    """A document that was made.

    Attributes
    ----------
    name, kind, maker, feature : str
        File, suffix, the program that wrote it, and what is special about it.
    data : bytes
    seen : str
        All words that a person sees, in order, but for what pages repeat.
    prose : str
        Those that are prose.
    """

    name: str
    kind: str
    maker: str
    feature: str
    data: bytes
    seen: str
    prose: str
    more: dict[str, str] = field(default_factory=dict)


def sentences() -> list[str]:
    """Sentences of prose from this repository."""
    text = " ".join((ROOT / name).read_text("utf-8") for name in SOURCES)
    found = re.findall(r"(?<=[.?!] )[A-Z][A-Za-z',; -]{40,220}[a-z][.?!](?= )", " ".join(text.split()))
    return sorted(set(found))


def essay(seed: int) -> Essay:
    """An essay of five paragraphs that no other seed gives."""
    rng = random.Random(seed)
    pool = sentences()
    rng.shuffle(pool)
    paragraphs = [" ".join(pool[4 * i : 4 * i + 4]) for i in range(5)]
    names = ("Smith", "Jones", "Brown", "Miller", "Clark")
    return Essay(
        title=f"Essay number {seed} on harbours",
        heading=f"Part {rng.choice(('one', 'two', 'three'))}",
        paragraphs=paragraphs,
        quote=" ".join(pool[20:22]),
        caption=f"Figure {seed % 9 + 1}. The harbour in winter",
        cells=[["Year", "Boats"], ["1999", str(rng.randrange(9))], ["2004", "none"]],
        references=[
            f"{rng.choice(names)}, J. ({rng.randrange(1950, 2020)}). A book about boats. London: Press."
            for _ in range(4)
        ],
        hidden=" ".join(pool[22:26]),
    )


def words(text: str) -> list[str]:
    """Words as they are compared: letters and digits in lower case."""
    return re.findall(r"[^\W_]+", text.lower())
