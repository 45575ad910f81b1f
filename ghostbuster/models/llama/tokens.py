"""Token ids of many texts, and the character offset at which each token ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Int32, Int64
from ghostbuster.errors import ModelError

TextTokens = tuple[Int32, Int32]  # ids and ends of one text


@dataclass(frozen=True)
class Tokens:
    """Tokens of many texts under one vocabulary, without any begin token.

    Parameters
    ----------
    ids : array of shape (n_tokens,), int32
    ends : array of shape (n_tokens,), int32
        End of each token, in characters of its own text.
    offsets : array of shape (n_texts + 1,), int64
        Text ``i`` owns tokens ``offsets[i]:offsets[i + 1]``.
    """

    ids: Int32
    ends: Int32
    offsets: Int64

    @classmethod
    def of(cls, texts: Sequence[TextTokens]) -> Tokens:
        """Join the ``(ids, ends)`` of each text."""
        empty = np.empty(0, np.int32)
        return cls(
            np.concatenate([empty, *(ids for ids, _ in texts)]),
            np.concatenate([empty, *(ends for _, ends in texts)]),
            np.cumsum([0, *(ids.size for ids, _ in texts)], dtype=np.int64),
        )


def character_ends(data: bytes, byte_ends: Int64) -> Int32:
    """Turn ends in bytes of UTF-8 ``data`` into ends in characters.

    A token that stops inside a character ends where the character before it ended: the character belongs
    to the token that brings its last byte.

    Parameters
    ----------
    data : bytes
        The whole text, valid UTF-8.
    byte_ends : array of shape (n_tokens,)
        Rising, each at most ``len(data)``.

    Returns
    -------
    array of shape (n_tokens,), int32
    """
    begins = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80  # noqa: PLR2004 - continuation bytes are 10xxxxxx
    begun = np.concatenate(([0], np.cumsum(begins)))  # characters begun within the first b bytes
    inside = np.concatenate((~begins, [False]))  # whether byte b continues a character
    return np.asarray(begun[byte_ends] - inside[byte_ends], dtype=np.int32)


class Speller:
    """Finds where tokens end in the bytes they spell.

    Parameters
    ----------
    name : str
        The vocabulary's file, for messages.
    n_vocabulary : int
    piece : callable
        The bytes that a token spells.
    """

    def __init__(self, name: str, n_vocabulary: int, piece: Callable[[int], bytes]) -> None:
        self._name = name
        self._piece = piece
        self._lengths = np.full(n_vocabulary, -1, np.int64)

    def byte_ends(self, ids: Int32, data: bytes) -> Int64:
        """End of each token in ``data``; the space that SentencePiece puts before a text belongs to no byte.

        Raises
        ------
        ModelError
            When the tokens do not spell the text.
        """
        for token in set(ids[self._lengths[ids] < 0].tolist()):
            self._lengths[token] = len(self._piece(token))
        ends = np.cumsum(self._lengths[ids])
        spelt = int(ends[-1]) if ends.size else 0
        if spelt == len(data):
            return ends
        first = self._piece(int(ids[0])) if ids.size else b""
        if spelt == len(data) + 1 and first == b" " + data[: len(first) - 1]:
            return ends - 1
        return self._by_hand(ids, data)

    def _by_hand(self, ids: Int32, data: bytes) -> Int64:
        """Match piece by piece, where added tokens bring further spaces."""
        ends, at = [], 0
        for piece in map(self._piece, ids.tolist()):
            spelt = piece[1:] if piece[:1] == b" " and not data.startswith(piece, at) else piece
            if not data.startswith(spelt, at):
                break
            at += len(spelt)
            ends.append(at)
        if at != len(data):
            raise ModelError(
                f"{self._name}: its vocabulary cannot spell {data[at : at + 20].decode(errors='replace')!r}; "
                f"expected byte pieces: choose another GGUF"
            )
        return np.asarray(ends, np.int64)
