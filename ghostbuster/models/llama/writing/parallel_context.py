"""A llama.cpp context that writes several texts side by side: a decode has one token of each."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ghostbuster.arrays import Float32, Int32
from ghostbuster.errors import ModelError
from ghostbuster.models.backend.library import lib, out_of_memory_error, recent_errors, start
from ghostbuster.models.llama.runtime import Weights
from ghostbuster.models.llama.streaming import decode_tokens

MOST_SEQUENCES = 64


class ParallelContext:
    """A context of ``n_sequences`` texts that share one beginning.

    Parameters
    ----------
    weights : Weights
    n_context : int, tokens
        Of the beginning, which is kept once, and of all that follows it.
    n_sequences : int
    n_threads : int

    Raises
    ------
    ModelError
        When llama.cpp gives no context, as a rule since memory ran out.
    """

    def __init__(self, weights: Weights, n_context: int, n_sequences: int, n_threads: int) -> None:
        self._weights = weights  # must outlive the context
        self._n_vocabulary = weights.file.n_vocabulary
        self.n_context = n_context
        self.n_decode = max(min(decode_tokens(self._n_vocabulary), n_context), n_sequences)
        settings = lib.llama_context_default_params()
        settings.n_ctx = n_context
        settings.n_batch = settings.n_ubatch = self.n_decode
        settings.n_seq_max = n_sequences
        settings.kv_unified = True  # one store: the beginning is kept once for all
        settings.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        settings.no_perf = True
        start()
        self.handle = lib.llama_init_from_model(weights.handle, settings)
        if not self.handle:
            raise ModelError(
                f"{weights.file.path}: llama.cpp gives no context of {n_context} tokens of {n_sequences} "
                f"texts ({'; '.join(recent_errors) or 'it gave no reason'}); expected enough memory: fewer "
                "or shorter texts at once"
            ) from out_of_memory_error()
        lib.llama_set_n_threads(self.handle, n_threads, n_threads)
        self._batch = lib.llama_batch_init(self.n_decode, 0, 1)
        self.close = weakref.finalize(self, _free, self.handle, self._batch)

    def begin(self, ids: Int32, n_sequences: int) -> Float32:
        """Forget everything, read the common beginning, and give the logits behind it, (n_vocabulary,)."""
        memory = lib.llama_get_memory(self.handle)
        lib.llama_memory_clear(memory, False)
        for first in range(0, ids.size, self.n_decode):
            piece = ids[first : first + self.n_decode]
            last = first + piece.size == ids.size
            self._decode(piece.tolist(), range(first, first + piece.size), [0] * piece.size, only_last=last)
        found = np.ctypeslib.as_array(lib.llama_get_logits(self.handle), (1, self._n_vocabulary))
        logits: Float32 = found[0].copy()
        for sequence in range(1, n_sequences):
            lib.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        return logits

    def step(self, ids: Sequence[int], positions: Sequence[int], sequences: Sequence[int]) -> Float32:
        """Read one more token of some texts; logits (n_texts, n_vocabulary), valid until the next read."""
        self._decode(ids, positions, sequences)
        shape = (len(ids), self._n_vocabulary)
        return np.ctypeslib.as_array(lib.llama_get_logits(self.handle), shape)

    def _decode(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        *,
        only_last: bool | None = None,
    ) -> None:
        """Read tokens; logits of all, or of the last alone, or (``only_last`` false) of none."""
        batch = self._batch
        batch.n_tokens = len(ids)
        for i, (token, position, sequence) in enumerate(zip(ids, positions, sequences, strict=True)):
            batch.token[i], batch.pos[i] = token, position
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
            batch.logits[i] = only_last is None or (only_last and i == len(ids) - 1)
        status = lib.llama_decode(self.handle, batch)
        if status != 0:
            raise ModelError(
                f"{self._weights.file.path}: llama.cpp could not decode {len(ids)} tokens (status {status}); "
                "expected status 0: fewer or shorter texts at once, or another build of llama-cpp-python"
            ) from out_of_memory_error()


def _free(handle: Any, batch: Any) -> None:
    lib.llama_batch_free(batch)
    lib.llama_free(handle)
