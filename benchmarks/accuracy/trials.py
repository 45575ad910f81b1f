"""Train a contender on all sources but one and test it on that, for each in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.contenders import Contender, WithWords, ask
from benchmarks.accuracy.protocols import Split
from benchmarks.results import Results, code_digest
from training.data.dataset import digest
from training.data.material import Material

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

SHIPPED = "ghostbuster (logistic head, words)"
Log = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """Answers of one contender to all texts it was asked about.

    Attributes
    ----------
    probability : array of shape (n_texts,), NaN where it was not asked
    called, called_strictly : arrays of shape (n_texts,)
        Whether it reaches the promised threshold, by both rules of ``Answers``.
    bars : dict of str to float
        The raw score above which a text is called machine, by split.
    """

    probability: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]
    called_strictly: npt.NDArray[np.bool_]
    bars: dict[str, float]


def run_trial(
    material: Material,
    name: str,
    contender: Contender,
    splits: Sequence[Split],
    results: Results,
    *,
    nested: bool,
    log: Log,
) -> Outcome:
    """Answers over all splits of a protocol; those kept from before are read."""
    n = len(material.texts)
    outcome = Outcome(np.full(n, np.nan), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), {})
    for split in splits:
        began = time.perf_counter()

        def answer(split: Split = split) -> Mapping[str, npt.ArrayLike]:
            made = ask(contender, material, split.train, split.test, nested=nested)
            mixes = contender.mixes if isinstance(contender, WithWords) else {}
            return {**vars(made), "mix": mixes.get(split.train.tobytes(), (1.0, 0.0))}

        key = ("answers", name, str(nested), split.train.tobytes(), split.test.tobytes())
        made = results.get(key, answer)
        if isinstance(contender, WithWords):
            contender.mixes[split.train.tobytes()] = (float(made["mix"][0]), float(made["mix"][1]))
        outcome.probability[split.test] = made["probability"]
        outcome.called[split.test] = made["called"]
        outcome.called_strictly[split.test] = made["called_strictly"]
        outcome.bars[split.name] = float(made["raw_bar"])
        log(f"    {split.name}: {split.train.size} learned from, {time.perf_counter() - began:.1f} s")
    return outcome


def stamp(material: Material, panel: Panel, versions: Mapping[str, str]) -> str:
    """What kept results hang on: texts, models, libraries, code."""
    return json.dumps([digest(material.texts), dict(panel.fingerprints), dict(versions), code_digest()])
