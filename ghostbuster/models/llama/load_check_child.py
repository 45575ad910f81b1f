"""The child of a trial: reads texts with a model, as scoring would, and may die of it.

``python -m ghostbuster.models.llama.load_check_child MODEL`` ends with 0 if it lives. An error that is
told is no death: whoever loads the file next is told the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from ghostbuster.errors import GhostbusterError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.language_model import MAX_CONTEXT, SLIDING, SMALL_MODEL
from ghostbuster.models.llama.runtime import Context, Weights
from ghostbuster.models.llama.streaming import Lane
from ghostbuster.models.llama.token_statistics import Reducer

FEW = 16  # tokens that a large model reads: a context full of them takes minutes
TEXTS = (
    "A text of some words: 1,234 of them, naïve ones too.\n\tAnd <s> [INST] </s>  spaces ",
    "你好 привет שלום \N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{COMBINING ACUTE ACCENT}\x01\x7f",
    "".join(map(chr, range(1, 256))),
    "a" * 300 + "\N{REPLACEMENT CHARACTER}" * 20,
    "",
)


def main(arguments: Sequence[str]) -> None:
    """Read with the model named."""
    _leave_no_core()
    with suppress(GhostbusterError):
        read(Path(arguments[0]))


def read(path: Path) -> None:
    """Load, spell every kind of text, and read tokens until the context has overflowed once."""
    file = check_model(path)
    weights = Weights(file)
    spelt = weights.tokenise(TEXTS).ids
    n_context = min(file.context, MAX_CONTEXT)
    n_tokens = n_context + n_context // 2 if file.architecture in SLIDING else n_context
    if file.n_parameters > SMALL_MODEL:
        n_tokens = min(FEW, n_context)
    context = Context(weights, n_context)
    context.set_threads(1)
    every = np.arange(file.n_vocabulary)[:: max(1, file.n_vocabulary // n_tokens)]
    ids = np.resize(np.concatenate(([file.begin], spelt, every)), n_tokens).astype(np.int32)
    reducer = Reducer(["tried"], file.n_vocabulary)
    out = np.empty((len(reducer.channels), n_tokens), np.float32)
    Lane([context], n_context, [reducer]).score(ids, ids, [out])


def _leave_no_core() -> None:
    """A child that dies as expected leaves no file of its memory behind."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
