"""Whether what was restored from a file is a detector: numbers finite, parts as wide as the features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.errors import ArtifactError
from ghostbuster.heads.trained import TrainedLogistic
from ghostbuster.system.printable import printable

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.heads.scorer import Fitted

MAX_FEATURES = 10_000
MAX_EXPRESSION = 2000
"""Characters of a feature; the longest made here have some hundred."""
MAX_SHOWN = 200
"""Characters that a message or a promise repeats of a file."""

PARAMETERS: dict[str, type | tuple[type, ...]] = {
    "panel": (str, tuple),
    "space": str,
    "max_features": int,
    "head": str,
    "lexical_weight": (int, float),
    "criterion": str,
    "max_fpr": float,
    "min_tokens": int,
    "n_folds": int,
    "random_state": int,
}
"""Types of the constructor's parameters."""


def shown(text: object) -> str:
    """A stranger's words as one line of bounded length."""
    return printable(" ".join(str(text).split()))[:MAX_SHOWN]


def check_params(params: Mapping[str, Any]) -> None:
    """Parameters are those of the constructor, each of its type.

    Raises
    ------
    ArtifactError
        Names the first that is not.
    """
    for name, value in params.items():
        if name not in PARAMETERS:
            raise ArtifactError(f"no parameter {shown(name)!r} is known")
        if isinstance(value, bool) or not isinstance(value, PARAMETERS[name]):
            raise ArtifactError(f"parameter {name} is of type {type(value).__name__}")
    panel = params.get("panel", "")
    if isinstance(panel, tuple) and not (len(panel) == 2 and all(isinstance(one, str) for one in panel)):  # noqa: PLR2004
        raise ArtifactError("parameter panel is neither a name nor two files")
    if not 0 < params.get("min_tokens", 1) < 2**31:
        raise ArtifactError("parameter min_tokens is out of range")


def check_features(texts: Any) -> None:
    """Features are texts of a length that features have, neither none nor too many.

    Raises
    ------
    ArtifactError
        Says what is wrong.
    """
    if not isinstance(texts, list | tuple) or not 0 < len(texts) <= MAX_FEATURES:
        raise ArtifactError(f"expected a list of 1 to {MAX_FEATURES} features")
    if not all(isinstance(text, str) and len(text) <= MAX_EXPRESSION for text in texts):
        raise ArtifactError(f"a feature is no text of at most {MAX_EXPRESSION} characters")


def check_detector(detector: Detector) -> None:
    """Numbers are finite, and arrays as wide as there are features.

    Raises
    ------
    ArtifactError
        Names the first part that is wrong.
    """
    n = len(detector.features_)
    if detector.classes_.shape != (2,) or detector.classes_.dtype.kind not in "biufU":
        raise ArtifactError("classes are no two names or numbers")
    if not detector.thresholds_ or not all(detector.register_thresholds_.values()):
        raise ArtifactError("there is no threshold")
    for name, value, shape in (*_of_fitted(detector.fitted_, n), *_of_judging(detector, n)):
        numbers = np.asarray(value)
        if numbers.dtype.kind != "f" or not np.isfinite(numbers).all():
            raise ArtifactError(f"{name} holds something else than finite numbers")
        if shape is not None and numbers.shape != shape:
            raise ArtifactError(f"{name} has shape {numbers.shape} where {shape} was due")
    if not np.all(detector.familiarity_.scale > 0):
        raise ArtifactError("familiarity.scale holds a number that is not above 0")
    if detector.percentiles_ is not None and np.any(np.diff(detector.percentiles_.quantiles, axis=0) < 0):
        raise ArtifactError("percentiles do not rise")


_Named = Iterator[tuple[str, Any, tuple[int, ...] | None]]


def _of_fitted(fitted: Fitted, n: int) -> _Named:
    """Numbers of the head and the lexicon, each with its name and the shape it must have."""
    head = fitted.head
    yield "head.baseline", head.baseline_, ()
    if isinstance(head, TrainedLogistic):
        yield "head.coef", head.coef_, (n,)
        yield "head.scaler.mean", head.scaler_.mean, (n,)
        yield "head.scaler.scale", head.scaler_.scale, (n,)
    elif head.n_features_in_ != n:  # type: ignore[attr-defined]
        raise ArtifactError(f"the head's trees are of another number of features than {n}")
    yield "mix", fitted.mix, (2,)
    if fitted.lexicon is not None:
        yield "lexicon.idf", fitted.lexicon.idf, (len(fitted.lexicon.terms),)
        yield "lexicon.coef", fitted.lexicon.coef, (len(fitted.lexicon.terms),)
        yield "lexicon.baseline", fitted.lexicon.baseline, ()


def _of_judging(detector: Detector, n: int) -> _Named:
    """Numbers of calibration, thresholds and doubts."""
    calibration, familiarity = detector.calibration_, detector.familiarity_
    yield "calibration.line", (calibration.slope_, calibration.intercept_), (2,)
    yield "calibration.knots", calibration.knots_, (calibration.knots_.size,)
    yield "calibration.log_odds", calibration.log_odds_, (calibration.knots_.size,)
    for kept in (detector.thresholds_, *detector.register_thresholds_.values()):
        for one in kept:
            shares = (one.rate, one.fpr.value, one.fpr.low, one.fpr.high, one.worst)
            yield "threshold", (one.probability, *shares), (6,)
            if not all(0 <= share <= 1 for share in shares):
                raise ArtifactError("threshold holds a share that is not from 0 to 1")
    yield "familiarity.mean", familiarity.mean, (n,)
    yield "familiarity.scale", familiarity.scale, (n,)
    limits = (familiarity.farthest, familiarity.most_surprising, familiarity.fewest_english)
    yield "familiarity.limits", limits, (3,)
    if detector.percentiles_ is not None:
        quantiles = detector.percentiles_.quantiles
        yield "percentiles", quantiles, (max(2, len(quantiles)), n)
