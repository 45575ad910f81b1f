"""Calls of llama.cpp: load GGUF models, tokenise, decode, return logits; `writing` alone has others.

The low-level functions are used throughout. The high-level class keeps the logits of a whole context, and
cannot switch off the extra buffer types with which quantised models crash on some CPUs with AMX.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ghostbuster.arrays import Float32, Int32
from ghostbuster.errors import ModelError
from ghostbuster.models.backend.build import llama_version
from ghostbuster.models.backend.library import lib, out_of_memory_error, recent_errors, start
from ghostbuster.models.gguf.adapter import AdapterFile
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.llama.layer_outputs import LayerOutputs
from ghostbuster.models.llama.streaming import decode_tokens
from ghostbuster.models.llama.tokens import Speller, TextTokens, Tokens, character_ends

_SPM = 1  # llama_vocab_type of SentencePiece vocabularies
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece's space: a text's own one would be read as a space


@dataclass(frozen=True)
class Placed:
    """Which layers of a model go to which devices, and which CPU path computes the others.

    Parameters
    ----------
    gpu_layers : int
        Layers on the devices; the CPU has the others.
    devices : tuple of int
        Handles of the devices (`build.Device`).
    fast : bool
        Whether the CPU may use its extra buffer types (AMX, repacked weights). With them, builds of gcc 12
        crash on some CPUs: ask `sandbox.cpu_path` first.
    """

    gpu_layers: int = 0
    devices: tuple[int, ...] = ()
    fast: bool = False


class Weights:
    """A model file mapped into memory, and its vocabulary.

    Parameters
    ----------
    file : ModelFile
        Checked beforehand: llama.cpp crashes on some damaged files.
    placed : Placed
        On the CPU's safe path by default.
    vocabulary_only : bool
        Whether to leave out the weights: such a model tokenises and no more.

    Raises
    ------
    ModelError
        When llama.cpp cannot load it; the message holds its log's errors.
    """

    def __init__(self, file: ModelFile, placed: Placed = Placed(), *, vocabulary_only: bool = False) -> None:
        start()
        self.file = file
        settings = lib.llama_model_default_params()
        settings.n_gpu_layers = placed.gpu_layers
        settings.use_extra_bufts = placed.fast
        # an empty list keeps everything off the graphics cards, large products too
        self._devices = (ctypes.c_void_p * (len(placed.devices) + 1))(*placed.devices, None)
        settings.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        settings.vocab_only = vocabulary_only
        self.handle = lib.llama_model_load_from_file(os.fsencode(file.path), settings)
        if not self.handle:
            raise ModelError(
                f"{file.path}: llama.cpp cannot load it ({'; '.join(recent_errors) or 'it gave no reason'}); "
                f"expected a model that llama-cpp-python {llama_version()} knows: get it again or update that"
            ) from out_of_memory_error()
        self.close = weakref.finalize(self, lib.llama_model_free, self.handle)
        self.width: int = lib.llama_model_n_embd(self.handle)
        self.vocabulary = lib.llama_model_get_vocab(self.handle)
        self._speller = Speller(str(file.path), file.n_vocabulary, self.piece)
        self._spm = lib.llama_vocab_type(self.vocabulary) == _SPM

    def load_adapter(self, file: AdapterFile) -> Any:
        """Load a checked adapter of this model; llama.cpp frees it with the model.

        Raises
        ------
        ModelError
            When llama.cpp refuses it; the message holds its log's errors.
        """
        start()
        handle = lib.llama_adapter_lora_init(self.handle, os.fsencode(file.path))
        if not handle:
            raise ModelError(
                f"{file.path}: llama.cpp cannot load it over {self.file.path} "
                f"({'; '.join(recent_errors) or 'it gave no reason'}); expected an adapter of that model: "
                "get it again, or fine-tune again"
            ) from out_of_memory_error()
        return handle

    def tokenise(self, texts: Sequence[str]) -> Tokens:
        """Tokens of every text; what looks like a special token (``<s>``) is read as the text it is.

        Raises
        ------
        ModelError
            When the vocabulary cannot spell a text.
        """
        return Tokens.of([self._tokenise(text) for text in texts])

    def tokenise_special(self, text: str) -> Int32:
        """Ids of a prompt's frame: special tokens are read as such, and no begin token is added."""
        data = text.encode(errors="replace")
        ids = np.empty(len(data) + 8, np.int32)
        buffer = ids.ctypes.data_as(ctypes.POINTER(lib.llama_token))
        n = lib.llama_tokenize(self.vocabulary, data, len(data), buffer, ids.size, False, True) if data else 0
        if n < 0:
            raise ModelError(f"{self.file.path}: text of {len(data)} bytes gives {-n} tokens; expected fewer")
        return ids[:n].copy()

    def _tokenise(self, text: str) -> TextTokens:
        """Ids of one text and their ends in characters."""
        if self._spm:
            text = text.replace(_MARK, " ")
        data = text.encode(errors="replace")
        ids = np.empty(len(data) + 8, np.int32)  # a token spells at least a byte
        buffer = ids.ctypes.data_as(ctypes.POINTER(lib.llama_token))
        n = (
            lib.llama_tokenize(self.vocabulary, data, len(data), buffer, ids.size, False, False)
            if data
            else 0
        )
        if n < 0:
            raise ModelError(f"{self.file.path}: text of {len(data)} bytes gives {-n} tokens; expected fewer")
        ids = ids[:n].copy()
        return ids, character_ends(data, self._speller.byte_ends(ids, data))

    def piece(self, token: int) -> bytes:
        """The bytes that a token spells."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = lib.llama_token_to_piece(self.vocabulary, token, buffer, size, 0, True)
            if n >= 0:
                return buffer.raw[:n]
            size = -n


class Context:
    """A llama.cpp context (key-value cache) of one model, for one sequence of at most ``n_context`` tokens.

    Parameters
    ----------
    weights : Weights
    n_context : int, tokens
    layers : sequence of int
        Whose outputs are wanted.
    adapter : handle, optional
        From `Weights.load_adapter`; it changes everything that is read. Under it nothing is computed after
        the last of ``layers``.

    Raises
    ------
    ModelError
        When llama.cpp gives no context, as a rule since memory ran out.
    """

    def __init__(
        self, weights: Weights, n_context: int, layers: Sequence[int] = (), adapter: Any = None
    ) -> None:
        self._weights = weights  # must outlive the context
        n_decode = min(decode_tokens(weights.file.n_vocabulary), n_context)
        settings = lib.llama_context_default_params()
        settings.n_ctx = n_context
        settings.n_batch = settings.n_ubatch = n_decode
        settings.n_seq_max = 1
        settings.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        settings.no_perf = True
        self.layer_outputs: LayerOutputs | None = None
        if layers:
            name = str(weights.file.path)
            self.layer_outputs = LayerOutputs(
                name, layers, weights.width, n_decode, stops=adapter is not None
            )
            settings.cb_eval = self.layer_outputs.callback
        start()
        self.handle = lib.llama_init_from_model(weights.handle, settings)
        if not self.handle:
            raise ModelError(
                f"{weights.file.path}: llama.cpp gives no context of {n_context} tokens "
                f"({'; '.join(recent_errors) or 'it gave no reason'}); expected enough memory: lower n_ctx"
            ) from out_of_memory_error()
        if adapter is not None:
            one = (lib.llama_adapter_lora_p_ctypes * 1)(adapter)
            lib.llama_set_adapters_lora(self.handle, one, 1, (ctypes.c_float * 1)(1.0))
        self._batch = lib.llama_batch_init(n_decode, 0, 1)
        self.close = weakref.finalize(self, _free_context, self.handle, self._batch)
        view = np.ctypeslib.as_array
        self._tokens = view(self._batch.token, (n_decode,))
        self._positions = view(self._batch.pos, (n_decode,))
        self._wanted = view(self._batch.logits, (n_decode,))
        view(self._batch.n_seq_id, (n_decode,))[:] = 1
        for i in range(n_decode):
            self._batch.seq_id[i][0] = 0

    def set_threads(self, n_threads: int) -> None:
        """How many threads each decode may use; moves no score."""
        lib.llama_set_n_threads(self.handle, n_threads, n_threads)

    def clear(self) -> None:
        """Forget what was read."""
        lib.llama_memory_clear(lib.llama_get_memory(self.handle), False)

    def slide(self, n_tokens: int) -> None:
        """Forget the oldest ``n_tokens`` after the begin token; what follows moves up.

        The keys that stay are rotated to their new places at the next read.
        """
        memory = lib.llama_get_memory(self.handle)
        lib.llama_memory_seq_rm(memory, 0, 1, 1 + n_tokens)
        lib.llama_memory_seq_add(memory, 0, 1 + n_tokens, -1, -n_tokens)

    def read_last(self, ids: Int32) -> Float32:
        """Logits after the last of tokens that begin a text, shape (n_vocabulary,); errors as of `read`."""
        n_decode = self._tokens.size
        last = (ids.size - 1) // n_decode * n_decode
        for begin in range(0, last, n_decode):
            self.read(ids[begin : begin + n_decode], begin, n_decode)
        return np.asarray(self.read(ids[last:], last, ids.size - last - 1)[0])

    def read(self, ids: Int32, position: int, wanted_from: int) -> Float32:
        """Logits (n - wanted_from, n_vocabulary) after each token from ``wanted_from`` on.

        They are a view of llama.cpp's own buffer, valid until the next read.

        Raises
        ------
        ModelError
            When llama.cpp fails to decode.
        """
        n = ids.size
        self._batch.n_tokens = n
        self._tokens[:n] = ids
        self._positions[:n] = np.arange(position, position + n)
        self._wanted[:n] = np.arange(n) >= wanted_from
        status = lib.llama_decode(self.handle, self._batch)
        if self.layer_outputs is not None:
            self.layer_outputs.check()
        if status != 0:
            raise ModelError(
                f"{self._weights.file.path}: llama.cpp could not decode {n} tokens (status {status}); "
                f"expected status 0: lower n_ctx, or install another build of llama-cpp-python"
            ) from out_of_memory_error()
        if wanted_from >= n:
            return np.empty((0, self._weights.file.n_vocabulary), np.float32)
        shape = (n - wanted_from, self._weights.file.n_vocabulary)
        return np.ctypeslib.as_array(lib.llama_get_logits(self.handle), shape)


def _free_context(handle: Any, batch: Any) -> None:
    lib.llama_batch_free(batch)
    lib.llama_free(handle)
