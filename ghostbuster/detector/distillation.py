"""Distillation: train a detector on a stronger one's probabilities, also on texts without labels.

Cross-entropy is linear in its target: ``(1 - a) * CE(y, p) + a * CE(s, p) = CE((1 - a) * y + a * s, p)``. So
a mixed loss is the loss of a mixed target, and distilling is fitting soft labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d
from ghostbuster.errors import InputError, SettingError
from ghostbuster.folds import sources_to_hold_out

if TYPE_CHECKING:
    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.reading.read import Reading


CERTAIN = 1e-6
"""A teacher's probabilities are kept this far from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True, slots=True)
class Mixing:
    """How teacher and labels are mixed into one target.

    Parameters
    ----------
    alpha : float
        Weight of the teacher where a text has a label too, from 0 (labels alone) to 1.
    temperature : float
        The teacher's log-odds are divided by it: above 1 it doubts more, below 1 less.
    teachers : tuple of str
        Names and digests of who teaches; the student's manifest keeps them.

    Raises
    ------
    SettingError
        When a number is out of range.
    """

    alpha: float = 0.5
    temperature: float = 1.0
    teachers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise SettingError(f"alpha is {self.alpha!r}; expected a share from 0 to 1")
        if not 0 < self.temperature < np.inf:
            raise SettingError(f"temperature is {self.temperature!r}; expected a finite number above 0")


def soften(probability: npt.ArrayLike, temperature: float) -> Float1d:
    """Probabilities whose log-odds are those given, divided by ``temperature``; shape as given.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531. There the
    student's log-odds are divided too; here only the teacher's are: the student's probabilities are used as
    they come.
    """
    inside = np.clip(np.asarray(probability, dtype=np.float64), CERTAIN, 1 - CERTAIN)
    log_odds = (np.log(inside) - np.log1p(-inside)) / temperature
    soft: Float1d = 1 / (1 + np.exp(-log_odds))
    return soft


def targets(
    teacher: npt.ArrayLike, labels: npt.ArrayLike | None = None, mixing: Mixing | None = None
) -> Float1d:
    """Training targets of a student: label and teacher mixed where there is a label, the teacher elsewhere.

    Parameters
    ----------
    teacher : array-like of shape (n_texts,)
        Its probabilities of machine.
    labels : array-like of shape (n_texts,), optional
        0 human, 1 machine, NaN where unknown.
    mixing : Mixing, optional

    Returns
    -------
    array of shape (n_texts,), probabilities of machine

    Raises
    ------
    InputError
        When lengths differ, a teacher's probability is none, or a label is neither 0, 1 nor NaN.
    """
    mixing = mixing or Mixing()
    given = np.asarray(teacher, dtype=np.float64)
    if given.ndim != 1 or not np.all((given >= 0) & (given <= 1)):
        raise InputError("the teacher's word holds something else than probabilities from 0 to 1, one a text")
    soft = soften(given, mixing.temperature)
    if labels is None:
        return soft
    known = np.asarray(labels, dtype=np.float64)
    if known.shape != given.shape:
        raise InputError(f"labels have shape {known.shape}; expected {given.shape}, one a text")
    if not np.all(np.isnan(known) | (known == 0) | (known == 1)):
        raise InputError("a label is neither 0 (human) nor 1 (machine); expected these, or NaN where unknown")
    return np.where(np.isnan(known), soft, (1 - mixing.alpha) * known + mixing.alpha * soft)


def distill(
    student: GhostbusterClassifier,
    reading: Reading,
    teacher: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    mixing: Mixing | None = None,
    groups: npt.ArrayLike | None = None,
    sources: npt.ArrayLike | None = None,
) -> GhostbusterClassifier:
    """Fit ``student`` to a teacher's probabilities, mixed with labels where there are any.

    The student's thresholds are measured on the held-out texts that are labelled human. Where none is, on
    those that the teacher calls human: that rate is about the teacher's labels, not about people, and the
    manifest says so under ``distillation``.

    Parameters
    ----------
    student : GhostbusterClassifier
        Not yet fitted; its parameters are used.
    reading : Reading
        Of the texts, by the student's panel.
    teacher, labels : array-like of shape (n_texts,)
        As ``targets`` takes them.
    mixing : Mixing, optional
    groups, sources : array-like of shape (n_texts,), optional
        As ``GhostbusterClassifier.fit`` takes them.

    Returns
    -------
    GhostbusterClassifier
        ``student``, fitted.

    Raises
    ------
    InputError
        As ``targets`` and ``GhostbusterClassifier.fit``.
    """
    from ghostbuster.decision.judge import judged_people
    from ghostbuster.decision.length_bands import thresholds_by_length
    from ghostbuster.decision.thresholds import RATES

    mixing = mixing or Mixing()
    wanted = targets(teacher, labels, mixing)
    student.fit_reading(reading, wanted, groups, sources)
    known = np.full(wanted.shape, np.nan) if labels is None else np.asarray(labels, dtype=np.float64)
    people = known == 0
    trained = student.trained_
    promise = trained.thresholds
    if people.any():
        judged = judged_people(people, reading, student.params.min_tokens)
        left_out = sources_to_hold_out(sources)
        known_sources = None if left_out is None else left_out[judged]
        human = student.held_out_probability_[judged]
        promise = thresholds_by_length(human, reading.n_tokens[judged], RATES, known_sources)
    facts = {
        "alpha": mixing.alpha,
        "temperature": mixing.temperature,
        "teachers": list(mixing.teachers),
        "n_labelled": int(np.sum(~np.isnan(known))),
        "n_unlabelled": int(np.sum(np.isnan(known))),
        "thresholds_measured_on": "labelled human texts" if people.any() else "texts the teacher calls human",
    }
    student.trained_ = trained.with_thresholds(promise, trained.register_thresholds, {"distillation": facts})
    return student
