"""Log-probs of a GGUF model by llama.cpp's C interface alone, without code of the package."""

import ctypes
from pathlib import Path
from typing import Self

import llama_cpp
import numpy as np

QUIET = llama_cpp.llama_log_callback(
    lambda *_: None
)  # llama.cpp keeps its address: it must outlive each reader


class Reader:
    """One open GGUF; ``with Reader(path) as reader``. It reads as many tokens as the model's own context."""

    def __init__(self, path: Path) -> None:
        llama_cpp.llama_log_set(QUIET, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        settings = llama_cpp.llama_model_default_params()
        settings.n_gpu_layers = 0
        no_device = (ctypes.c_void_p * 1)(None)  # without the empty list graphics cards get large products
        settings.devices = ctypes.cast(no_device, ctypes.c_void_p)
        settings.use_extra_bufts = False  # AMX kernels of some builds end the process
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), settings)
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.n_context = llama_cpp.llama_model_n_ctx_train(self.model)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx = context.n_batch = context.n_ubatch = self.n_context
        context.n_threads = context.n_threads_batch = 1
        context.no_perf = True
        self.context = llama_cpp.llama_init_from_model(self.model, context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        llama_cpp.llama_free(self.context)
        llama_cpp.llama_model_free(self.model)

    def tokenise(self, text: str) -> list[int]:
        """Token ids of a text, without BOS."""
        data = text.encode()
        room = (llama_cpp.llama_token * (len(data) + 8))()
        n = llama_cpp.llama_tokenize(self.vocab, data, len(data), room, len(room), False, False)
        return list(room[:n])

    def logprobs(self, ids: list[int]) -> np.ndarray:
        """Log-probs of every piece before each token, BOS in front; (n_tokens, n_vocab) nats."""
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, token in enumerate([llama_cpp.llama_vocab_bos(self.vocab), *ids[:-1]]):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
            batch.seq_id[i][0] = 0
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), False)
        failed = llama_cpp.llama_decode(self.context, batch)
        llama_cpp.llama_batch_free(batch)
        if failed:
            raise RuntimeError(f"llama_decode returned {failed}")
        logits = llama_cpp.llama_get_logits(self.context)
        raw = np.ctypeslib.as_array(logits, shape=(len(ids), self.n_vocab)).astype(np.float64)
        top = raw.max(axis=1, keepdims=True)
        return raw - top - np.log(np.exp(raw - top).sum(axis=1, keepdims=True))
