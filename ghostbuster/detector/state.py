"""A fitted detector as plain containers and arrays, and back: what an artifact holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.novelty import Familiarity
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.detector.state_checks import PARAMETERS, check_detector, check_features, check_params
from ghostbuster.features.expression import Feature
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.scorer import Fitted
from ghostbuster.heads.trained import TRAINED_HEADS

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector


def detector_state(detector: Detector) -> dict[str, Any]:
    """Everything learned; it holds no object of a library, so that reading it back runs no code."""
    fitted, panel = detector.fitted_, detector.panel
    return {
        "params": {
            **{name: getattr(detector, name) for name in sorted(PARAMETERS)},
            "panel": panel if isinstance(panel, str) else list(panel),
        },
        "fingerprints": dict(detector.fingerprints_),
        "classes": detector.classes_.tolist(),
        "features": [str(feature) for feature in fitted.features],
        "head": fitted.head.state(),
        "lexicon": None if fitted.lexicon is None else fitted.lexicon.state(),
        "mix": list(fitted.mix),
        "calibration": detector.calibration_.state(),
        "thresholds": [threshold.state() for threshold in detector.thresholds_],
        "register_thresholds": {
            name: [threshold.state() for threshold in kept]
            for name, kept in detector.register_thresholds_.items()
        },
        "familiarity": detector.familiarity_.state(),
        "percentiles": None if detector.percentiles_ is None else detector.percentiles_.quantiles,
        "manifest": detector.manifest_,
    }


def params_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's parameters."""
    params = dict(state["params"])
    if not isinstance(params["panel"], str):
        params["panel"] = tuple(params["panel"])
    check_params(params)
    return params


def restore(detector: Detector, state: Mapping[str, Any]) -> None:
    """Give an unfitted detector what was learned.

    Raises
    ------
    ArtifactError
        When a part is of another kind or width, or holds a number that is not finite.
    """
    check_features(state["features"])
    detector.fitted_ = Fitted(
        tuple(Feature.parse(text) for text in state["features"]),
        TRAINED_HEADS[detector.head].from_state(state["head"]),
        None if state["lexicon"] is None else Lexicon.from_state(state["lexicon"]),
        (float(state["mix"][0]), float(state["mix"][1])),
    )
    detector.calibration_ = Calibration.from_state(state["calibration"])
    detector.thresholds_ = tuple(Threshold.from_state(one) for one in state["thresholds"])
    detector.register_thresholds_ = {
        name: tuple(Threshold.from_state(one) for one in kept)
        for name, kept in state.get("register_thresholds", {}).items()  # the first files have none
    }
    quantiles = state.get("percentiles")  # the first files have none
    detector.percentiles_ = None if quantiles is None else Percentiles(np.asarray(quantiles))
    detector.familiarity_ = Familiarity.from_state(state["familiarity"])
    detector.fingerprints_ = {str(name): str(digest) for name, digest in state["fingerprints"].items()}
    detector.classes_ = np.array(state["classes"])
    detector.manifest_ = dict(state["manifest"])
    check_detector(detector)
