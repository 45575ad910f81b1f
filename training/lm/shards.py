"""Tokenise the canonical corpus into uint16 shards.

A source becomes ``<source>.tokens.npy`` (each document opens with BOS) and ``<source>.starts.npy``
(where sentences and paragraphs start: training rows begin there).

    python training/lm/shards.py --runs RUNS
"""

import argparse
import itertools
import re
import sys
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import sentencepiece
from mix import MIXES

BOS = 1
PARAGRAPHS_AT_ONCE = 4000
_SENTENCE_END = re.compile(r"""(?<=[.!?])(["')\]]{0,2}) (?=["'(]?[A-Z])""")


def sentences(paragraph: str) -> list[str]:
    """Cut a paragraph at sentence ends; joined by one space they give it back."""
    cuts = [match.end() - 1 for match in _SENTENCE_END.finditer(paragraph)]
    starts = [0, *(cut + 1 for cut in cuts)]
    return [paragraph[a:b] for a, b in zip(starts, [*cuts, len(paragraph)], strict=True)]


def pieces(lines: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Yield (sentence, opens a document) from a canonical corpus file."""
    opens = True
    for line in lines:
        paragraph = line.rstrip("\n")
        if not paragraph:
            opens = True
            continue
        for sentence in sentences(paragraph):
            yield sentence, opens
            opens = False


def tokenise(source: Path, tokenizer: Path, out: Path) -> str:
    """Write the shard of one source; return a line that says how large it is.

    Pieces never hold a space but at their start, so the tokens of a document are those of its
    sentences one after the other.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer), num_threads=1)
    chunks: list[np.ndarray] = []
    starts: list[np.ndarray] = []
    position = 0
    with source.open(encoding="utf-8") as lines:
        stream = pieces(lines)
        while batch := list(itertools.islice(stream, PARAGRAPHS_AT_ONCE)):
            encoded = processor.encode([sentence for sentence, _ in batch])
            opens = np.array([flag for _, flag in batch])
            rows = [[BOS, *ids] if flag else ids for ids, flag in zip(encoded, opens, strict=True)]
            lengths = np.array([len(row) for row in rows])
            flat = np.fromiter(itertools.chain.from_iterable(rows), np.uint16, lengths.sum())
            starts.append(position + np.cumsum(lengths) - lengths + opens)
            chunks.append(flat)
            position += len(flat)
    np.save(out / f"{source.stem}.tokens.npy", np.concatenate(chunks))
    np.save(out / f"{source.stem}.starts.npy", np.concatenate(starts).astype(np.int64))
    return f"{source.stem}: {position} tokens"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="holds corpus/ and tokenizer/; gets shards/")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    tokenizer, out = options.runs / "tokenizer" / "tokenizer.model", options.runs / "shards"
    out.mkdir(parents=True, exist_ok=True)
    jobs = [(options.runs / "corpus" / f"{name}.txt", tokenizer, out) for name in MIXES["part"]]
    with Pool(options.processes) as pool:
        for job in [pool.apply_async(tokenise, args) for args in jobs]:
            print(job.get(), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
