"""Check that a GGUF is a supported language model whose vocabulary can encode every text."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.digest import FileIdentity, file_identity, known_digest
from ghostbuster.models.gguf.header import Header, read_header
from ghostbuster.models.gguf.model_file import ModelFile, checked_before, remember_check
from ghostbuster.models.gguf.vocabulary import vocabulary_digest

ARCHITECTURES = ("llama", "mistral3", "qwen2", "qwen3", "smollm3")  # decoder-only, rotary, gated, RMS-normed
TOKENIZERS = ("llama", "gpt2")  # SentencePiece with byte fallback, byte-level BPE
POSITIVE_KEYS = (
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "attention.head_count",
)
MAX_SIZE = 1 << 24  # larger widths and contexts are no language models
MAX_LAYERS = 512  # llama.cpp crashes above
ROPE_SCALINGS = (b"none", b"linear", b"yarn", b"longrope")  # llama.cpp crashes at any other

_BYTE_TYPE = 6
_BYTE_PIECES = frozenset(f"<0x{byte:02X}>".encode() for byte in range(256))
_F32 = 0


def check_model(path: str | Path) -> ModelFile:
    """Read and check the header of a GGUF language model, unless bytes with its digest have passed before.

    Only large files have a digest that is known without reading them (`digest.known_digest`).

    Raises
    ------
    ModelError
        When the file is missing, damaged, of another architecture, or without a usable vocabulary.
    """
    file = Path(path).absolute()
    return _check(file, file_identity(file))


@lru_cache(maxsize=16)
def _check(path: Path, made: FileIdentity) -> ModelFile:
    """`check_model`, cached until the file changes."""
    digest = known_digest(path, made)
    found = None if digest is None else checked_before(path, digest)
    if found is None:
        found = _read(path, made)
        if digest is not None:
            remember_check(found, digest)
    return found


def _read(path: Path, made: FileIdentity) -> ModelFile:
    """What the header says, checked."""
    header = read_header(path)
    _refuse_part(header)
    if "adapter.type" in header.metadata:
        raise ModelError(f"{header.path} is an adapter of a language model; expected the model itself")
    architecture = _text(header, "general.architecture")
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"{header.path}: architecture {architecture!r}; expected a Llama-family language model "
            f"({', '.join(ARCHITECTURES)}): choose another GGUF"
        )
    sizes = {key: _positive(header, f"{architecture}.{key}") for key in POSITIVE_KEYS}
    _check_heads(header, architecture, sizes)
    _check_constants(header, architecture)
    return ModelFile(
        path=header.path,
        architecture=architecture,
        n_parameters=header.n_parameters,
        n_bytes=made[0],
        n_layers=sizes["block_count"],
        quantisation=header.quantisation,
        matrix_types=tuple(sorted({t.type_name for t in header.tensors.values() if len(t.dimensions) > 1})),
        context=sizes["context_length"],
        n_vocabulary=_check_vocabulary(header),
        begin=_begin_token(header),
        tokenizer=_tokenizer_digest(header),
    )


def _refuse_part(header: Header) -> None:
    """Refuse one part of a split model: its size, parameters and digest would say nothing of the others."""
    count = header.metadata.get("split.count", 1)
    if type(count) is int and count in {0, 1}:
        return
    raise ModelError(
        f"{header.path}: one of {_short(count)} parts of a model; expected a whole one: merge them with "
        f"`llama-gguf-split --merge FIRST_PART MERGED.gguf` (of llama.cpp) and give the merged file"
    )


def _positive(header: Header, key: str) -> int:
    """A number of at least 1, or the smallest of one per layer."""
    value = header.metadata.get(key)
    numbers = value if isinstance(value, tuple) and value else (value,)
    for number in numbers:
        if type(number) is not int or not 0 < number <= MAX_SIZE:
            raise ModelError(
                f"{header.path}: metadata {key} is {_short(value)}; "
                f"expected a whole number from 1 to {MAX_SIZE}: convert the model again"
            )
    return min(number for number in numbers if isinstance(number, int))


def _check_heads(header: Header, architecture: str, sizes: Mapping[str, int]) -> None:
    """Heads divide the width, key-value heads divide the heads: llama.cpp divides by both."""
    heads, width = sizes["attention.head_count"], sizes["embedding_length"]
    key = f"{architecture}.attention.head_count_kv"
    kv_heads = _positive(header, key) if key in header.metadata else heads
    key = f"{architecture}.attention.key_length"
    head_size = _positive(header, key) if key in header.metadata else None
    if heads % kv_heads or (width % heads and head_size is None):
        raise ModelError(
            f"{header.path}: {heads} heads, {kv_heads} key-value heads, width {width}; "
            f"expected key-value heads to divide heads, and heads the width: convert the model again"
        )
    key, expected = f"{architecture}.rope.dimension_count", head_size or width // heads
    if key in header.metadata and _positive(header, key) != expected:
        raise ModelError(
            f"{header.path}: metadata {key} is {_short(header.metadata[key])}; expected {expected}, the "
            "width of a head: convert the model again"
        )


def _check_constants(header: Header, architecture: str) -> None:
    """Refuse values that llama.cpp does not check: too many layers, negative epsilon, quantised norms."""
    layers = header.metadata[f"{architecture}.block_count"]
    if isinstance(layers, tuple) or (isinstance(layers, int) and layers > MAX_LAYERS):
        raise ModelError(
            f"{header.path}: metadata {architecture}.block_count is {_short(layers)}; expected a whole "
            f"number from 1 to {MAX_LAYERS}: convert the model again"
        )
    experts, used = (
        header.metadata.get(f"{architecture}.{key}", 0) for key in ("expert_count", "expert_used_count")
    )
    if (
        not isinstance(experts, int)
        or not isinstance(used, int)
        or not (experts == used == 0 or 0 < used <= experts)
    ):
        raise ModelError(
            f"{header.path}: metadata {architecture}.expert_count is {_short(experts)} and expert_used_count "
            f"{_short(used)}; expected no experts, or some of them used: convert the model again"
        )
    key = f"{architecture}.rope.scaling.type"
    if header.metadata.get(key, b"none") not in ROPE_SCALINGS:
        raise ModelError(
            f"{header.path}: metadata {key} is {_short(header.metadata[key])}; expected one of "
            f"{', '.join(map(bytes.decode, ROPE_SCALINGS))}: convert the model again"
        )
    for name in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
        epsilon = header.metadata.get(f"{architecture}.attention.{name}", 0.0)
        if not isinstance(epsilon, float) or not 0 <= epsilon < 1:
            raise ModelError(
                f"{header.path}: metadata {architecture}.attention.{name} is {_short(epsilon)}; expected a "
                "number from 0 to 1: convert the model again"
            )
    for name, tensor in header.tensors.items():
        if len(tensor.dimensions) == 1 and tensor.type != _F32:
            raise ModelError(
                f"{header.path}: tensor {name} is a vector of type {tensor.type_name}; expected F32: convert "
                "the model again"
            )


def _check_vocabulary(header: Header) -> int:
    """Number of pieces; they fit their scores, types and embeddings, and spell every byte."""
    kind = _text(header, "tokenizer.ggml.model")
    if kind not in TOKENIZERS:
        raise ModelError(
            f"{header.path}: tokenizer {kind!r}; "
            f"expected SentencePiece ('llama') or byte-level BPE ('gpt2'): choose another GGUF"
        )
    pieces, types = _pieces(header), _numbers(header, "token_type")
    embedding = header.tensors.get("token_embd.weight")
    if embedding is None or embedding.dimensions[1:] != (len(pieces),):
        raise _unusable(header, f"{len(pieces)} pieces but another number of embeddings")
    for name in ("scores", "token_type"):
        values = header.metadata.get(f"tokenizer.ggml.{name}")
        if values is not None and (not isinstance(values, tuple) or len(values) != len(pieces)):
            raise _unusable(header, f"{len(pieces)} pieces but another number of {name}")
    if len(set(pieces)) != len(pieces):
        raise _unusable(header, "a piece that occurs twice")
    for special in ("bos", "eos", "unknown"):
        token = header.metadata.get(f"tokenizer.ggml.{special}_token_id", 0)
        if not isinstance(token, int) or not 0 <= token < len(pieces):
            raise _unusable(header, f"{special} token {token!r} outside its {len(pieces)} pieces")
    if kind == "llama":
        _check_bytes(header, pieces, types)
    return len(pieces)


def _check_bytes(header: Header, pieces: Sequence[bytes], types: Sequence[int]) -> None:
    """The pieces marked as bytes spell each of the 256 once."""
    if types.count(_BYTE_TYPE) != len(_BYTE_PIECES):
        raise _unusable(header, f"{types.count(_BYTE_TYPE)} byte pieces where 256 let it spell every text")
    for piece, kind in zip(pieces, types, strict=False):  # lengths that differ are refused before
        if kind == _BYTE_TYPE and piece not in _BYTE_PIECES:
            raise _unusable(header, f"a byte piece {_short(piece)}")


def _begin_token(header: Header) -> int:
    """The begin token that the file names; llama.cpp would invent one for a vocabulary that names none."""
    for special in ("bos", "eos"):
        token = header.metadata.get(f"tokenizer.ggml.{special}_token_id")
        if isinstance(token, int):
            return token
    raise _unusable(header, "neither a begin nor an end token")


def _tokenizer_digest(header: Header) -> str:
    """Digest of pieces, scores and types; of a BPE vocabulary also of its merges and splitting rule.

    Some SentencePiece files carry merges too, which llama.cpp never reads: they make no other vocabulary.
    """
    pieces, types = _pieces(header), _numbers(header, "token_type")
    scores = header.metadata.get("tokenizer.ggml.scores", ())
    floats = [float(score) for score in scores] if isinstance(scores, tuple) else []
    digest = vocabulary_digest(pieces, floats, types)
    merges = header.metadata.get("tokenizer.ggml.merges", ())
    if _text(header, "tokenizer.ggml.model") != "gpt2" or not merges or not isinstance(merges, tuple):
        return digest
    hasher = hashlib.sha256(digest.encode())
    hasher.update(str(header.metadata.get("tokenizer.ggml.pre")).encode())
    for merge in merges:
        hasher.update(merge + b"\n" if isinstance(merge, bytes) else b"\n")
    return hasher.hexdigest()


def _pieces(header: Header) -> tuple[bytes, ...]:
    """The vocabulary's pieces."""
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, tuple) or not tokens or not isinstance(tokens[0], bytes):
        raise _unusable(header, "no pieces")
    return tokens


def _numbers(header: Header, name: str) -> list[int]:
    """An integer array of the tokenizer; empty where it has none."""
    values = header.metadata.get(f"tokenizer.ggml.{name}", ())
    return [v for v in values if isinstance(v, int)] if isinstance(values, tuple) else []


def _text(header: Header, key: str) -> str:
    """A text of the metadata, ``''`` where there is none."""
    value = header.metadata.get(key, b"")
    return value.decode(errors="replace") if isinstance(value, bytes) else _short(value)


def _unusable(header: Header, reason: str) -> ModelError:
    return ModelError(
        f"{header.path}: a vocabulary with {reason}; expected a whole one: "
        f"convert the model again, with its tokenizer"
    )


def _short(value: object) -> str:
    """``value`` cut short for an error message."""
    return "missing" if value is None else "".join(itertools.islice(repr(value), 60))
