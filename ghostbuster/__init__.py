"""Says how likely a text was written by a machine, and how often it is wrong about people.

The names below load what they need on first use: importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghostbuster import errors

if TYPE_CHECKING:
    from ghostbuster.decision.pairs import PairVerdict
    from ghostbuster.decision.verdict import Evidence, Verdict
    from ghostbuster.detector.artifact import load, load_default, save
    from ghostbuster.detector.batches.batch_scorer import BatchScorer
    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.detector.dataframe import score_texts
    from ghostbuster.detector.passages import judge_passages
    from ghostbuster.detector.transformer import GhostbusterTransformer
    from ghostbuster.models.backend.devices import on_device
    from ghostbuster.reading.cache import remember_scores

__version__ = "0.1.0"

__all__ = [
    "BatchScorer",
    "Evidence",
    "GhostbusterClassifier",
    "GhostbusterTransformer",
    "PairVerdict",
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
    "BatchScorer": "detector.batches.batch_scorer",
    "Evidence": "decision.verdict",
    "GhostbusterClassifier": "detector.classifier",
    "GhostbusterTransformer": "detector.transformer",
    "PairVerdict": "decision.pairs",
    "Verdict": "decision.verdict",
    "judge_passages": "detector.passages",
    "load": "detector.artifact",
    "load_default": "detector.artifact",
    "on_device": "models.backend.devices",
    "remember_scores": "reading.cache",
    "save": "detector.artifact",
    "score_texts": "detector.dataframe",
}
"""Public name to the module that defines it."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ghostbuster' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"ghostbuster.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
