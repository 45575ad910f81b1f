"""Read n-gram counts from disk: memory-mapped ``.npy`` arrays and a ``meta.json``."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.digest import file_digest

UnsignedArray = npt.NDArray[np.unsignedinteger]

SCHEMA = 1
MAX_META = 1 << 16
"""Characters of a ``meta.json`` that are read."""
PARTS = ("contexts", "totals", "keys", "counts")
_MAGIC = b"\x93NUMPY\x01\x00"
# as np.save writes it; np.load would take archives and headers of any kind too
_HEADER = re.compile(
    rb"\{'descr': '([<|]u[1248])', 'fortran_order': (?:False|True), 'shape': \(([0-9]{1,12}),\), \} *\n"
)
MAX_PIECES = 1 << 21  # three piece ids fit one 64-bit key


@dataclass(frozen=True, slots=True)
class Shape:
    """What the counts mean: vocabulary size, the id that pads a text's start, the discount."""

    n_vocab: int
    bos: int
    discount: float


@dataclass(frozen=True, slots=True)
class Counts:
    """N-gram counts of one order, as sorted flat arrays.

    Parameters
    ----------
    contexts : (n_contexts,) sorted
        Each context as one number: its token ids as digits in base ``n_vocab``.
    totals : (n_contexts,)
        How often anything followed the context.
    keys : (n_grams,) sorted
        Row of the context in ``contexts``, times ``n_vocab``, plus the id of the token that followed.
    counts : (n_grams,)
        How often it did.
    """

    contexts: UnsignedArray
    totals: UnsignedArray
    keys: UnsignedArray
    counts: UnsignedArray


def damaged(path: Path, expected: str) -> str:
    """Message for a file that is not what it should be."""
    return f"{path} is damaged: expected {expected}; install ghostbuster again or train the n-grams again"


def read_meta(path: Path) -> tuple[str, Shape]:
    """Digest of the vocabulary, and what the counts mean.

    Raises
    ------
    ModelError
        When the file is missing, damaged, or of another schema.
    """
    try:
        meta = json.loads(path.read_text(encoding="utf-8")[:MAX_META])
        schema, tokenizer = meta["schema"], meta["tokenizer"]
        shape = Shape(int(meta["n_vocab"]), int(meta["bos"]), float(meta["discount"]))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); expected an n-gram model") from None
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
        raise ModelError(damaged(path, "schema, tokenizer, n_vocab, bos and discount")) from None
    if schema != SCHEMA:
        raise ModelError(
            f"{path} has schema {str(schema)[:20]}; this version reads {SCHEMA}: train the n-grams again"
        )
    sound = 0 <= shape.bos < shape.n_vocab <= MAX_PIECES and 0 < shape.discount < 1
    if not isinstance(tokenizer, str) or not sound:
        raise ModelError(damaged(path, "0 <= bos < n_vocab, 0 < discount < 1 and a digest"))
    return tokenizer, shape


def read_array(path: Path) -> UnsignedArray:
    """Map a flat array of unsigned integers.

    Raises
    ------
    ModelError
        When the file is missing or holds anything else.
    """
    try:
        with path.open("rb") as stream:
            begin = stream.read(len(_MAGIC) + 2)
            header = stream.read(int.from_bytes(begin[len(_MAGIC) :], "little"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); expected an array") from None
    if not begin.startswith(_MAGIC) or not header.endswith(b"\n"):
        raise ModelError(damaged(path, "a NumPy array"))
    found = _HEADER.fullmatch(header)
    if found is None:
        raise ModelError(damaged(path, "a flat array of unsigned integers"))
    dtype, length = np.dtype(found[1].decode()), int(found[2])
    offset = len(begin) + len(header)
    if path.stat().st_size != offset + length * dtype.itemsize:
        raise ModelError(damaged(path, f"{length} numbers"))
    array = np.memmap(path, dtype, "r", offset, (length,))
    # a plain view: indexing a memmap subclass is slow
    flat: UnsignedArray = np.asarray(array)
    return flat


def read_counts(folder: Path, name: str, shape: Shape) -> Counts:
    """Map the counts of one order: the files ``<name>-<part>.npy``.

    Raises
    ------
    ModelError
        When a file is missing or damaged, or the arrays do not fit each other.
    """
    contexts, totals, keys, counts = (read_array(folder / f"{name}-{part}.npy") for part in PARTS)
    path = folder / f"{name}-keys.npy"
    rising = (np.diff(keys.astype(np.int64)) > 0).all() and (np.diff(contexts.astype(np.int64)) > 0).all()
    if len(contexts) != len(totals) or len(keys) != len(counts) or not rising:
        raise ModelError(damaged(path, "sorted keys, as many as counts"))
    there = not len(keys) or int(keys[-1]) // shape.n_vocab < len(contexts)
    if not totals.all() or not counts.all() or not there:
        raise ModelError(damaged(path, "keys of contexts that are there, counts above 0"))
    return Counts(contexts, totals, keys, counts)


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and digests of a folder's files."""
    lines = [f"{path.name} {file_digest(path)}" for path in ngram_files(folder)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def ngram_files(folder: Path) -> list[Path]:
    """The files that an n-gram model consists of."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in {".npy", ".json"})
