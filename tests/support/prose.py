"""Synthetic labelled texts: passages of prose, and the same words shuffled."""

from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def passages(n_texts: int, n_words: int, seed: int = 0) -> list[str]:
    """Overlapping passages of both examples, each from another starting word."""
    words = " ".join((EXAMPLES / name).read_text("utf-8") for name in ("human.txt", "machine.txt")).split()
    starts = random.Random(seed).sample(range(len(words) - n_words), n_texts)
    return [" ".join(words[start : start + n_words]).rstrip(",;:") + "." for start in starts]


def shuffled(text: str, seed: int) -> str:
    """The words of ``text`` in another order: a language model sees the difference at once."""
    words = text.rstrip(".").split()
    random.Random(seed).shuffle(words)
    return " ".join(words) + "."


def labelled(n_pairs: int, n_words: int = 70) -> tuple[list[str], list[int], list[int]]:
    """Texts, labels (1 for the shuffled twin) and groups (a passage and its twin share one)."""
    human = passages(n_pairs, n_words)
    machine = [shuffled(text, i) for i, text in enumerate(human)]
    return human + machine, [0] * n_pairs + [1] * n_pairs, [*range(n_pairs), *range(n_pairs)]


def row(key: str, text: str, label: int, **more: object) -> dict[str, object]:
    """A line of a file of labelled texts, before it is JSON."""
    return {"id": key, "text": text, "label": label, "domain": "d", "generator": "g", "source": "s", **more}


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    """Write such a file."""
    with lzma.open(folder / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
