"""Says how likely a text was written by a machine, and how often it is wrong about people.

The names below load what they need on first use: importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghostbuster import errors

if TYPE_CHECKING:
    from ghostbuster.artifact import load, load_default, save
    from ghostbuster.classifier import GhostbusterClassifier
    from ghostbuster.frames import score_texts
    from ghostbuster.models.placement import on_device
    from ghostbuster.passages import judge_passages
    from ghostbuster.remembering import remember_scores
    from ghostbuster.transformer import GhostbusterTransformer
    from ghostbuster.verdict import Evidence, Verdict

__version__ = "0.1.0"

__all__ = [
    "Evidence",
    "GhostbusterClassifier",
    "GhostbusterTransformer",
    "Verdict",
    "__version__",
    "errors",
    "judge_passages",
    "load",
    "load_default",
    "on_device",
    "remember_scores",
    "save",
    "score_texts",
]

_HOMES = {
    "Evidence": "verdict",
    "GhostbusterClassifier": "classifier",
    "GhostbusterTransformer": "transformer",
    "Verdict": "verdict",
    "judge_passages": "passages",
    "load": "artifact",
    "load_default": "artifact",
    "on_device": "models.placement",
    "remember_scores": "remembering",
    "save": "artifact",
    "score_texts": "frames",
}
"""Public name to the module that defines it."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ghostbuster' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"ghostbuster.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
