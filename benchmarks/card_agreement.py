"""How far a graphics card's numbers are from the CPU's: token by token, text by text, verdict by verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.scoring import passages
from ghostbuster.artifact import load_default
from ghostbuster.models.panel import open_panel
from ghostbuster.models.placement import on_device
from ghostbuster.reading import reading_of
from ghostbuster.scores import Float1d, TokenScores
from ghostbuster.text import prepare
from ghostbuster.verdict import Verdict
from training.data import Plan, learnable, load

ROLES = ("weak", "strong")
A_TOKEN, A_TEXT = 0.2, 0.005
"""Nats by which a token's log-prob, and its mean over a text, may differ by device: as docs/cli.md states."""


@dataclass(frozen=True)
class Answer:
    """What one device made of the texts.

    Parameters
    ----------
    device : str
    scores : mapping of str to TokenScores
        Of each language model.
    raw : array of shape (n_texts,)
        Raw scores of the shipped detector; its probabilities hide small changes, for they follow steps.
    verdicts : sequence of Verdict
        Of the shipped detector.
    """

    device: str
    scores: Mapping[str, TokenScores]
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
        prepared = [prepare(text) for text in texts]
        scores = panel.score([one.text for one in prepared])
    detector, reading = load_default(), reading_of(scores, prepared, panel.shared_tokenizer)
    raw = detector.fitted_.raw_score(detector.fitted_.matrix(reading.vectors), reading.texts)
    return Answer(panel.device, scores, raw, detector.judge_reading(reading))


def differences(cpu: Answer, card: Answer) -> dict[str, Any]:
    """Mean and largest difference of each channel, of texts' mean log-probs, of raw scores, of probabilities.

    Raw scores are counted in their standard deviations over the texts; that of one text, in log-odds.
    """
    found: dict[str, Any] = {"cpu": cpu.device, "device": card.device}
    for role in ROLES:
        one, other = cpu.scores[role], card.scores[role]
        found |= {"n_texts": one.offsets.size - 1, "n_tokens": int(one.ends.size)}
        for channel, values in one.channels.items():
            found[f"{role}.{channel}"] = apart(values, other.channels[channel])
        found[f"{role}, mean logprob of a text"] = apart(means(one), means(other))
    spread = float(np.std(cpu.raw)) or 1.0
    found["raw score"] = apart(cpu.raw / spread, card.raw / spread)
    probabilities = np.array([[v.probability for v in one.verdicts] for one in (cpu, card)], float)
    judged = probabilities[:, ~np.isnan(probabilities).any(axis=0)]
    found["probability"] = apart(*judged)
    changed = sum(a.label != b.label for a, b in zip(cpu.verdicts, card.verdicts, strict=True))
    return found | {"n_judged": judged.shape[1], "labels_changed": changed}


def means(scores: TokenScores) -> Float1d:
    """Mean log-prob of each text that has a token, nats."""
    lengths = np.diff(scores.offsets)
    sums = np.add.reduceat(scores.channels["logprob"].astype(float), scores.offsets[:-1][lengths > 0])
    return np.asarray(sums / lengths[lengths > 0])


def apart(one: npt.ArrayLike, other: npt.ArrayLike) -> dict[str, float]:
    """Mean and largest absolute difference; NaN where there is nothing to compare."""
    values = np.abs(np.asarray(other, float) - np.asarray(one, float))
    if not values.size:
        return {"mean": float("nan"), "largest": float("nan")}
    return {"mean": float(values.mean()), "largest": float(values.max())}
