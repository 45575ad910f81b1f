"""Check a GGUF adapter before llama.cpp sees it: low-rank updates of a language model, and a head.

llama.cpp reads the tensors; the head stands in the metadata, which it ignores, so that one file holds all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float32
from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.check import ARCHITECTURES, MAX_LAYERS, MAX_SIZE
from ghostbuster.models.gguf.digest import FileIdentity, file_digest, file_identity
from ghostbuster.models.gguf.header import Header, Tensor, read_header
from ghostbuster.models.gguf.model_file import ModelFile

Reads = Literal["mean", "answers"]
VERSION = 1
"""Raised when the layout changes: other numbers are refused by name."""
PREFIX = "ghostbuster.adapter."
MAX_RANK = 256
MAX_BYTES = 1 << 30
MAX_TOKENS = 64
"""Of what stands before the answer."""
LARGEST = 1e4
"""The largest number that a tensor or a head may hold: training makes none above 10."""
MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")

_NAME = re.compile(rf"blk\.(\d{{1,3}})\.({'|'.join(MATRICES)})\.weight\.lora_([ab])")
_DTYPES = {"F32": "<f4", "F16": "<f2"}


@dataclass(frozen=True, eq=False)
class AdapterFile:
    """A checked adapter, not yet loaded.

    Parameters
    ----------
    path : Path
    digest : str
        SHA-256 of the file.
    n_bytes : int
    architecture : str
        Of the base model.
    base : str
        SHA-256 of the base model's file.
    tokenizer : str
        Digest of the base model's vocabulary.
    reads : {"mean", "answers"}
        What the head sees: the mean of a layer's states, or the odds of two answer tokens.
    n_layers : int
        Layers of the base model that are computed.
    rank : int
    shapes : mapping of str to (int, int)
        By the base model's tensor that is changed, its numbers in and out.
    coef : float32 array of shape (width,)
        The head: log-odds of machine for a unit of a state; one number, 1, for ``answers``.
    baseline : float
        Log-odds where all states are 0.
    suffix : tuple of int
        Tokens after a text, before the answer.
    answers : tuple of int
        The human and the machine token; none for ``mean``.
    learned : uint64 array, sorted
        Hashes of the texts that it learned from; see `learned_texts`.
    training : str
        How it was made, in JSON.
    """

    path: Path
    digest: str
    n_bytes: int
    architecture: str
    base: str
    tokenizer: str
    reads: Reads
    n_layers: int
    rank: int
    shapes: Mapping[str, tuple[int, int]]
    coef: Float32
    baseline: float
    suffix: tuple[int, ...]
    answers: tuple[int, ...]
    learned: npt.NDArray[np.uint64]
    training: str


def check_adapter(path: str | Path) -> AdapterFile:
    """Read and check a GGUF adapter that ``ghostbuster finetune`` made.

    Raises
    ------
    ModelError
        When the file is missing, damaged, no such adapter, or holds what no training makes.
    """
    file = Path(path).absolute()
    if not file.exists():
        raise ModelError(f"{file}: no such adapter; check the path, or say where it lies now (--adapter)")
    return _check(file, file_identity(file))


@lru_cache(maxsize=8)
def _check(path: Path, made: FileIdentity) -> AdapterFile:
    """`check_adapter`, cached until the file changes."""
    header = read_header(path)
    if made[0] > MAX_BYTES:
        raise _refused(path, f"{made[0]:,} bytes", f"at most {MAX_BYTES:,}")
    facts = _Facts(header)
    if "adapter.type" not in header.metadata and "general.architecture" in header.metadata:
        raise ModelError(f"{path} is a language model; expected an adapter that `ghostbuster finetune` made")
    facts.one_of("general.type", ("adapter",))
    facts.one_of("adapter.type", ("lora",))
    version = facts.whole(PREFIX + "version", 0, 1 << 31)
    if version != VERSION:
        raise _refused(path, f"layout {version}", f"layout {VERSION}")
    if "adapter.alora.invocation_tokens" in header.metadata:
        raise _refused(path, "an adapter that is switched on by tokens", "one that is always on")
    facts.number("adapter.lora.alpha", 1e-6, 1e6)
    reads = cast("Reads", facts.one_of(PREFIX + "reads", ("mean", "answers")))
    n_layers = facts.whole(PREFIX + "layers", 1, MAX_LAYERS)
    shapes, rank = _shapes(header, n_layers)
    coef = facts.floats(PREFIX + "head")
    wanted = 1 if reads == "answers" else coef.size
    suffix, answers = facts.tokens(PREFIX + "suffix"), facts.tokens(PREFIX + "answers")
    fits = (len(answers), len(set(answers))) == ((2, 2) if reads == "answers" else (0, 0))
    if coef.size != wanted or not fits or (reads == "mean" and suffix):
        raise _refused(path, "a head that does not fit what it reads", "answers with two tokens, or states")
    _check_values(header)
    return AdapterFile(
        path=path,
        digest=file_digest(path),
        n_bytes=made[0],
        architecture=facts.one_of("general.architecture", ARCHITECTURES),
        base=facts.digest(PREFIX + "base"),
        tokenizer=facts.digest(PREFIX + "tokenizer"),
        reads=reads,
        n_layers=n_layers,
        rank=rank,
        shapes=shapes,
        coef=coef,
        baseline=facts.number(PREFIX + "baseline", -LARGEST, LARGEST),
        suffix=suffix,
        answers=answers,
        learned=facts.hashes(PREFIX + "learned"),
        training=facts.text(PREFIX + "training"),
    )


def check_fits(adapter: AdapterFile, model: ModelFile, digest: str) -> None:
    """Check that an adapter changes this model, whose file or original has that SHA-256.

    Raises
    ------
    ModelError
        When it was made for another model, or a shape differs.
    """
    if adapter.base != digest:
        raise ModelError(
            f"{adapter.path}: an adapter of the model with SHA-256 {adapter.base[:12]}; expected one of "
            f"{model.path} ({digest[:12]}): name that model, or fine-tune this one"
        )
    header = read_header(model.path)
    for name, (n_in, n_out) in adapter.shapes.items():
        tensor = header.tensors.get(name)
        if tensor is None or tensor.dimensions != (n_in, n_out):
            raise _refused(adapter.path, f"an update of {name} from {n_in} to {n_out} numbers", "the model's")
    width = header.tensors["token_embd.weight"].dimensions[0]
    most = model.n_layers if adapter.reads == "answers" else model.n_layers - 1
    wrong_tokens = any(token >= model.n_vocabulary for token in (*adapter.suffix, *adapter.answers))
    fits = adapter.n_layers == most if adapter.reads == "answers" else adapter.n_layers <= most
    if not fits or wrong_tokens or adapter.coef.size not in ({1} if adapter.reads == "answers" else {width}):
        raise _refused(adapter.path, "a head that does not fit its model", "layers, width and tokens of it")
    if (adapter.architecture, adapter.tokenizer) != (model.architecture, model.tokenizer):
        raise _refused(adapter.path, "another architecture or vocabulary", "the model's")


def _shapes(header: Header, n_layers: int) -> tuple[dict[str, tuple[int, int]], int]:
    """Numbers in and out of every matrix that is changed, and the one rank."""
    halves: dict[str, dict[str, Tensor]] = {}
    for name, tensor in header.tensors.items():
        found = _NAME.fullmatch(name)
        if found is None or int(found[1]) >= n_layers:
            raise _refused(header.path, f"a tensor {name!r:.60}", f"updates of layers 0 to {n_layers - 1}")
        if tensor.type_name not in _DTYPES or len(tensor.dimensions) != 2:  # noqa: PLR2004
            raise _refused(
                header.path, f"{name} of {tensor.type_name} {tensor.dimensions}", "F16 or F32 matrices"
            )
        halves.setdefault(name[: -len(".lora_a")], {})[found[3]] = tensor
    shapes, ranks = {}, set()
    for name, pair in halves.items():
        if set(pair) != {"a", "b"}:
            raise _refused(header.path, f"half an update of {name}", "both matrices")
        (n_in, rank), (same, n_out) = pair["a"].dimensions, pair["b"].dimensions
        if rank != same or max(n_in, n_out) > MAX_SIZE:
            raise _refused(
                header.path, f"{name} of {pair['a'].dimensions} and {pair['b'].dimensions}", "one rank"
            )
        ranks.add(rank)
        shapes[name] = (n_in, n_out)
    if len(ranks) != 1 or max(ranks) > MAX_RANK:
        raise _refused(header.path, f"ranks {sorted(ranks)}", f"one of 1 to {MAX_RANK}")
    return shapes, ranks.pop()


def _check_values(header: Header) -> None:
    """No tensor holds NaN, infinity or a number that no training makes."""
    data = np.memmap(header.path, np.uint8, "r")
    for name, tensor in header.tensors.items():
        begin = header.data_begin + tensor.offset
        values = data[begin : begin + tensor.n_bytes].view(_DTYPES[tensor.type_name])
        if not np.all(np.abs(values) <= LARGEST):
            raise _refused(
                header.path, f"{name} with numbers that are not finite or huge", f"up to {LARGEST:g}"
            )


@dataclass(frozen=True)
class _Facts:
    """Metadata of a header, each checked as it is taken."""

    header: Header

    def _wrong(self, key: str, expected: str) -> ModelError:
        value = self.header.metadata.get(key)
        shown = "missing" if value is None else "".join(islice(repr(value), 60))
        return _refused(self.header.path, f"metadata {key} {shown}", expected)

    def text(self, key: str) -> str:
        value = self.header.metadata.get(key)
        if not isinstance(value, bytes):
            raise self._wrong(key, "text")
        return value.decode(errors="replace")

    def one_of(self, key: str, names: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in names:
            raise self._wrong(key, " or ".join(names))
        return value

    def digest(self, key: str) -> str:
        value = self.text(key)
        if re.fullmatch(r"[0-9a-f]{64}", value) is None:
            raise self._wrong(key, "64 hexadecimal digits")
        return value

    def whole(self, key: str, least: int, most: int) -> int:
        value = self.header.metadata.get(key)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(key, f"a whole number from {least} to {most}")
        return value

    def number(self, key: str, least: float, most: float) -> float:
        value = self.header.metadata.get(key)
        if not isinstance(value, float) or not math.isfinite(value) or not least <= value <= most:
            raise self._wrong(key, f"a number from {least:g} to {most:g}")
        return value

    def floats(self, key: str) -> Float32:
        value = self._array(key, float)
        made = np.asarray(value, np.float32)
        if not 0 < made.size <= MAX_SIZE or not np.all(np.abs(made) <= LARGEST):
            raise self._wrong(key, f"numbers up to {LARGEST:g}")
        return made

    def tokens(self, key: str) -> tuple[int, ...]:
        if key not in self.header.metadata:
            return ()
        value = self._array(key, int)
        if len(value) > MAX_TOKENS or min(value, default=0) < 0:
            raise self._wrong(key, f"up to {MAX_TOKENS} tokens")
        return tuple(value)

    def hashes(self, key: str) -> npt.NDArray[np.uint64]:
        value = self._array(key, int)
        if min(value, default=0) < 0:
            raise self._wrong(key, "hashes")
        made = np.asarray(value, np.uint64)
        if np.any(made[1:] <= made[:-1]):
            raise self._wrong(key, "hashes that rise")
        return made

    def _array(self, key: str, kind: type) -> tuple[Any, ...]:
        value = self.header.metadata.get(key)
        if not isinstance(value, tuple) or not all(type(one) is kind for one in value):
            raise self._wrong(key, f"a list of {kind.__name__}")
        return value


def _refused(path: Path, found: str, expected: str) -> ModelError:
    return ModelError(f"{path}: {found}; expected {expected}: give an adapter of `ghostbuster finetune`")
