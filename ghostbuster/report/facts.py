"""Facts about a detector: what made it, what it promises, and what llama.cpp makes of its models."""

from __future__ import annotations

from collections.abc import Mapping
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

    facts = {
        "artifact": str(artifact.path),
        "digest": artifact.digest,
        "schema": SCHEMA,
        "llama_cpp": hardware_report(_models(artifact.manifest), ask=ask),
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
