"""Parse and validate GGUF headers before llama.cpp opens the file: it crashes on some damaged ones.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ghostbuster.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_ENTRIES = 1 << 20  # metadata keys or tensors; real files have a few hundred
MAX_STRING = 1 << 24
MAX_DIMENSIONS = 4
MIN_ALIGNMENT = 32  # bytes; llama.cpp crashes where a tensor begins elsewhere

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

# ggml's tensor types: number -> (name, values a block, bytes a block)
TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    39: ("MXFP4", 32, 17),
}


@dataclass(frozen=True)
class Tensor:
    """One entry of the tensor table.

    Parameters
    ----------
    dimensions : tuple of int
        The contiguous one first, as GGUF has it.
    type : int
        Key of `TENSOR_TYPES`.
    offset : int, bytes from the begin of the tensor data
    """

    dimensions: tuple[int, ...]
    type: int
    offset: int

    @property
    def n_values(self) -> int:
        """Number of parameters."""
        return prod(self.dimensions)

    @property
    def n_bytes(self) -> int:
        """Bytes in the file."""
        _, values, size = TENSOR_TYPES[self.type]
        return self.n_values // values * size

    @property
    def type_name(self) -> str:
        """Ggml's name of the tensor type, such as ``Q4_K``."""
        return TENSOR_TYPES[self.type][0]


@dataclass(frozen=True)
class Header:
    """A GGUF header: metadata by key, tensor table by name, and the byte at which tensor data begin.

    Parameters
    ----------
    path : Path
    metadata : mapping of str to object
        Strings are bytes, arrays are tuples.
    tensors : mapping of str to Tensor
    data_begin : int, bytes from the file's begin
    """

    path: Path
    metadata: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    data_begin: int

    @property
    def n_parameters(self) -> int:
        """Parameters of the model."""
        return sum(tensor.n_values for tensor in self.tensors.values())

    @property
    def quantisation(self) -> str:
        """The tensor type that holds most of the bytes."""
        sizes: dict[str, int] = {}
        for tensor in self.tensors.values():
            sizes[tensor.type_name] = sizes.get(tensor.type_name, 0) + tensor.n_bytes
        return max(sizes, key=lambda name: (sizes[name], name))


class MalformedFileError(Exception):
    """Why a file is no valid GGUF; `read_header` raises it again as a `ModelError`."""


def read_header(path: str | Path) -> Header:
    """Read the metadata and the tensor table, and check both against the file's size.

    Raises
    ------
    ModelError
        When the file is missing, no regular file, not GGUF, or cut short or malformed.
    """
    file = Path(path)
    if not file.exists():
        raise ModelError(f"{file}: no such file; expected a GGUF model: check the path")
    if not file.is_file():
        raise ModelError(f"{file}: not a regular file; expected a GGUF model: name the .gguf file itself")
    try:
        with file.open("rb") as stream:
            if stream.read(4) != MAGIC:
                raise ModelError(
                    f"{file}: not a GGUF file; expected one that begins with 'GGUF': convert the model"
                )
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parse(file, data)
    except OSError as error:
        raise ModelError(
            f"{file}: cannot be read ({error.strerror}); expected a readable GGUF model"
        ) from error
    except MalformedFileError as error:
        raise ModelError(f"{file}: damaged GGUF file, {error}; expected a whole one: get it again") from error


