"""Students of a probe, of a fine-tuned adapter and of both, on sources of which nobody gave them a label.

A student of the embedded models has the labels of other sources, and a teacher's word on half of the groups
of each source left out; it is asked about the other half. The teachers have seen none of either.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.finetuned import LEFT_OUT, WATCHED, learned_from
from benchmarks.accuracy.paired import METRICS, BySource, by_source
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.distillation import Mixing, distill
from training.data.labelled import LabelledText
from training.data.material import Material

NOBODY = "nobody"
SEED = 0
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Class:
    """What students learn from, and are asked.

    Attributes
    ----------
    material : Material
        Of all texts, under the student's language models.
    learned : sequence of LabelledText
        Texts with labels.
    place : mapping of str to int
        Row in ``material`` of each text's key.
    facts : mapping of str to array of shape (n_asked,)
        Key, label, source and group of the texts left out and watched.
    own, asked : array of int
        Rows of ``facts``: texts with a teacher's word, and texts that students are asked about.
    """

    material: Material
    learned: Sequence[LabelledText]
    place: Mapping[str, int]
    facts: Mapping[str, Any]
    own: Rows
    asked: Rows


def students(
    material: Material,
    options: argparse.Namespace,
    teachers: Mapping[str, Floats],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Figures of a student of each teacher and of one without, and what each has more than that.

    Parameters
    ----------
    material : Material
    options : argparse.Namespace
        ``n_texts`` may be learned from, each ``thin``'th is.
    teachers : mapping of str to array of shape (n_asked,)
        Log-odds of all texts of ``facts``.
    facts : mapping
    """
    place = {text.key: i for i, text in enumerate(material.texts)}
    known = learned_from(material.texts[: options.n_texts])
    learned = [text for text in known if text.source not in WATCHED][:: options.thin]
    out = np.flatnonzero(np.isin(facts["source"], LEFT_OUT))
    first = np.array([in_first_half(int(group)) for group in facts["group"][out]])
    of_class = Class(material, learned, place, facts, out[first], out[~first])
    found: dict[str, dict[str, BySource]] = {}
    for name, words in {NOBODY: None, **teachers}.items():
        found[name] = asked(of_class, taught(of_class, words))
        print("student of", name, found[name]["auroc"].mean(), flush=True)
    made: dict[str, Any] = {
        name: {
            metric: one.figures(LEFT_OUT) | {"gain": (one - found[NOBODY][metric]).figures(LEFT_OUT)}
            for metric, one in metrics.items()
        }
        for name, metrics in found.items()
    }
    counts = {"n_labelled": len(learned), "n_unlabelled": int(first.sum()), "n_asked": int((~first).sum())}
    return counts | made


def in_first_half(group: int) -> bool:
    """Which half a group belongs to: a bit of its multiplicative hash (Knuth)."""
    return bool((group * 2654435761 >> 7) & 1)


def asked(of_class: Class, score: Floats) -> dict[str, BySource]:
    """Metrics of a student's scores of the texts that it is asked about."""
    y, sources, groups = (of_class.facts[name][of_class.asked] for name in ("label", "source", "group"))
    return {name: by_source(metric, y, score, sources, groups, LEFT_OUT) for name, metric in METRICS.items()}


def taught(of_class: Class, words: Floats | None) -> Floats:
    """Probabilities of a student that has labels, and a teacher's word on ``own``."""
    facts, place, own = of_class.facts, of_class.place, of_class.own
    student = GhostbusterClassifier(space="zeroshot", max_features=30, random_state=SEED)
    rows = [place[text.key] for text in of_class.learned]
    labels = [float(text.label) for text in of_class.learned]
    groups = [text.group for text in of_class.learned]
    sources = [text.source for text in of_class.learned]
    said = list(labels)
    if words is not None:
        rows += [place[key] for key in facts["key"][own]]
        labels += [np.nan] * own.size
        groups += facts["group"][own].tolist()
        sources += facts["source"][own].tolist()
        said += (1 / (1 + np.exp(-words[own]))).tolist()
    reading = of_class.material.reading
    distill(student, reading.take(np.array(rows)), said, labels, Mixing(alpha=0.0), groups, sources)
    unseen = [place[key] for key in facts["key"][of_class.asked]]
    return student.probability_of(reading.take(np.array(unseen)))
