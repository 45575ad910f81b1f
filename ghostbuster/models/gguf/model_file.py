"""What is known of a GGUF file that passed its check; of large files it is kept between processes."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ghostbuster.errors import GhostbusterError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder

VERSION = 1  # raise it when `check_model` refuses more: what passed before is then checked again
_DIGEST_LENGTH = hashlib.sha256().digest_size * 2  # hexadecimal digits


@dataclass(frozen=True)
class ModelFile:
    """A checked GGUF language model, not yet loaded.

    Parameters
    ----------
    path : Path
    architecture : str
    n_parameters : int
    n_bytes : int
        Size of the file.
    n_layers : int
    quantisation : str
        The tensor type that holds most of the bytes.
    matrix_types : tuple of str
        The types of all matrices, sorted.
    context : int, tokens
        What the model was trained with.
    n_vocabulary : int
    begin : int
        The token before every text: begin-of-text, or end-of-text where the vocabulary has no other.
    tokenizer : str
        Digest of the vocabulary: equal digests mean that equal ids are equal pieces.
    """

    path: Path
    architecture: str
    n_parameters: int
    n_bytes: int
    n_layers: int
    quantisation: str
    matrix_types: tuple[str, ...]
    context: int
    n_vocabulary: int
    begin: int
    tokenizer: str


def record_path(digest: str) -> Path:
    """File in the cache that says a model file with this SHA-256 passed, and what is known of it."""
    asked = json.dumps([VERSION, digest])
    return cache_folder() / "model-checks" / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"


def checked_before(path: Path, digest: str) -> ModelFile | None:
    """What an earlier process found in a file with these bytes; None where none did, or no more can be read.

    Parameters
    ----------
    path : Path
    digest : str
        SHA-256 of the file as it is now.
    """
    try:
        return _model_file(path, digest, json.loads(record_path(digest).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError, GhostbusterError):
        return None


def remember_check(file: ModelFile, digest: str) -> None:
    """Keep what is known of a file that passed; where that fails, the next process checks again."""
    place = record_path(digest)
    facts = asdict(file) | {"path": str(file.path), "sha256": digest}
    with suppress(OSError, GhostbusterError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place, GhostbusterError) as temporary:
            temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _model_file(path: Path, digest: str, found: dict[str, Any]) -> ModelFile:
    """Raises ValueError, TypeError or KeyError for anything that `remember_check` has not written."""
    if found["sha256"] != digest:
        raise ValueError(digest)
    numbers = {
        name: _number(found[name], least=0 if name == "begin" else 1)
        for name in ("n_parameters", "n_bytes", "n_layers", "context", "n_vocabulary", "begin")
    }
    words = {name: _word(found[name]) for name in ("architecture", "quantisation", "tokenizer")}
    if numbers["begin"] >= numbers["n_vocabulary"] or len(words["tokenizer"]) != _DIGEST_LENGTH:
        raise ValueError(words["tokenizer"])
    types = tuple(_word(one) for one in found["matrix_types"])
    return ModelFile(path=path, matrix_types=types, **numbers, **words)  # type: ignore[arg-type]


def _number(value: object, least: int) -> int:
    if type(value) is not int or value < least:
        raise ValueError(value)
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
