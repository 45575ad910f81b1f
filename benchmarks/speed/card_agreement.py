"""Numerical agreement of a graphics card with the CPU: by token, by text, by verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measures import apart
from benchmarks.speed.scoring import passages
from ghostbuster.arrays import Float1d, Vectors
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector import artifact
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.models.backend.devices import on_device
from ghostbuster.models.panel import open_panel
from ghostbuster.reading.read import read
from training.data.dataset import Plan, learnable, load

ROLES = ("weak", "strong")
MEANS = tuple(Feature.parse(f"stat-loglikelihood {role}") for role in ROLES)
A_TOKEN, A_TEXT = 0.2, 0.005
"""Nats by which a token's log-prob, and its mean over a text, may differ by device: as docs/cli.md states."""


@dataclass(frozen=True)
class Answer:
    """What one device made of the texts.

    Parameters
    ----------
    device : str
    vectors : Vectors
        Of every source, in tokens.
    raw : array of shape (n_texts,)
        Raw scores of the shipped detector; its probabilities hide small changes, for they follow steps.
    verdicts : sequence of Verdict
        Of the shipped detector.
    """

    device: str
    vectors: Vectors
    raw: Float1d
    verdicts: Sequence[Verdict]


def compared(data: Path | None, n_texts: int) -> dict[str, Any]:
    """The shipped models and detector on the CPU, and wherever ghostbuster puts them by itself.

    Parameters
    ----------
    data : Path, optional
        Folder of labelled texts; passages of the licence by default.
    n_texts : int
        Of each class and file of ``data``, or passages.
    """
    texts = labelled(data, n_texts) if data else passages(open_panel().weak.weights, n_texts, 500, 50)
    return differences(answer(texts, "cpu"), answer(texts, None))


def labelled(data: Path, n_texts: int) -> list[str]:
    """So many texts of each class of every file that a detector may learn from."""
    plan = Plan(per_class=n_texts, machine_per_human=1.0, min_words=100)
    return [text.text for text in learnable(load(data, plan))]


def answer(texts: Sequence[str], device: str | None) -> Answer:
    """Read the texts on a device, and judge them."""
    with on_device(device):
        panel = open_panel()
    detector, reading = artifact.load("lite"), read(texts, panel)
    raw = detector.trained_.scorer.raw_score(reading.vectors, reading.texts)
    return Answer(panel.device, reading.vectors, raw, detector.judge_reading(reading))


def differences(cpu: Answer, card: Answer) -> dict[str, Any]:
    """Mean and largest difference of each channel, of texts' mean log-probs, of raw scores, of probabilities.

    Raw scores are counted in their standard deviations over the texts; that of one text, in log-odds.
    """
    one, other = cpu.vectors, card.vectors
    found: dict[str, Any] = {"cpu": cpu.device, "device": card.device}
    found |= {"n_texts": one.n_texts, "n_tokens": int(one.offsets[-1])}
    for name, values in one.channels.items():
        if name.startswith(ROLES):  # the n-grams are no device's
            found[name] = apart(other.channels[name], values)
    for role, here, there in zip(ROLES, means(one), means(other), strict=True):
        found[f"{role}, mean logprob of a text"] = apart(there, here)
    spread = float(np.std(cpu.raw)) or 1.0
    found["raw score"] = apart(card.raw / spread, cpu.raw / spread)
    probabilities = np.array([[v.probability for v in one.verdicts] for one in (cpu, card)], float)
    judged = probabilities[:, ~np.isnan(probabilities).any(axis=0)]
    found["probability"] = apart(*judged)
    changed = sum(a.label != b.label for a, b in zip(cpu.verdicts, card.verdicts, strict=True))
    return found | {"n_judged": judged.shape[1], "labels_changed": changed}


def means(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Mean log-prob of each text that has a token, nats, shape (n_roles, n_texts)."""
    filled = vectors.take(np.flatnonzero(vectors.lengths))
    return np.asarray(evaluate_all(MEANS, filled), float).T
