"""Mutations of valid GGUF files, aimed at what llama.cpp does not check.

A change touches one thing of the metadata or the tensors; what is written is a file whose other parts still
fit, so that it gets past the first check. One in five inputs has its bytes damaged instead.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.gguf_names import (
    BLOCK_TENSORS,
    FLOATS,
    GENERAL_KEYS,
    KEYS,
    PIECES,
    PRES,
    SIZES,
    TENSORS,
    TOKENIZER_KEYS,
)
from benchmarks.fuzz.gguf_parts import (
    ARRAY,
    CODES,
    STRING,
    File,
    Stored,
    Value,
    damage,
    put_together,
    take_apart,
)
from ghostbuster.models.gguf.header import TENSOR_TYPES


def odd_number(chance: random.Random, kind: int) -> float:
    """A number at some edge of its type."""
    if CODES.get(kind, "I") in "fd":
        return chance.choice([*FLOATS, chance.uniform(-1e4, 1e4)])
    return chance.choice([*SIZES, -1, -2, 2**32, 2**63 - 1, 2**64 - 1, chance.randrange(1024)])


def _a_value(chance: random.Random, n_pieces: int) -> Value:
    """Some value of some type."""
    kind = chance.choice([0, 4, 4, 4, 5, 6, 6, 7, 7, STRING, ARRAY, 10, 12])
    if kind == STRING:
        return Value(
            STRING, chance.choice([*PIECES, b"yarn", b"linear", b"longrope", b"none", b"llama", b"gpt2"])
        )
    if kind == ARRAY:
        inner = chance.choice([4, 5, 6, 7, STRING])
        count = chance.choice([0, 1, 2, 3, 4, 5, 33, n_pieces])
        pick: Callable[[], Any] = (
            (lambda: chance.choice(PIECES[:-2])) if inner == STRING else (lambda: odd_number(chance, inner))
        )
        return Value(ARRAY, [pick() for _ in range(count)], inner)
    return Value(kind, odd_number(chance, kind))


# one change each -----------------------------------------------------------------------------------


def change_value(file: File, chance: random.Random) -> None:
    """A number at an edge, a text that is none."""
    _, value = file.metadata[file.key(chance)]
    if value.kind == STRING:
        value.data = chance.choice(
            [*PIECES, *(pre.encode() for pre in PRES), value.data[:-1], value.data * 2]
        )
    elif value.kind == ARRAY and value.data:
        at = chance.randrange(len(value.data))
        value.data[at] = chance.choice(PIECES) if value.inner == STRING else odd_number(chance, value.inner)
    elif value.kind != ARRAY:
        value.data = odd_number(chance, value.kind)


def change_type(file: File, chance: random.Random) -> None:
    """The same key with a value of another type."""
    at = file.key(chance)
    file.metadata[at] = (file.metadata[at][0], _a_value(chance, _n_pieces(file)))


def remove_key(file: File, chance: random.Random) -> None:
    """One key fewer."""
    del file.metadata[file.key(chance)]


def repeat_key(file: File, chance: random.Random) -> None:
    """A key twice."""
    file.metadata.append(file.metadata[file.key(chance)])


def add_key(file: File, chance: random.Random) -> None:
    """A key that llama.cpp reads and the file had not, or another value for one that it had."""
    architecture = file.find("general.architecture")
    prefix = (
        architecture.data.decode(errors="replace")
        if architecture and architecture.kind == STRING
        else "llama"
    )
    names = [
        *(f"{prefix}.{name}" for name in KEYS),
        *(f"tokenizer.ggml.{name}" for name in TOKENIZER_KEYS),
        *(f"general.{name}" for name in GENERAL_KEYS),
        "split.count",
        "tokenizer.chat_template",
    ]
    key = chance.choice(names).encode()
    file.metadata = [(name, value) for name, value in file.metadata if name != key]
    file.metadata.append((key, _a_value(chance, _n_pieces(file))))


def rename_architecture(file: File, chance: random.Random) -> None:
    """Another architecture, with or without keys of its name."""
    old = file.find("general.architecture")
    if old is None or old.kind != STRING:
        return
    new = chance.choice(
        [b"llama", b"mistral3", b"qwen2", b"qwen3", b"smollm3", b"gpt2", b"bert", b"", b"clip"]
    )
    if chance.random() < 0.8:
        prefix = old.data + b"."
        file.metadata = [
            (new + key[len(prefix) - 1 :] if key.startswith(prefix) else key, value)
            for key, value in file.metadata
        ]
    old.data = new


def change_array(file: File, chance: random.Random) -> None:
    """An array longer, shorter, empty or of other elements."""
    arrays = [value for _, value in file.metadata if value.kind == ARRAY]
    if not arrays:
        return
    value = chance.choice(arrays)
    how = chance.randrange(5)
    if how == 0:
        value.data = value.data[: chance.choice([0, 1, len(value.data) - 1, len(value.data) // 2])]
    elif how == 1:
        value.data = value.data + value.data[: chance.choice([1, 2, len(value.data)])]
    elif how == 2 and value.inner != STRING:
        value.inner = chance.choice([kind for kind in CODES if kind != value.inner])
    elif how == 3 and len(value.data) > 1:
        chance.shuffle(value.data)
    elif value.data:
        value.data = [value.data[0]] * len(value.data)


def change_pieces(file: File, chance: random.Random) -> None:
    """Pieces, kinds, scores or merges of the vocabulary."""
    name = chance.choice(["tokens", "token_type", "scores", "merges"])
    value = file.find(f"tokenizer.ggml.{name}")
    if value is None or value.kind != ARRAY or not value.data:
        return
    for _ in range(chance.choice([1, 1, 3, 50])):
        at = chance.randrange(len(value.data))
        if value.inner == STRING:
            odd = [*PIECES, b"a b", b"a  b", b"a", b" ", b"zz yy", value.data[at] + b"\xff"]
            value.data[at] = chance.choice(odd)
        else:
            value.data[at] = chance.choice([odd_number(chance, value.inner), chance.randrange(9)])


def change_special(file: File, chance: random.Random) -> None:
    """Another token where a special one is named."""
    name = chance.choice([name for name in TOKENIZER_KEYS if name.endswith("_id")])
    key = f"tokenizer.ggml.{name}".encode()
    n_pieces = _n_pieces(file)
    token = chance.choice([0, 1, n_pieces - 1, n_pieces, -1, -2, 2**31, chance.randrange(max(n_pieces, 1))])
    file.metadata = [(known, value) for known, value in file.metadata if known != key]
    file.metadata.append((key, Value(chance.choice([4, 4, 4, 5, 10]), token)))


def change_dimensions(file: File, chance: random.Random) -> None:
    """A tensor of another shape; its bytes follow, or do not."""
    _, one = chance.choice(file.tensors)
    how = chance.randrange(4)
    if how == 0:
        one.dimensions.reverse()
    elif how == 1:
        one.dimensions.append(chance.choice([1, 1, 2, 0]))
    elif how == 2 and len(one.dimensions) > 1:
        one.dimensions = [one.dimensions[0] * one.dimensions[1]]
    else:
        at = chance.randrange(len(one.dimensions))
        one.dimensions[at] = chance.choice([one.dimensions[at] * 2, one.dimensions[at] // 2, *SIZES, 2**62])
    if chance.random() < 0.8:
        _refill(one)


def change_tensor_type(file: File, chance: random.Random) -> None:
    """A tensor, or all that are like it, of another type; bytes that fit."""
    kind = chance.choice([*TENSOR_TYPES, 4, 5, 15, 24, 25, 26, 27, 28, 31, 34, 35, 40, 99])
    _, chosen = chance.choice(file.tensors)
    alike = chance.random() < 0.3
    for _, one in file.tensors:
        if one is chosen or (alike and len(one.dimensions) == len(chosen.dimensions)):
            one.kind = kind
            _refill(one)


def change_table(file: File, chance: random.Random) -> None:
    """A tensor fewer, twice, of another name, added, or at another offset."""
    at = chance.randrange(len(file.tensors))
    name, one = file.tensors[at]
    how = chance.randrange(6)
    if how == 0:
        del file.tensors[at]
    elif how == 1:
        file.tensors.append((name, one))
    elif how == 2:
        file.tensors[at] = (
            chance.choice([b"", name[:-1], b"x" * 100, b"blk.99.attn_q.weight", b"\xff"]),
            one,
        )
    elif how == 3:
        one.offset = chance.choice([0, 1, 32, 2**40, 2**64 - 32, 2**63])
    elif how == 4:
        file.tensors.reverse()
    else:
        layer = chance.choice([0, 1, 7])
        extra = chance.choice([*TENSORS, *(f"blk.{layer}.{suffix}" for suffix in BLOCK_TENSORS)]).encode()
        shape = chance.choice([[1], [8], [32], [64], [32, 32], [32, 512], list(one.dimensions), [32, 32, 2]])
        made = Stored(shape, chance.choice([0, 1, one.kind]), b"")
        _refill(made)
        file.tensors.append((extra, made))


def change_weights(file: File, chance: random.Random) -> None:
    """Numbers that are none among the weights: NaN, infinity, the largest, or noise."""
    _, one = chance.choice(file.tensors)
    data = bytearray(one.data)
    odd = {0: [b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f"], 1: [b"\0\x7e", b"\0\x7c", b"\xff\x7b"]}
    for _ in range(chance.choice([1, 4, 1000])):
        raw = chance.choice(odd.get(one.kind, [b"\xff\xff", b"\0\x7e", chance.randbytes(4)]))
        at = chance.randrange(max(1, len(data) - 4)) // len(raw) * len(raw)
        data[at : at + len(raw)] = raw
    one.data = bytes(data[: len(one.data)])


def change_alignment(file: File, chance: random.Random) -> None:
    """Another alignment, kept or not."""
    named = chance.choice([0, 1, 2, 4, 8, 16, 64, 128, 4096, 3, 48, 2**20, 2**31])
    file.metadata.append((b"general.alignment", Value(chance.choice([4, 4, 4, 5, 10, 0]), named)))
    file.alignment = named if 0 < named <= 4096 and chance.random() < 0.8 else 32


def change_counts(file: File, chance: random.Random) -> None:
    """A header that counts wrongly."""
    what = chance.choice(["tensors", "keys", "version"])
    count = {"tensors": len(file.tensors), "keys": len(file.metadata), "version": 3}[what]
    file.counts[what] = chance.choice([0, 1, 2, count - 1, count + 1, 2**31, 2**32 - 1])


def _refill(one: Stored) -> None:
    """As many bytes as the table says, where that is not absurd."""
    _, values, size = TENSOR_TYPES.get(one.kind, ("", 1, 4))
    n_bytes = 1
    for n in one.dimensions:
        n_bytes *= n
    n_bytes = n_bytes // values * size
    if n_bytes <= 1 << 20:
        one.data = (one.data * (n_bytes // max(len(one.data), 1) + 1))[:n_bytes].ljust(n_bytes, b"\0")


def _n_pieces(file: File) -> int:
    tokens = file.find("tokenizer.ggml.tokens")
    return len(tokens.data) if tokens is not None and tokens.kind == ARRAY else 0


CHANGES: tuple[Callable[[File, random.Random], None], ...] = (
    change_value,
    change_value,
    change_type,
    remove_key,
    repeat_key,
    add_key,
    add_key,
    add_key,
    rename_architecture,
    change_array,
    change_pieces,
    change_pieces,
    change_special,
    change_dimensions,
    change_tensor_type,
    change_table,
    change_table,
    change_weights,
    change_alignment,
    change_counts,
)


def mutated(sound: Path, seed: int) -> tuple[bytes, str]:
    """The bytes of a mutated file, and the names of what was changed."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    if chance.random() < 0.2:
        return damage(sound.read_bytes(), chance), "damage"
    file = take_apart(sound)
    names = []
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        change = chance.choice(CHANGES)
        if file.metadata and file.tensors:
            change(file, chance)
            names.append(change.__name__)
    return put_together(file), "+".join(names)
