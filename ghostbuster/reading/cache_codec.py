"""Serialise one text's token scores to bytes, and back bit for bit."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import AnyArray, TokenScores
from ghostbuster.hidden_states import HiddenStates

DTYPES = {name: name for name in ("<f2", "<f4", "<f8", "<i4", "<i8")}
ENDS = ""
"""Under this name a source's ends stand among its channels."""
STATES = "states."
"""So begin the names of a source's hidden states among its channels; they are stored flat."""
_LEVEL = 1  # floats hardly shrink: higher levels take many times as long for a few per cent
MAX_BYTES = 1 << 31
"""Most bytes that the scores of one text decompress to; a text of 100 MB has less."""
_HEAD = struct.Struct("<I")

TextScores = dict[str, dict[str, AnyArray]]
"""By source and channel, one value a token; ends under ``ENDS``, hidden states under ``STATES``."""


@dataclass(frozen=True, slots=True)
class _Field:
    source: str
    channel: str
    dtype: str
    n_values: int


def pack(scores: TextScores) -> bytes:
    """Bytes of one text's scores: a header in JSON, then the arrays, each with its bytes by place."""
    fields, parts = [], []
    for source, channels in scores.items():
        for channel, values in channels.items():
            plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
            fields.append([source, channel, plain.dtype.str, plain.size])
            parts.append(plain.view(np.uint8).reshape(-1, plain.itemsize).T.tobytes())
    head = json.dumps(fields, separators=(",", ":")).encode()
    return zlib.compress(b"".join([_HEAD.pack(len(head)), head, *parts]), _LEVEL)


def unpack(data: bytes) -> TextScores:
    """Undo ``pack``.

    Raises
    ------
    ValueError
        When the bytes are damaged.
    """
    try:
        plain = _inflated(data)
        (length,) = _HEAD.unpack_from(plain)
        at = _HEAD.size + length
        scores: TextScores = {}
        for field in (_Field(*one) for one in json.loads(plain[_HEAD.size : at])):
            dtype = np.dtype(DTYPES[field.dtype])
            end = at + field.n_values * dtype.itemsize
            places = np.frombuffer(plain[at:end], np.uint8).reshape(dtype.itemsize, field.n_values)
            values = np.ascontiguousarray(places.T).reshape(-1).view(dtype)
            scores.setdefault(field.source, {})[field.channel] = values
            at = end
    except (zlib.error, struct.error, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"stored scores are damaged ({error})") from error
    return scores


def _inflated(data: bytes) -> bytes:
    """What ``data`` unpacks to, all of it and no more than `MAX_BYTES`."""
    engine = zlib.decompressobj()
    plain = engine.decompress(data, MAX_BYTES)
    if not engine.eof or engine.unused_data:
        raise ValueError("cut short, or too long")
    return plain


def split(scores: Mapping[str, TokenScores]) -> list[TextScores]:
    """Scores of many texts, text by text."""
    some = next(iter(scores.values()))
    return [{name: _one(source, i) for name, source in scores.items()} for i in range(some.n_texts)]


def _one(source: TokenScores, text: int) -> dict[str, AnyArray]:
    """What one source says of one text."""
    tokens = slice(source.offsets[text], source.offsets[text + 1])
    fields: dict[str, AnyArray] = {channel: values[tokens] for channel, values in source.channels.items()}
    fields[ENDS] = source.ends[tokens]
    states = source.states
    if states is not None:
        blocks = slice(states.offsets[text], states.offsets[text + 1])
        of_text = {
            "layers": states.layers,
            "means": states.means[text],
            "block_layers": states.block_layers,
            "blocks": states.blocks[blocks],
            "counts": states.counts[blocks],
            "ends": states.ends[blocks],
        }
        fields |= {STATES + name: values.reshape(-1) for name, values in of_text.items()}
    return fields


def join(texts: Sequence[TextScores]) -> dict[str, TokenScores]:
    """Undo ``split``; there is at least one text."""
    joined = {}
    for source, first in texts[0].items():
        of_source = [text[source] for text in texts]
        flat = {
            name: np.concatenate([one[name] for one in of_source])
            for name in first
            if not name.startswith(STATES)
        }
        offsets = np.cumsum([0, *(one[ENDS].size for one in of_source)], dtype=np.int64)
        ends = flat.pop(ENDS)
        joined[source] = TokenScores(flat, ends, offsets, _joined_states(of_source))
    return joined


def _joined_states(texts: Sequence[Mapping[str, AnyArray]]) -> HiddenStates | None:
    """Hidden states of one source's texts, where they were stored."""
    first = texts[0]
    if STATES + "means" not in first:
        return None
    layers, block_layers = first[STATES + "layers"], first[STATES + "block_layers"]
    width = first[STATES + "means"].size // layers.size
    flat = {
        name: np.concatenate([one[STATES + name] for one in texts])
        for name in ("means", "blocks", "counts", "ends")
    }
    return HiddenStates(
        layers,
        flat["means"].reshape(len(texts), layers.size, width),
        block_layers,
        flat["blocks"].reshape(flat["counts"].size, block_layers.size, width),
        flat["counts"],
        flat["ends"],
        np.cumsum([0, *(one[STATES + "counts"].size for one in texts)], dtype=np.int64),
    )
