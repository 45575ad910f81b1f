"""Parse a GGUF file into parts that can be changed one by one, and write it again."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ghostbuster.models.gguf.header import read_header

STRING, ARRAY = 8, 9
CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}


@dataclass
class Value:
    """A metadata value: type, and for arrays the type of the elements."""

    kind: int
    data: Any
    inner: int = 0


@dataclass
class Stored:
    """A tensor: what the table says, and its bytes."""

    dimensions: list[int]
    kind: int
    data: bytes
    offset: int | None = None


@dataclass
class File:
    """A GGUF file in parts."""

    metadata: list[tuple[bytes, Value]]
    tensors: list[tuple[bytes, Stored]]
    alignment: int = 32
    counts: dict[str, int] = field(default_factory=dict)

    def key(self, chance: random.Random) -> int:
        """Where one of the keys stands."""
        return chance.randrange(len(self.metadata))

    def find(self, ending: str) -> Value | None:
        """The value of the first key that ends so."""
        return next((value for key, value in self.metadata if key.endswith(ending.encode())), None)


def take_apart(path: Path) -> File:
    """Metadata with their types, and tensors with their bytes."""
    raw, header = path.read_bytes(), read_header(path)
    at, metadata = 24, []
    for _ in range(struct.unpack_from("<Q", raw, 16)[0]):
        key, at = _string(raw, at)
        (kind,) = struct.unpack_from("<I", raw, at)
        value, at = _value(raw, at + 4, kind)
        metadata.append((key, value))
    tensors = [
        (
            name.encode(),
            Stored(
                list(one.dimensions),
                one.type,
                raw[header.data_begin + one.offset : header.data_begin + one.offset + one.n_bytes],
            ),
        )
        for name, one in header.tensors.items()
    ]
    return File(metadata, tensors)


def _string(raw: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<Q", raw, at)
    return raw[at + 8 : at + 8 + length], at + 8 + length


def _value(raw: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == STRING:
        text, at = _string(raw, at)
        return Value(kind, text), at
    if kind != ARRAY:
        return Value(kind, struct.unpack_from("<" + CODES[kind], raw, at)[0]), at + struct.calcsize(
            CODES[kind]
        )
    inner, count = struct.unpack_from("<IQ", raw, at)
    at += 12
    items: list[Any] = []
    for _ in range(count):
        item, at = _value(raw, at, inner)
        items.append(item.data)
    return Value(ARRAY, items, inner), at


def put_together(file: File) -> bytes:
    """The bytes of a file; what its parts say is written as they say it."""
    n_tensors = file.counts.get("tensors", len(file.tensors))
    n_keys = file.counts.get("keys", len(file.metadata))
    out = bytearray(b"GGUF" + struct.pack("<IQQ", file.counts.get("version", 3), n_tensors, n_keys))
    for key, value in file.metadata:
        out += _bytes(key) + struct.pack("<I", value.kind) + _plain(value)
    offset = 0
    for name, one in file.tensors:
        out += _bytes(name) + struct.pack(f"<I{len(one.dimensions)}Q", len(one.dimensions), *one.dimensions)
        out += struct.pack("<IQ", one.kind, offset if one.offset is None else one.offset)
        offset += len(one.data) + -len(one.data) % file.alignment
    out += bytes(-len(out) % file.alignment)
    for _, one in file.tensors:
        out += one.data + bytes(-len(one.data) % file.alignment)
    return bytes(out)


def _bytes(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _plain(value: Value) -> bytes:
    if value.kind == STRING:
        return _bytes(value.data)
    if value.kind == ARRAY:
        items = b"".join(_plain(Value(value.inner, item)) for item in value.data)
        return struct.pack("<IQ", value.inner, len(value.data)) + items
    return _number(value.kind, value.data)


def _number(kind: int, number: float) -> bytes:
    """``number`` cut to what the type holds."""
    code = CODES.get(kind, "I")
    if code in "fd":
        try:
            return struct.pack("<" + code, float(number))
        except OverflowError:
            return struct.pack("<" + code, float("inf"))
    size = struct.calcsize(code)
    whole = int(number) if number == number and abs(number) != float("inf") else 0  # noqa: PLR0124 - NaN
    return (whole & (1 << 8 * size) - 1).to_bytes(size, "little")


def damage(data: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut off, doubled or overwritten, most of them in the header."""
    raw = bytearray(data)
    end = chance.choice([200, 2000, 15_000, len(raw)])
    how = chance.randrange(4)
    if how == 0:
        return bytes(raw[: chance.randrange(min(end, len(raw)))])
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        at = chance.randrange(min(end, len(raw)))
        if how == 1:
            raw[at] ^= 1 << chance.randrange(8)
        elif how == 2:
            raw[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        else:
            raw[at : at + 8] = struct.pack("<Q", chance.choice([0, 1, 2**31, 2**32, 2**63, 2**64 - 1]))
    return bytes(raw)
