"""Open an adapter with the model it was made for, found by its digest; no panel is needed."""

from __future__ import annotations

from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.backend.devices import placement
from ghostbuster.models.gguf.adapter import AdapterFile, check_adapter
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.locate import model_file
from ghostbuster.models.llama.adapter import AdapterLM
from ghostbuster.models.llama.language_model import MAX_CONTEXT, LlamaLM, with_trained_path
from ghostbuster.models.llama.load import cards
from ghostbuster.models.panels import EMBEDDED_STRONG, EMBEDDED_WEAK, absolute, weights_folder
from ghostbuster.models.prepared.prepare import serve


def open_adapter(path: str | Path, base: str | Path | None = None) -> AdapterLM:
    """An adapter over its base model.

    Parameters
    ----------
    path : str or Path
    base : str or Path, optional
        The base model's file; by default a known model with the right digest.

    Raises
    ------
    ModelError
        When a file is missing or damaged, the base is another model, or none of those here is the right one.
    """
    file = check_adapter(path)
    wanted = placement()
    served = serve(absolute(base) if base is not None else base_of(file), on_card=bool(cards(wanted)))
    window = min(served.file.context, MAX_CONTEXT)
    placed = wanted if served.original else with_trained_path(served.file, window, wanted, None)
    return AdapterLM(LlamaLM(served.file.path, "base", wanted=placed, original=served.original), file)


def base_of(file: AdapterFile) -> Path:
    """The known model that an adapter was made for.

    Raises
    ------
    ModelError
        When it is none of those that ship or can be pulled, or is not here.
    """
    for name, row in CATALOG.items():
        if row.sha256 == file.base:
            return model_file(name)
    for path in (weights_folder() / EMBEDDED_STRONG, weights_folder() / EMBEDDED_WEAK):
        if path.is_file() and file_digest(path) == file.base:
            return path
    raise ModelError(
        f"{file.path}: an adapter of the model with SHA-256 {file.base[:12]}, none of the known ones; "
        "expected that model's file: name it with --base"
    )
