"""Serialise a trained detector to plain containers and arrays, and back with every part checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.novelty import NoveltyLimits
from ghostbuster.decision.pair_slope import PairSlope
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.trained import Trained
from ghostbuster.detector.params import NAMES, Params
from ghostbuster.errors import ArtifactError
from ghostbuster.features.expression import Feature
from ghostbuster.heads.lexicon import Lexicon
from ghostbuster.heads.scorer import Scorer
from ghostbuster.heads.state_probe import StateProbe
from ghostbuster.heads.table import HEADS
from ghostbuster.system.printable import printable

MAX_FEATURES = 10_000
MAX_EXPRESSION = 2000
"""Characters of a feature; the longest made here have some hundred."""
MAX_SHOWN = 200
"""Characters that a message or a promise repeats of a file."""


def state_of(params: Params, trained: Trained) -> dict[str, Any]:
    """Everything learned; it holds no object of a library, so that reading it back runs no code."""
    scorer = trained.scorer
    return {
        "params": params.plain(),
        "fingerprints": dict(trained.fingerprints),
        "classes": trained.classes.tolist(),
        "features": [str(feature) for feature in scorer.features],
        "head": scorer.head.state(),
        "lexicon": None if scorer.lexicon is None else scorer.lexicon.state(),
        "mix": list(scorer.mix),
        **({} if scorer.probe is None else {"probe": scorer.probe.state()}),
        **({} if scorer.adapter is None else {"adapter": scorer.adapter.state()}),
        "calibration": trained.calibration.state(),
        "pairs": trained.pairs.state(),
        "thresholds": [threshold.state() for threshold in trained.thresholds],
        "register_thresholds": {
            name: [threshold.state() for threshold in of_register]
            for name, of_register in trained.register_thresholds.items()
        },
        "familiarity": trained.novelty.state(),
        "percentiles": None if trained.percentiles is None else trained.percentiles.quantiles,
        "manifest": trained.manifest,
    }


def params_of(state: Mapping[str, Any]) -> Params:
    """The constructor's parameters.

    Raises
    ------
    ArtifactError
        Names the first that is unknown, or of another type than its default.
    """
    params = dict(state["params"])
    if not isinstance(params["panel"], str):
        params["panel"] = tuple(params["panel"])
    for name, value in params.items():
        if name not in NAMES:
            raise ArtifactError(f"no parameter {shown(name)!r} is known")
        if isinstance(value, bool) or not isinstance(value, _kinds(name)):
            raise ArtifactError(f"parameter {name} is of type {type(value).__name__}")
    made = Params(**params)
    if isinstance(made.panel, tuple) and list(map(type, made.panel)) != [str, str]:
        raise ArtifactError("parameter panel is neither a name nor two files")
    if not 0 < made.min_tokens < 2**31:
        raise ArtifactError("parameter min_tokens is out of range")
    return made


def _kinds(name: str) -> tuple[type, ...]:
    """Types that a parameter may have: that of its default, and what is as good."""
    kind = type(getattr(Params, name))
    return (kind, *{"panel": (tuple,), "lexical_weight": (int,)}.get(name, ()))


def trained_of(state: Mapping[str, Any], head: str) -> Trained:
    """What was learned; ``head`` is the parameter of that name.

    Raises
    ------
    ArtifactError
        When a part is of another kind or width, or holds a number that is not finite.
    """
    check_features(state["features"])
    scorer = Scorer(
        tuple(Feature.parse(text) for text in state["features"]),
        HEADS[head].trained.from_state(state["head"]),
        None if state["lexicon"] is None else Lexicon.from_state(state["lexicon"]),
        tuple(float(one) for one in state["mix"]),
        *(
            None if state.get(name) is None else StateProbe.from_state(state[name])
            for name in ("probe", "adapter")  # the first files have none
        ),
    )
    quantiles = state.get("percentiles")  # the first files have none
    trained = Trained(
        scorer=scorer,
        calibration=Calibration.from_state(state["calibration"]),
        novelty=NoveltyLimits.from_state(state["familiarity"]),
        thresholds=tuple(Threshold.from_state(one) for one in state["thresholds"]),
        register_thresholds={
            name: tuple(Threshold.from_state(one) for one in of_register)
            for name, of_register in state.get("register_thresholds", {}).items()  # nor these
        },
        percentiles=None if quantiles is None else Percentiles(np.asarray(quantiles)),
        classes=np.array(state["classes"]),
        fingerprints={str(name): str(digest) for name, digest in state["fingerprints"].items()},
        manifest=dict(state["manifest"]),
        pairs=PairSlope.from_state(state.get("pairs")),  # nor these
    )
    check_trained(trained)
    return trained


def shown(text: object) -> str:
    """Words of a file from elsewhere as one printable line of bounded length."""
    return printable(" ".join(str(text).split()))[:MAX_SHOWN]


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


def check_trained(trained: Trained) -> None:
    """Numbers are finite, and arrays as wide as there are features.

    Raises
    ------
    ArtifactError
        Names the first part that is wrong.
    """
    n = len(trained.scorer.features)
    if trained.classes.shape != (2,) or trained.classes.dtype.kind not in "biufU":
        raise ArtifactError("classes are no two names or numbers")
    if not trained.thresholds or not all(trained.register_thresholds.values()):
        raise ArtifactError("there is no threshold")
    for name, value, shape in (*_of_scorer(trained.scorer, n), *_of_judging(trained, n)):
        numbers = np.asarray(value)
        if numbers.dtype.kind != "f" or not np.isfinite(numbers).all():
            raise ArtifactError(f"{name} holds something else than finite numbers")
        if shape is not None and numbers.shape != shape:
            raise ArtifactError(f"{name} has shape {numbers.shape} where {shape} was due")
    if not np.all(trained.novelty.scale > 0):
        raise ArtifactError("familiarity.scale holds a number that is not above 0")
    if trained.percentiles is not None and np.any(np.diff(trained.percentiles.quantiles, axis=0) < 0):
        raise ArtifactError("percentiles do not rise")


_Named = Iterator[tuple[str, Any, tuple[int, ...] | None]]


def _of_scorer(scorer: Scorer, n: int) -> _Named:
    """Numbers of the head and the lexicon, each with its name and the shape it must have."""
    yield "head.baseline", scorer.head.baseline_, ()
    for name, array in scorer.head.arrays().items():
        yield f"head.{name}", array, (n,)
    if scorer.head.n_features_in_ != n:
        raise ArtifactError(f"the head was trained on another number of features than {n}")
    yield "mix", scorer.mix, (scorer.n_columns,)
    for name, probe in (("probe", scorer.probe), ("adapter", scorer.adapter)):
        if probe is not None:
            shape = (len(probe.layers), probe.coef.shape[1])
            yield f"{name}.mean", probe.mean, shape
            yield f"{name}.coef", probe.coef, shape
            yield f"{name}.baseline", probe.baseline, ()
    if scorer.lexicon is not None:
        yield "lexicon.idf", scorer.lexicon.idf, (len(scorer.lexicon.terms),)
        yield "lexicon.coef", scorer.lexicon.coef, (len(scorer.lexicon.terms),)
        yield "lexicon.baseline", scorer.lexicon.baseline, ()


def _of_judging(trained: Trained, n: int) -> _Named:
    """Numbers of calibration, thresholds and doubts."""
    calibration, novelty = trained.calibration, trained.novelty
    yield "calibration.line", (calibration.slope_, calibration.intercept_), (2,)
    yield "calibration.knots", calibration.knots_, (calibration.knots_.size,)
    yield "calibration.log_odds", calibration.log_odds_, (calibration.knots_.size,)
    yield "pairs.slope", trained.pairs.slope, ()
    for kept in (trained.thresholds, *trained.register_thresholds.values()):
        for one in kept:
            shares = (one.rate, one.fpr.value, one.fpr.low, one.fpr.high, one.worst)
            yield "threshold", (one.probability, *shares), (6,)
            if not all(0 <= share <= 1 for share in shares):
                raise ArtifactError("threshold holds a share that is not from 0 to 1")
    yield "familiarity.mean", novelty.mean, (n,)
    yield "familiarity.scale", novelty.scale, (n,)
    limits = (novelty.farthest, novelty.most_surprising, novelty.fewest_english)
    yield "familiarity.limits", limits, (3,)
    if trained.percentiles is not None:
        quantiles = trained.percentiles.quantiles
        yield "percentiles", quantiles, (max(2, len(quantiles)), n)
