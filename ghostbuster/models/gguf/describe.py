"""Describe a GGUF file for `ghostbuster models info`: metadata, size, digest; nothing is loaded."""

from __future__ import annotations

from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.header import Header, read_header

SHOWN = ("general.name", "general.license", "general.quantized_by", "general.source.url")
"""Metadata keys that are shown unchanged, where a file has them."""
SIZES = ("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count")
"""Metadata of the architecture."""
MAX_VALUE_LENGTH = 200  # characters


def model_facts(path: Path) -> dict[str, object]:
    """Facts about a model file for JSON: its metadata, and whether it can be used as a weak model.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        ``usable`` says whether the file can be used as a weak model, and ``reason`` why not.

    Raises
    ------
    ModelError
        When the file is no sound GGUF.
    """
    header = read_header(path)
    architecture = _plain(header.metadata.get("general.architecture"))
    facts: dict[str, object] = {
        "file": str(path),
        "size_bytes": path.stat().st_size,
        "digest": file_digest(path),
        "architecture": architecture,
        "parameters": header.n_parameters,
        "quantisation": header.quantisation,
        "tensors": len(header.tensors),
        "metadata": _metadata(header, str(architecture)),
    }
    try:
        model = check_model(path)
    except ModelError as error:
        return facts | {"usable": False, "reason": str(error)}
    return facts | {
        "usable": True,
        "reason": None,
        "vocabulary": model.n_vocabulary,
        "context": model.context,
        "tokenizer": model.tokenizer,
    }


def _metadata(header: Header, architecture: str) -> dict[str, object]:
    """The metadata that people read: names, sizes and licence, not the vocabulary."""
    keys = (*SHOWN, *(f"{architecture}.{name}" for name in SIZES), "tokenizer.ggml.model")
    return {key: _plain(header.metadata[key]) for key in keys if key in header.metadata}


def _plain(value: object) -> object:
    """``value`` as a JSON value; long text is cut."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")[:MAX_VALUE_LENGTH]
    if value is None or isinstance(value, int | float):
        return value
    return str(value)[:MAX_VALUE_LENGTH]
