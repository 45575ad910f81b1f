"""Pack token shards and weights for transfer: 16-bit numbers, compressed, in pieces of bounded size.

    python training/lm/packing.py --runs RUNS --mib 40

A piece holds blocks of nearly every source (the smallest have one block, in one piece), so training can begin
with whatever pieces have arrived. Blocks are cut where sentences start and hold their tokens and the lengths
of their sentences. ``base.zip``
holds the tokenizer and the held-out texts.
"""

import argparse
import json
import lzma
import sys
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

BLOCK_TOKENS = 1_000_000
MIB = 1 << 20
Words = npt.NDArray[np.uint16]
# numbers of two bytes; on tokens this took 7.2 bits each where all high before all low bytes took 9.2
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 3, "lp": 1, "pb": 1}]


def encode(words: Words) -> bytes:
    """Compress 16-bit numbers."""
    return lzma.compress(np.ascontiguousarray(words, "<u2").tobytes(), lzma.FORMAT_RAW, filters=_FILTERS)


def decode(data: bytes) -> Words:
    """Undo `encode`."""
    return np.frombuffer(lzma.decompress(data, lzma.FORMAT_RAW, filters=_FILTERS), "<u2")


def blocks(starts: npt.NDArray[np.int64], n_tokens: int, size: int) -> list[tuple[int, int, int, int]]:
    """Cut a shard at sentence starts into blocks: (first, last token, first, last sentence) of each."""
    edges = np.unique(np.searchsorted(starts, np.arange(size, n_tokens, size)))
    edges = np.array([0, *edges[(edges > 0) & (edges < len(starts))], len(starts)])
    cuts = [0, *starts[edges[1:-1]].tolist(), n_tokens]
    return list(zip(cuts, cuts[1:], edges.tolist(), edges[1:].tolist(), strict=False))


def encode_block(path: Path, block: tuple[int, int, int, int]) -> tuple[bytes, bytes]:
    """One block of the shard ``path`` (``<source>.tokens.npy``): tokens and lengths of sentences.

    The first length counts from the block's first token, so that of a document's BOS is in it.
    """
    first, last, sentence, sentences = block
    starts = np.load(path.with_name(path.name.replace(".tokens.", ".starts.")), mmap_mode="r")
    lengths = np.diff(starts[sentence:sentences], prepend=first)
    if lengths.max(initial=0) > np.iinfo(np.uint16).max:
        raise SystemExit(f"{path}: a sentence of {lengths.max()} tokens; expected at most 65,535")
    tokens = np.load(path, mmap_mode="r")[first:last]
    return encode(tokens), encode(lengths.astype(np.uint16))


def pack(shards: Path, out: Path, piece_bytes: int, workers: int = 2, size: int = BLOCK_TOKENS) -> list[Path]:
    """Write ``piece-<k>.zip`` files of at most ``piece_bytes``; return them.

    Raises
    ------
    SystemExit
        When there is no shard, or a block alone is larger than a piece may be.
    """
    jobs: list[tuple[str, Path, tuple[int, int, int, int]]] = []
    for path in sorted(shards.glob("*.tokens.npy")):
        starts = np.load(path.with_name(path.name.replace(".tokens.", ".starts.")))
        cut = blocks(starts, len(np.load(path, mmap_mode="r")), size)
        name = path.name.removesuffix(".tokens.npy")
        jobs += [(f"{name}/{k:04d}", path, block) for k, block in enumerate(cut)]
    if not jobs:
        raise SystemExit(f"{shards}: no shards; training/lm/shards.py makes them")
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        done = list(pool.map(encode_block, *zip(*[job[1:] for job in jobs], strict=True)))
    sizes = [sum(map(len, parts)) for parts in done]
    made = []
    for k, chosen in enumerate(spread(sizes, piece_bytes)):
        made.append(out / f"piece-{k + 1}.zip")
        with zipfile.ZipFile(made[-1], "w", zipfile.ZIP_STORED) as piece:
            for i in chosen:
                for kind, data in zip(("tokens", "lengths"), done[i], strict=True):
                    piece.writestr(zipfile.ZipInfo(f"{jobs[i][0]}.{kind}"), data)
    return made


def spread(sizes: Sequence[int], most: int, overhead: int = 400) -> list[list[int]]:
    """Deal blocks in turn into as few pieces as hold them, each of at most ``most`` bytes."""
    total = sum(sizes) + overhead * len(sizes)
    if max(sizes) + overhead > most:
        raise SystemExit(f"a block of {max(sizes)} bytes; expected pieces of more than that: got {most}")
    n = -(-total // most)
    while True:
        piles: list[list[int]] = [[] for _ in range(n)]
        room = [most] * n
        for i, size in enumerate(sizes):
            k = int(np.argmax(room))
            piles[k].append(i)
            room[k] -= size + overhead
        if min(room) >= 0:
            return piles
        n += 1


def unpack(pieces: Sequence[Path], shards: Path, workers: int = 2) -> dict[str, int]:
    """Write the shards that these pieces hold, whole or in part; return the tokens of each source."""
    members = sorted(
        (name.removesuffix(".tokens"), piece)
        for piece in pieces
        for name in zipfile.ZipFile(piece).namelist()
        if name.endswith(".tokens")
    )
    shards.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(_read_block, *zip(*members, strict=True))
        for source, parts in _by_source(members, found):
            ends = np.cumsum([len(tokens) for tokens, _ in parts])
            starts = [
                np.cumsum(lengths, dtype=np.int64) + end - len(tokens)
                for (tokens, lengths), end in zip(parts, ends, strict=True)
            ]
            save(shards / f"{source}.starts.npy", np.concatenate(starts))
            save(shards / f"{source}.tokens.npy", np.concatenate([tokens for tokens, _ in parts]))
            counts[source] = int(ends[-1])
    return counts


def _by_source(
    members: list[tuple[str, Path]], found: Iterator[tuple[Words, Words]]
) -> Iterator[tuple[str, list[tuple[Words, Words]]]]:
    source, parts = members[0][0].split("/")[0], []
    for (name, _), part in zip(members, found, strict=True):
        if name.split("/")[0] != source:
            yield source, parts
            source, parts = name.split("/")[0], []
        parts.append(part)
    yield source, parts


def _read_block(name: str, piece: Path) -> tuple[Words, Words]:
    with zipfile.ZipFile(piece) as opened:
        return decode(opened.read(f"{name}.tokens")), decode(opened.read(f"{name}.lengths"))


def pack_base(runs: Path, out: Path) -> Path:
    """Write ``base.zip``: what training and measuring read beside the shards."""
    wanted = [runs / "tokenizer" / "tokenizer.model", *sorted((runs / "corpus" / "heldout").glob("*.txt"))]
    with zipfile.ZipFile(out / "base.zip", "w", zipfile.ZIP_LZMA) as base:
        for path in wanted:
            base.write(path, path.relative_to(runs))
    return out / "base.zip"


def save(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write an array beside its place, then put it there."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as out:
        np.save(out, array, allow_pickle=False)
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="holds shards/, tokenizer/, corpus/")
    parser.add_argument("--mib", type=float, default=40.0, help="most of a piece")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    out = options.runs / "packed"
    made = pack(options.runs / "shards", out, int(options.mib * MIB), options.processes)
    made.append(pack_base(options.runs, out))
    print(json.dumps({path.name: path.stat().st_size for path in made}), file=sys.stderr)


if __name__ == "__main__":
    main()
