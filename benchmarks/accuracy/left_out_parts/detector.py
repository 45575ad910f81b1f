"""A detector of the shipped one's make that never saw some sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.unseen import MIN_TOKENS, HeldOut
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.length_bands import thresholds_by_length
from ghostbuster.decision.novelty import NoveltyLimits, english_share, surprise
from ghostbuster.decision.thresholds import RATES
from ghostbuster.detector.artifact import load, save
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.training import Examples, evaluate_candidates, fit_parts
from ghostbuster.heads.mixing import stacked_mix
from ghostbuster.heads.scorer import mixed
from ghostbuster.heads.state_probe import states_of
from ghostbuster.hidden_states import HiddenStates
from training.data.dataset import PROBES, STRESS
from training.data.material import Material

Indices = npt.NDArray[np.intp]


def detector_without(
    sources: Sequence[str],
    material: Material,
    held_out: HeldOut,
    shipped: GhostbusterClassifier,
    folder: Path,
    log: Callable[[str], None],
) -> GhostbusterClassifier:
    """Readers that learned without ``sources``, mixed, calibrated and given thresholds without them too.

    Parameters
    ----------
    sources : sequence of str
    material : Material
        Read by the panel of ``shipped``; what is related to a text of ``sources`` is not learned from.
    held_out : HeldOut
        Scores of all texts by readers that had not seen their source: for weights, calibration, thresholds.
    shipped : GhostbusterClassifier
        Its parameters are taken.
    folder : Path
        Where the detector is kept.
    """
    rows = _learned(material, sources)
    named = "".join(f"{text.key}\n" for text in material.texts) + repr((sorted(sources), shipped.params))
    key = hashlib.sha256(named.encode() + held_out.parts.tobytes()).hexdigest()[:16]
    path = folder / f"without-{key}.joblib"
    if path.exists():
        return load(path)
    log(f"learning from {rows.size} texts without {', '.join(sources)}")
    known = material.take(rows)
    weight_of = dict(zip(held_out.rows["key"].tolist(), held_out.rows["weights"].tolist(), strict=True))
    weights = np.array([weight_of[text.key] for text in known.texts])
    scorer = fit_parts(_examples(known, weights / weights.mean(), shipped), shipped.params)
    others = ~np.isin(held_out.rows["sources"], list(sources))
    learned = others & (held_out.rows["weights"] > 0)
    parts, y = held_out.parts, held_out.rows["y"].astype(np.float64)
    weights = held_out.rows["weights"]
    mix = stacked_mix(parts[learned], y[learned], weights[learned])
    raw = mixed(parts, mix)
    calibration = Calibration().fit(raw[learned], y[learned], sample_weight=weights[learned])
    people = others & (y == 0) & (held_out.rows["n_tokens"] >= MIN_TOKENS)
    lengths, of = held_out.rows["n_tokens"][people], held_out.rows["sources"][people]
    scorer = replace(scorer, mix=mix)
    matrix = scorer.matrix(known.reading.vectors)
    made = shipped.with_params()
    made.trained_ = replace(
        shipped.trained_,
        scorer=scorer,
        calibration=calibration,
        novelty=NoveltyLimits.fit(matrix, surprise(known.reading), english_share(known.reading)),
        thresholds=thresholds_by_length(calibration.probability(raw[people]), lengths, RATES, of),
        register_thresholds={},
        percentiles=None,
    )
    save(made, path)
    return made


def _learned(material: Material, sources: Sequence[str]) -> Indices:
    out = np.isin(material.sources, list(sources))
    related = np.isin(material.groups, material.groups[out])
    learnable = ~np.isin(material.files, sorted(STRESS | PROBES))
    return np.flatnonzero(learnable & ~out & ~related)


def _examples(known: Material, weights: npt.NDArray[np.float64], shipped: GhostbusterClassifier) -> Examples:
    """What is learned from; a text weighs what it did for the held-out scores."""
    states = None
    if "states" in shipped.params.reader_names:
        kept = states_of(known.reading.vectors)
        states = HiddenStates.without_blocks(kept.layers, kept.means)
    return Examples(
        *evaluate_candidates(shipped.params.space, known.reading.vectors),
        known.reading.texts,
        known.y.astype(np.float64),
        weights,
        known.groups,
        known.sources,
        states,
    )
