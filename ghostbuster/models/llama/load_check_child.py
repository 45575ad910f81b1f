"""Child process that loads a model and scores texts with it, and may crash.

``python -m ghostbuster.models.llama.load_check_child MODEL [ADAPTER]`` ends with exit code 0 unless it
crashes. An error that is raised counts as a pass: whoever loads the file next gets the same error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from ghostbuster.errors import GhostbusterError
from ghostbuster.models.gguf.adapter import check_adapter
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.adapter import NoStatistics
from ghostbuster.models.llama.language_model import MAX_CONTEXT, SLIDING, SMALL_MODEL
from ghostbuster.models.llama.runtime import Context, Weights
from ghostbuster.models.llama.streaming import Lane
from ghostbuster.models.llama.token_statistics import TokenStatistics
from ghostbuster.models.sandbox.child import behave_as_child

FEW = 16  # tokens that a large model reads: a context full of them takes minutes
TEXTS = (
    "A text of some words: 1,234 of them, naïve ones too.\n\tAnd <s> [INST] </s>  spaces ",
    "你好 привет שלום \N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{COMBINING ACUTE ACCENT}\x01\x7f",
    "".join(map(chr, range(1, 256))),
    "a" * 300 + "\N{REPLACEMENT CHARACTER}" * 20,
    "",
)


def main(arguments: Sequence[str]) -> None:
    """Read with the model named, under the adapter named."""
    behave_as_child()
    with suppress(GhostbusterError):
        if len(arguments) > 1:
            read_under(Path(arguments[0]), Path(arguments[1]))
        else:
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
    reducer = TokenStatistics(["tried"], file.n_vocabulary)
    out = np.empty((len(reducer.channels), n_tokens), np.float32)
    Lane([context], n_context, [reducer]).score(ids, ids, [out])


def read_under(path: Path, adapter: Path) -> None:
    """Read some tokens under an adapter, down to the states or the answers that it is read for."""
    file, changes = check_model(path), check_adapter(adapter)
    weights = Weights(file)
    handle = weights.load_adapter(changes)
    layers = () if changes.answers else (changes.n_layers - 1,)
    context = Context(weights, min(file.context, MAX_CONTEXT), layers, adapter=handle)
    context.set_threads(1)
    spelt = weights.tokenise(TEXTS[:1]).ids[: file.context - 1]
    ids = np.concatenate(([file.begin], spelt)).astype(np.int32)
    if changes.answers:
        context.read_last(ids)
        return
    lane = Lane([context], ids.size, [NoStatistics(file.n_vocabulary)], states_only=True)
    lane.score(ids, ids, [np.empty((0, ids.size), np.float32)])


if __name__ == "__main__":
    main(sys.argv[1:])
