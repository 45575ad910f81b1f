"""Write a small Llama model with another model's tensor types, to benchmark CPU paths on.

Kernels are chosen by tensor type and shape alone, so a file of a few megabytes, quickly written, tells what a
model of any size would. Its matrices are large enough to be repacked, and filled with bytes of the other
model's own tensors: valid blocks of the right type, for every type.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ghostbuster.models.gguf.header import MAGIC, Header, Tensor, read_header

WIDTH = 1024  # divisible by every block size and every interleaving of rows that ggml knows
HIDDEN = 2048
HEADS, KV_HEADS = 8, 2
VOCABULARY = 512
CONTEXT = 512
LAYERS = 4
ALIGNMENT = 32
F32 = 0

_KV_WIDTH = WIDTH // HEADS * KV_HEADS
MATRICES = {  # role: (inputs, outputs)
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (WIDTH, _KV_WIDTH),
    "attn_v": (WIDTH, _KV_WIDTH),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (WIDTH, HIDDEN),
    "ffn_up": (WIDTH, HIDDEN),
    "ffn_down": (HIDDEN, WIDTH),
}


@dataclass(frozen=True)
class _Stored:
    """A tensor as it is written."""

    dimensions: tuple[int, ...]
    type: int
    data: bytes


def write_probe_model(like: str | Path, path: str | Path) -> None:
    """Write the small model to ``path``; it has no pieces, so it can read tokens but no text.

    Parameters
    ----------
    like : str or Path
        The GGUF whose tensor types, and bytes, it gets.
    path : str or Path

    Raises
    ------
    ModelError
        When ``like`` is no sound GGUF.
    """
    header = read_header(like)
    tensors = _layers(header)
    tensors["token_embd.weight"] = _random(0.02, seed=1)  # small: the layers are to decide the logits
    tensors["output_norm.weight"] = _ones()
    tensors["output.weight"] = _random(3 * WIDTH**-0.5, seed=2)  # logits spread like a trained model's
    with Path(path).open("wb") as stream:
        _write(stream, tensors)


def _layers(header: Header) -> dict[str, _Stored]:
    """Layers with the types of four of the model's own, and every other type of it in some place."""
    donors = _donors(header)
    n_layers = 1 + max(
        (int(name.split(".")[1]) for name in header.tensors if name.startswith("blk.")), default=0
    )
    missing = set(donors)
    types: dict[str, int] = {}
    for i in range(LAYERS):
        for role in MATRICES:
            own = header.tensors.get(f"blk.{i * (n_layers - 1) // (LAYERS - 1)}.{role}.weight")
            types[f"blk.{i}.{role}.weight"] = own.type if own else next(iter(donors))
    missing -= set(types.values())
    for i, kind in enumerate(sorted(missing)):
        types[f"blk.{i % LAYERS}.{list(MATRICES)[-1 - i // LAYERS]}.weight"] = kind
    tensors = {}
    with header.path.open("rb") as source:
        for name, kind in types.items():
            dimensions = MATRICES[name.split(".")[2]]
            data = _blocks(source, header, donors[kind], dimensions)
            tensors[name] = _Stored(dimensions, kind, data)
    norms = (f"blk.{i}.{name}.weight" for i in range(LAYERS) for name in ("attn_norm", "ffn_norm"))
    return tensors | {name: _ones() for name in norms}


def _donors(header: Header) -> dict[int, Tensor]:
    """The largest matrix of each type, the type with the largest first."""
    matrices = [tensor for tensor in header.tensors.values() if len(tensor.dimensions) > 1]
    donors: dict[int, Tensor] = {}
    for tensor in sorted(matrices, key=lambda tensor: -tensor.n_bytes):
        donors.setdefault(tensor.type, tensor)
    return donors


def _blocks(source: BinaryIO, header: Header, donor: Tensor, dimensions: tuple[int, ...]) -> bytes:
    """As many of the donor's bytes as a matrix of these dimensions has; over again where they are too few."""
    wanted = Tensor(dimensions, donor.type, 0).n_bytes
    source.seek(header.data_begin + donor.offset)
    found = source.read(min(wanted, donor.n_bytes))
    return (found * -(-wanted // len(found)))[:wanted]


def _random(scale: float, seed: int) -> _Stored:
    """Embeddings, or an output head; the same at every call."""
    values = np.random.default_rng(seed).standard_normal((VOCABULARY, WIDTH), np.float32) * np.float32(scale)
    return _Stored((WIDTH, VOCABULARY), F32, values.astype("<f4").tobytes())


def _ones() -> _Stored:
    """Weights of a norm."""
    return _Stored((WIDTH,), F32, np.ones(WIDTH, "<f4").tobytes())


def _write(stream: BinaryIO, tensors: Mapping[str, _Stored]) -> None:
    """GGUF, version 3: metadata, table of tensors, their data."""
    metadata: dict[str, str | float] = {
        "general.architecture": "llama",
        "general.alignment": ALIGNMENT,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": HIDDEN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": VOCABULARY,
        "tokenizer.ggml.model": "no_vocab",
    }
    header = bytearray(MAGIC + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        header += _string(key) + _value(value)
    offset = 0
    for name, tensor in tensors.items():
        header += _string(name) + struct.pack("<I", len(tensor.dimensions))
        header += struct.pack(f"<{len(tensor.dimensions)}Q", *tensor.dimensions)
        header += struct.pack("<IQ", tensor.type, offset)
        offset += _aligned(len(tensor.data))
    stream.write(header.ljust(_aligned(len(header)), b"\0"))
    for tensor in tensors.values():
        stream.write(tensor.data.ljust(_aligned(len(tensor.data)), b"\0"))


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _value(value: str | float) -> bytes:
    """A metadata value behind the number of its type."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    return struct.pack("<II", 4, value) if isinstance(value, int) else struct.pack("<If", 6, value)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
