"""Facts about a detector: what made it, what it promises, and what llama.cpp makes of its models."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import GhostbusterError

if TYPE_CHECKING:
    from ghostbuster.detector.artifact import Artifact


def facts_of(artifact: Artifact, *, ask: bool = False) -> dict[str, Any]:
    """The object that ``ghostbuster info --format json`` prints.

    Parameters
    ----------
    artifact : Artifact
    ask : bool
        Whether CPU paths of models not yet tried are tried, which takes seconds.
    """
    from ghostbuster.detector.artifact import SCHEMA
    from ghostbuster.models.llama.hardware import hardware_report

    models = _models(artifact.manifest)
    facts = {
        "artifact": str(artifact.path),
        "digest": artifact.digest,
        "schema": SCHEMA,
        "model_files": [_row(role, path) for role, path in models],
        "llama_cpp": hardware_report([(role, _read(path)) for role, path in models], ask=ask),
    }
    # what the file says of itself never stands for what is known of it
    return facts | {name: said for name, said in artifact.manifest.items() if name not in facts}


def _models(manifest: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Roles and files of a detector's language models, as far as they are to be found here."""
    from ghostbuster.models.panels import panel_files

    try:
        files = panel_files(manifest["parameters"]["panel"])
    except (GhostbusterError, LookupError, TypeError, ValueError):  # whatever the manifest says
        return []
    return list(zip(("weak", "strong"), files, strict=True))


def _read(path: Path) -> Path:
    """The file that is read in place of a model's own: its converted form, once it has one."""
    from ghostbuster.models.prepared.prepare import current

    try:
        served = current(path)
    except GhostbusterError:  # the hardware report says what is wrong with the file
        return path
    return path if served is None else served.file.path


def _row(role: str, path: Path) -> dict[str, str | None]:
    """Where a model is from, and what it is read as; names alone, for servers show this to strangers."""
    from ghostbuster.models.gguf.digest import file_digest
    from ghostbuster.models.hub.catalog import CATALOG
    from ghostbuster.models.hub.locate import locate
    from ghostbuster.models.panels import absolute, weights_folder
    from ghostbuster.models.prepared.prepare import is_converted, read_as

    found = None
    with suppress(GhostbusterError):  # a damaged record of another model
        found = next((one for one in map(locate, CATALOG) if one and one.path == path), None)
    embedded = path.parent == absolute(weights_folder())
    return {
        "role": role,
        "file": path.name,
        "source": found.source if found else "package" if embedded else "file",
        "distribution": found.distribution if found else None,
        "read_as": read_as(file_digest(path)) if is_converted(path) else None,
    }