class _Cursor:
    """Reads values one after another; never past the end of the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = len(MAGIC)

    def take(self, n_bytes: int) -> bytes:
        if n_bytes > len(self.data) - self.at:
            raise MalformedFileError(f"cut short at byte {len(self.data)}")
        self.at += n_bytes
        return self.data[self.at - n_bytes : self.at]

    def number(self, code: str) -> int:
        return int(struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0])

    def string(self) -> bytes:
        length = self.number("Q")
        if length > MAX_STRING:
            raise MalformedFileError(f"a string of {length} bytes at byte {self.at}")
        return self.take(length)

    def name(self) -> str:
        try:
            return self.string().decode()
        except UnicodeDecodeError:
            raise MalformedFileError(f"a name that is not UTF-8 at byte {self.at}") from None

    def value(self) -> object:
        kind = self.number("I")
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalars(kind, 1)[0]
        kind, count = self.number("I"), self.number("Q")
        if kind != _STRING:
            return self.scalars(kind, count)
        if count > len(self.data) // 8:  # a string costs at least its length field
            raise MalformedFileError(f"an array of {count} strings at byte {self.at}")
        return self.strings(count)

    def strings(self, count: int) -> tuple[bytes, ...]:
        """As many calls of `string`, in a third of the time: a vocabulary has 100,000 pieces and merges."""
        data, size, at = self.data, len(self.data), self.at
        length_at = struct.Struct("<Q").unpack_from
        found = []
        for _ in range(count):
            begin = at + 8
            if begin > size:
                raise MalformedFileError(f"cut short at byte {size}")
            length = length_at(data, at)[0]
            at = begin + length
            if length > MAX_STRING:
                raise MalformedFileError(f"a string of {length} bytes at byte {begin}")
            if at > size:
                raise MalformedFileError(f"cut short at byte {size}")
            found.append(data[begin:at])
        self.at = at
        return tuple(found)

    def scalars(self, kind: int, count: int) -> tuple[object, ...]:
        if kind not in _SCALARS:
            raise MalformedFileError(f"unknown value type {kind} at byte {self.at}")
        code = _SCALARS[kind]
        raw = self.take(count * struct.calcsize("<" + code))
        return struct.unpack(f"<{count}{code}", raw)


def _parse(path: Path, data: mmap.mmap) -> Header:
    """Metadata, then tensors, then the check that every tensor lies within the file."""
    cursor = _Cursor(data)
    version = cursor.number("I")
    if version not in VERSIONS:
        raise MalformedFileError(f"format version {version} where 2 or 3 is known")
    n_tensors, n_keys = cursor.number("Q"), cursor.number("Q")
    if not 0 < n_tensors <= MAX_ENTRIES or n_keys > MAX_ENTRIES:
        raise MalformedFileError(f"{n_tensors} tensors and {n_keys} metadata keys")
    metadata: dict[str, object] = {}
    for _ in range(n_keys):
        key = cursor.name()
        if key in metadata:
            raise MalformedFileError(f"metadata key {key} twice")
        metadata[key] = cursor.value()
    tensors: dict[str, Tensor] = {}
    for _ in range(n_tensors):
        name = cursor.name()
        if name in tensors:
            raise MalformedFileError(f"tensor {name} twice")
        tensors[name] = _tensor(cursor, name)
    return Header(path, metadata, tensors, _check_offsets(metadata, tensors, cursor.at, len(data)))


def _tensor(cursor: _Cursor, name: str) -> Tensor:
    """One entry of the tensor table; its sizes make sense by themselves."""
    n_dimensions = cursor.number("I")
    if not 0 < n_dimensions <= MAX_DIMENSIONS:
        raise MalformedFileError(f"tensor {name} with {n_dimensions} dimensions")
    tensor = Tensor(
        tuple(cursor.number("Q") for _ in range(n_dimensions)),
        cursor.number("I"),
        cursor.number("Q"),
    )
    if tensor.type not in TENSOR_TYPES:
        raise MalformedFileError(f"tensor {name} of unknown type {tensor.type}")
    if min(tensor.dimensions) == 0 or tensor.dimensions[0] % TENSOR_TYPES[tensor.type][1]:
        raise MalformedFileError(f"tensor {name} of dimensions {tensor.dimensions}")
    return tensor


def _check_offsets(
    metadata: Mapping[str, object], tensors: Mapping[str, Tensor], header_end: int, file_size: int
) -> int:
    """Tensors lie one after another, aligned, within the file; the byte where the first begins."""
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not MIN_ALIGNMENT <= alignment <= MAX_ENTRIES:
        raise MalformedFileError(f"alignment {alignment!r}")
    if alignment & (alignment - 1):
        raise MalformedFileError(f"alignment {alignment!r}")
    begin = -(-header_end // alignment) * alignment
    expected = 0
    for name, tensor in tensors.items():
        if tensor.offset != expected:
            raise MalformedFileError(f"tensor {name} at offset {tensor.offset} where {expected} was due")
        if begin + tensor.offset + tensor.n_bytes > file_size:
            raise MalformedFileError(f"cut short: tensor {name} ends past byte {file_size}")
        expected = -(-(tensor.offset + tensor.n_bytes) // alignment) * alignment
    return begin
