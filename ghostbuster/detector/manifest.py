"""Manifest of a detector: the models, versions, data and parameters that made it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import ghostbuster
from ghostbuster.decision.trained import Trained, threshold_facts
from ghostbuster.detector.labels import Labels
from ghostbuster.detector.params import Params
from ghostbuster.errors import ArtifactError
from ghostbuster.reading.read import Reading

if TYPE_CHECKING:
    from ghostbuster.reading.scores.panel_facts import KnownPanel

LIBRARIES = ("lightgbm", "llama-cpp-python", "numpy", "scikit-learn", "scipy")
"""Their versions can change a number."""


def data_digest(reading: Reading, labels: Labels) -> str:
    """SHA-256 over prepared texts and labels, in order: equal digests mean equal training data."""
    digest = hashlib.sha256()
    for prepared, probability in zip(reading.prepared, labels.probability, strict=True):
        text = prepared.text.encode("utf-8")
        digest.update(f"{len(text)} {probability:.17g}\n".encode())
        digest.update(text)
    return digest.hexdigest()


def manifest(
    params: Params,
    trained: Trained,
    panel: KnownPanel,
    reading: Reading,
    labels: Labels,
    sources: npt.ArrayLike | None,
) -> dict[str, Any]:
    """Facts about a fitted detector, fit for JSON.

    Returns
    -------
    dict
        ``versions``, ``models``, ``features``, ``thresholds``, ``register_thresholds``,
        ``data`` and ``parameters``; training adds ``readers``, ``calibration`` and ``pairs``.
    """
    hard = labels.hard
    versions = {name: version(name) for name in LIBRARIES}
    data: dict[str, Any] = {
        "n_human": int(np.sum(hard == 0)),
        "n_machine": int(np.sum(hard == 1)),
        "n_tokens": int(reading.n_tokens.sum()),
        "digest": data_digest(reading, labels),
    }
    if sources is not None:
        names = np.asarray(sources)
        data["sources"] = {
            str(name): {
                "n_human": int(np.sum((names == name) & (hard == 0))),
                "n_machine": int(np.sum((names == name) & (hard == 1))),
            }
            for name in np.unique(names)
        }
    return {
        "versions": {"ghostbuster": ghostbuster.__version__, **versions, **panel.versions},
        "models": panel.describe(),
        "features": [str(feature) for feature in trained.scorer.features],
        **threshold_facts(trained.thresholds, trained.register_thresholds),
        "data": data,
        "parameters": params.plain(),
    }


def check_fingerprints(
    expected: Mapping[str, str],
    found: Mapping[str, str],
    other_paths: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Refuse language models other than those that a detector was trained with.

    Parameters
    ----------
    expected, found : mapping of str to str
        Fingerprints by source.
    other_paths : mapping of str to (str, str), optional
        By language model, its other CPU path and the fingerprint it would have on that.

    Raises
    ------
    ArtifactError
        Names the first model that differs, and the CPU path if it is only that.
    """
    wrong = [source for source in expected if found.get(source) != expected[source]]
    if not wrong:
        return
    source = wrong[0]
    path, fingerprint = (other_paths or {}).get(source, ("", ""))
    if fingerprint == expected[source]:
        raise ArtifactError(
            f"the detector was trained with this {source} model on the {path} CPU path, and another moves "
            f"scores: set GHOSTBUSTER_CPU_PATH={path}, or leave it unset to use the path of the detector"
        )
    raise ArtifactError(
        f"the detector was trained with another {source} model: expected fingerprint "
        f"{expected[source][:12]}, found {found.get(source, 'none')[:12]}: score with the models it was "
        "trained with, or train again"
    )
