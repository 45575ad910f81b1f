"""Read the vocabulary of a SentencePiece tokenizer in the form that GGUF stores."""

from dataclasses import dataclass
from pathlib import Path

import sentencepiece

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # llama.cpp's token types


@dataclass(frozen=True)
class Vocabulary:
    """Pieces in UTF-8, their scores and their types, by id."""

    pieces: list[bytes]
    scores: list[float]
    types: list[int]


def read_vocabulary(tokenizer: Path) -> Vocabulary:
    """Read a SentencePiece model."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    ids = range(processor.get_piece_size())
    return Vocabulary(
        [processor.id_to_piece(i).encode() for i in ids],
        [processor.get_score(i) for i in ids],
        [_type(processor, i) for i in ids],
    )


def _type(processor: sentencepiece.SentencePieceProcessor, i: int) -> int:
    if processor.is_unknown(i):
        return UNKNOWN
    if processor.is_control(i):
        return CONTROL
    return BYTE if processor.is_byte(i) else NORMAL
