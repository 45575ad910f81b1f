"""Bits per character of a model on held-out texts of each register."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from torch import Tensor

BOS = 1


@dataclass(frozen=True)
class Register:
    """Documents of one kind of text as token ids, without BOS, and their characters."""

    name: str
    documents: list[list[int]]
    n_characters: int

    @classmethod
    def read(cls, path: Path, tokenizer: Path, limit: int = 10**9) -> "Register":
        """Read the first documents (one a line) of up to ``limit`` characters in all."""
        processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        documents: list[list[int]] = []
        n_characters = 0
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line[: limit - n_characters].strip()
            if text:
                documents.append(processor.encode(text))
                n_characters += len(text)
        return cls(path.stem, documents, n_characters)


def windows(documents: list[list[int]], length: int) -> Tensor:
    """BOS and up to ``length - 1`` tokens a row, (n_rows, length), padded by -1."""
    step = length - 1
    rows = [doc[at : at + step] for doc in documents for at in range(0, len(doc), step)]
    table = np.full((len(rows), length), -1, dtype=np.int64)
    table[:, 0] = BOS
    for row, ids in zip(table, rows, strict=True):
        row[1 : len(ids) + 1] = ids
    return torch.from_numpy(table)


@torch.no_grad()
def bits_per_character(
    logits: Callable[[Tensor], Tensor], register: Register, length: int, n_rows: int = 16
) -> float:
    """Negative log-likelihood in bits over the register's characters (BOS is not predicted)."""
    nats = 0.0
    table = windows(register.documents, length)
    for rows in table.split(n_rows):
        inputs, targets = rows[:, :-1].clamp(min=0), rows[:, 1:]
        scores = logits(inputs).float().flatten(0, 1)
        wanted = targets.flatten().to(scores.device)
        loss = torch.nn.functional.cross_entropy(scores, wanted, ignore_index=-1, reduction="sum")
        nats += float(loss)
    return nats / math.log(2) / register.n_characters
