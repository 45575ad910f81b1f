"""A language model that answers requests: texts written by a chat model under llama.cpp, seed by seed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ghostbuster.arrays import Int32
from ghostbuster.errors import InputError, SettingError
from ghostbuster.models.backend.devices import placement
from ghostbuster.models.backend.library import lib
from ghostbuster.models.gguf.chat_template import ChatFrame
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.llama.load import load_model
from ghostbuster.models.llama.writing.parallel_context import MOST_SEQUENCES, ParallelContext
from ghostbuster.models.llama.writing.sampling import Sampling
from ghostbuster.models.sandbox.chat_frame import chat_frame

MAX_CONTEXT = 4096  # tokens of a request and its answer


@dataclass(frozen=True, slots=True)
class Written:
    """One text that a model wrote.

    Attributes
    ----------
    text : str
        As written, without the token that ends it.
    n_tokens : int
    finished : bool
        Whether the model ended it; else it was cut off at the most tokens.
    """

    text: str
    n_tokens: int
    finished: bool


class Writer:
    """A chat model that writes texts on request.

    Parameters
    ----------
    path : str or Path
        A Llama-family GGUF file with a chat template.
    at_once : int
        Texts on one request that are written side by side.
    n_threads : int, optional
        All cores by default.

    Raises
    ------
    SettingError
        When ``at_once`` or ``n_threads`` is out of range.
    ModelError
        When the file cannot be opened, is no Llama-family model, or has no usable chat template.
    """

    def __init__(self, path: str | Path, at_once: int = 4, n_threads: int | None = None) -> None:
        if not 1 <= at_once <= MOST_SEQUENCES:
            raise SettingError(f"{at_once} texts at once; expected 1 to {MOST_SEQUENCES}")
        if n_threads is not None and n_threads < 1:
            raise SettingError(f"{n_threads} threads; expected 1 or more")
        self.file = check_model(path)
        self.digest = file_digest(self.file.path)
        self.frame: ChatFrame = chat_frame(self.file.path)
        self.n_context = min(self.file.context, MAX_CONTEXT)
        self._at_once, self._n_threads = at_once, n_threads or _cores()
        self._weights = load_model(self.file, self.n_context, 0, placement()).weights
        self._context: ParallelContext | None = None

    def write(self, request: str, seeds: Sequence[int], sampling: Sampling) -> list[Written]:
        """Answers to one request, one a seed; a seed gives the same text, beside whatever other seeds.

        (On one build of llama.cpp and one CPU, with the same number of seeds.)

        Parameters
        ----------
        request : str
            What looks like a special token in it is read as the text it is.
        seeds : sequence of int, not negative
        sampling : Sampling

        Raises
        ------
        InputError
            When request and answer do not fit the model's context.
        ModelError
            When llama.cpp fails to decode.
        """
        prompt = self.prompt_ids(request)
        if prompt.size + sampling.max_tokens > self.n_context:
            raise InputError(
                f"a request of {prompt.size} tokens and an answer of {sampling.max_tokens}; expected at most "
                f"{self.n_context} together, the context of {self.file.path}: allow shorter ones"
            )
        written: list[Written] = []
        for first in range(0, len(seeds), self._at_once):
            written += self._together(prompt, seeds[first : first + self._at_once], sampling)
        return written

    def prompt_ids(self, request: str) -> Int32:
        """Tokens of the model's chat frame around a request, shape (n_tokens,)."""
        before, after = (
            self._weights.tokenise_special(text) for text in (self.frame.before, self.frame.after)
        )
        ids = np.concatenate([before, self._weights.tokenise([request]).ids, after]).astype(np.int32)
        begin = self.file.begin
        if lib.llama_vocab_get_add_bos(self._weights.vocabulary) and (not ids.size or ids[0] != begin):
            ids = np.concatenate([np.array([begin], np.int32), ids])
        return ids

    def _together(self, prompt: Int32, seeds: Sequence[int], sampling: Sampling) -> list[Written]:
        """Write a text a seed, all at once; a decode has one token of each that is not finished."""
        context = self._context_for(sampling)
        logits = context.begin(prompt, len(seeds))
        rngs = [np.random.default_rng(seed) for seed in seeds]
        drawn: list[list[int]] = [[sampling.draw(logits, rng)] for rng in rngs]
        while active := [k for k, ids in enumerate(drawn) if not self._is_done(ids, sampling)]:
            positions = [prompt.size + len(drawn[k]) - 1 for k in active]
            rows = context.step([drawn[k][-1] for k in active], positions, active)
            for k, row in zip(active, rows, strict=True):
                drawn[k].append(sampling.draw(row, rngs[k]))
        return [self._written(ids) for ids in drawn]

    def _context_for(self, sampling: Sampling) -> ParallelContext:
        """With room for the longest request and as many answers as are written at once; kept for the next."""
        n_tokens = self.n_context + (self._at_once - 1) * sampling.max_tokens
        if self._context is None or self._context.n_context < n_tokens:
            if self._context is not None:
                self._context.close()
            self._context = ParallelContext(self._weights, n_tokens, self._at_once, self._n_threads)
        return self._context

    def _is_done(self, ids: Sequence[int], sampling: Sampling) -> bool:
        return self._ends(ids[-1]) or len(ids) >= sampling.max_tokens

    def _ends(self, token: int) -> bool:
        return bool(lib.llama_vocab_is_eog(self._weights.vocabulary, token))

    def _written(self, ids: Sequence[int]) -> Written:
        finished = self._ends(ids[-1])
        kept = ids[:-1] if finished else ids
        text = b"".join(map(self._weights.piece, kept)).decode(errors="ignore")
        return Written(text.strip(), len(ids), finished)

    def close(self) -> None:
        """Free the model; nothing can be written afterwards."""
        if self._context is not None:
            self._context.close()
            self._context = None
        self._weights.close()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
