"""Bits per character of the shipped language models and n-grams on held-out registers, as a table.

Read through llama.cpp, in windows of one context with a BOS (none overlapping), as the corpus stands.

    PYTHONPATH=. python training/lm/bits_per_character.py RUNS/corpus/heldout/*.txt
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np

from ghostbuster.models.ngram.model import NgramModel

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
from reading_gguf import Reader


def texts_of(path: Path, limit: int) -> list[str]:
    """Documents, a line each, of up to ``limit`` characters in all."""
    texts: list[str] = []
    room = limit
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line[:room].strip()
        if text:
            texts.append(text)
            room -= len(text)
    return texts


def nats_of(reader: Reader, texts: list[list[int]]) -> float:
    """Negative log-likelihood of the texts' tokens under a language model."""
    total = 0.0
    size = reader.n_context - 1  # and the BOS
    for ids in texts:
        for start in range(0, len(ids), size):
            window = ids[start : start + size]
            total -= float(reader.logprobs(window)[np.arange(len(window)), window].sum())
    return total


def ngram_nats(model: NgramModel, texts: list[list[int]], order: int) -> float:
    """Negative log-likelihood of the texts' tokens under the n-grams."""
    ids = np.array([i for text in texts for i in text], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, texts)])
    return -float(model.logprob(ids, offsets, order=order).astype(np.float64).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("ghostbuster/models/weights"))
    parser.add_argument("--limit", type=int, default=10**9, help="characters of each register")
    parser.add_argument("registers", type=Path, nargs="+")
    options = parser.parse_args()
    print("| register | characters | tokens | weak | strong | trigram | unigram |")
    print("|---|---|---|---|---|---|---|")
    ngrams = NgramModel.load(options.weights / "embedded-ngram")
    weak_path, strong_path = (options.weights / f"embedded-{role}.gguf" for role in ("weak", "strong"))
    with Reader(weak_path) as weak, Reader(strong_path) as strong:
        for path in options.registers:
            texts = texts_of(path, options.limit)
            ids = [weak.tokenise(text) for text in texts]
            n_characters = sum(map(len, texts))
            nats = [nats_of(weak, ids), nats_of(strong, ids)]
            nats += [ngram_nats(ngrams, ids, order) for order in (3, 1)]
            bits = [f"{value / math.log(2) / n_characters:.3f}" for value in nats]
            cells = [path.stem, f"{n_characters:,}", f"{sum(map(len, ids)):,}", *bits]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
