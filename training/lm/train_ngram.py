"""Train the n-gram model: count uni-, bi- and trigrams over the shards, prune, write.

python training/lm/train_ngram.py --runs RUNS --out ghostbuster/models/weights/embedded-ngram
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mix import MIXES
from vocabulary import read_vocabulary

from ghostbuster.models.gguf.vocabulary import vocabulary_digest

BOS = 1
DISCOUNT = 0.9

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counted:
    """Sorted n-grams as numbers in base n_vocab, and how often each occurs."""

    grams: Int64Array
    counts: Int64Array

    @classmethod
    def of(cls, occurrences: Int64Array) -> "Counted":
        """Count the occurrences; sorts them in place."""
        occurrences.sort()
        first = np.flatnonzero(np.diff(occurrences, prepend=-1))
        return cls(occurrences[first], np.diff(first, append=len(occurrences)))


def stream(shards: Path, weights: Mapping[str, float], n_tokens: int) -> Int64Array:
    """The mix's tokens, each document opened by BOS, cut down to about ``n_tokens``."""
    parts = []
    for name, weight in weights.items():
        tokens = np.load(shards / f"{name}.tokens.npy", mmap_mode="r")
        parts.extend([tokens] * int(weight))
        parts.append(tokens[: int(weight % 1 * len(tokens))])
    fraction = min(1.0, n_tokens / sum(map(len, parts)))
    return np.concatenate([[BOS], *(_some(part, fraction) for part in parts)]).astype(np.int64)


def _some(tokens: npt.NDArray[np.uint16], fraction: float) -> npt.NDArray[np.uint16]:
    """Every so many blocks of a shard, so that all of its documents are represented."""
    block = 1 << 15
    n_blocks = -(-len(tokens) // block)
    chosen = np.unique((np.arange(round(n_blocks * fraction)) / max(fraction, 1e-9)).astype(int))
    return np.concatenate([tokens[:0], *(tokens[b * block : (b + 1) * block] for b in chosen)])


def level(grams: Counted, least: int, n_vocab: int) -> dict[str, npt.NDArray[np.unsignedinteger]]:
    """Arrays of one order: n-grams seen at least ``least`` times, totals of their contexts."""
    contexts = grams.grams // n_vocab
    starts = np.flatnonzero(np.diff(contexts, prepend=-1))
    totals = np.add.reduceat(grams.counts, starts)
    keep = grams.counts >= least
    kept_contexts = np.unique(contexts[keep])
    rows = np.searchsorted(kept_contexts, contexts[keep])
    keys = rows * n_vocab + grams.grams[keep] % n_vocab
    return {
        "contexts": narrow(kept_contexts),
        "totals": narrow(totals[np.searchsorted(contexts[starts], kept_contexts)]),
        "keys": narrow(keys),
        "counts": narrow(grams.counts[keep]),
    }


def narrow(numbers: Int64Array) -> npt.NDArray[np.unsignedinteger]:
    """The same numbers in the smallest of uint16, uint32, uint64 that holds them."""
    return numbers.astype(np.promote_types(np.min_scalar_type(max(numbers, default=0)), np.uint16))


def count(tokens: Int64Array, n_vocab: int) -> tuple[Int64Array, Counted, Counted]:
    """Distinct left neighbours of each token, bigrams, trigrams; BOS is a context, never a token.

    Parameters
    ----------
    tokens : (n_tokens,)
        Opens with BOS; BOS stands where a text begins.
    """
    at = np.flatnonzero(tokens != BOS)
    before = tokens[at - 1]
    earlier = np.where(before == BOS, BOS, tokens[at - 2])
    bigrams = Counted.of(before * n_vocab + tokens[at])
    trigrams = Counted.of((earlier * n_vocab + before) * n_vocab + tokens[at])
    neighbours = np.bincount(bigrams.grams % n_vocab, minlength=n_vocab)
    return neighbours, bigrams, trigrams


def write(folder: Path, arrays: dict[str, npt.NDArray[np.unsignedinteger]], meta: dict[str, object]) -> None:
    """Write each file beside its place, then put it there; ``meta.json`` last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        temporary = folder / f"{name}.tmp"
        with temporary.open("wb") as out:
            np.save(out, array, allow_pickle=False)
        temporary.replace(folder / f"{name}.npy")
    temporary = folder / "meta.tmp"
    temporary.write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    temporary.replace(folder / "meta.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="holds shards/ and tokenizer/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=80_000_000)
    parser.add_argument("--mix", choices=MIXES, default="part")
    parser.add_argument("--least-bigram", type=int, default=16)
    parser.add_argument("--least-trigram", type=int, default=20)
    options = parser.parse_args()
    vocabulary = read_vocabulary(options.runs / "tokenizer" / "tokenizer.model")
    n_vocab = len(vocabulary.pieces)
    tokens = stream(options.runs / "shards", MIXES[options.mix], options.tokens)
    neighbours, bigrams, trigrams = count(tokens, n_vocab)
    arrays = {"unigram": narrow(neighbours)}
    for name, grams, least in (
        ("bigram", bigrams, options.least_bigram),
        ("trigram", trigrams, options.least_trigram),
    ):
        arrays.update({f"{name}-{part}": array for part, array in level(grams, least, n_vocab).items()})
    meta = {
        "schema": 1,
        "tokenizer": vocabulary_digest(vocabulary.pieces, vocabulary.scores, vocabulary.types),
        "n_vocab": n_vocab,
        "bos": BOS,
        "discount": DISCOUNT,
        "n_tokens": int((tokens != BOS).sum()),
        "least": {"bigram": options.least_bigram, "trigram": options.least_trigram},
    }
    write(options.out, arrays, meta)
    size = sum(array.nbytes for array in arrays.values())
    kept = {name: len(array) for name, array in arrays.items() if name.endswith("keys")}
    print(f"{meta['n_tokens']} tokens, {size / 1e6:.1f} MB, kept {kept}", file=sys.stderr)


if __name__ == "__main__":
    main()
