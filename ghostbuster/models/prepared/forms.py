"""Forms that a model's weights can be converted to, and the tolerance that their log-probs must keep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ghostbuster.models.sandbox.cpu_path import CpuPath

FormName = Literal["original", "BF16", "F16", "Q8_0"]
ORIGINAL: FormName = "original"


@dataclass(frozen=True)
class Form:
    """A row of `FORMS`.

    Attributes
    ----------
    file_type : int
        llama.cpp's number of it (``enum llama_ftype``).
    bits : float
        A weight.
    """

    file_type: int
    bits: float


FORMS: dict[FormName, Form] = {"BF16": Form(32, 16.0), "F16": Form(1, 16.0), "Q8_0": Form(7, 8.5)}
"""Forms that hold what four or five bits a weight hold; those of fewer bits move log-probs too far."""

# above what the forms were measured to move, below what Q4_K_M does: benchmarks/speed/model_forms.py
MAX_TEXT, MAX_MEAN, MAX_TOKEN = 0.02, 0.15, 2.5
"""The tolerance, in nats: of a text's mean log-prob, of the mean token's and of any token's log-prob."""


@dataclass(frozen=True)
class Reading:
    """What a child read with one form of a model.

    Attributes
    ----------
    logprobs : tuple of float, nats
        Of each token of the sample text.
    seconds : float
        CPU time that it took.
    """

    logprobs: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """One form beside the original.

    Attributes
    ----------
    form : str
        A row of `FORMS`, or ``original``.
    cpu_path : {"safe", "fast"}
        What it was read by.
    speed : float
        Tokens/s over those of the original; 0 where it cannot be used.
    text, mean, worst : float, nats
        Distances of the sample's mean log-prob, of the mean token's and of the worst token's.
    reason : str
        Why it cannot be used; empty where it can.
    """

    form: FormName
    cpu_path: CpuPath
    speed: float = 0.0
    text: float = 0.0
    mean: float = 0.0
    worst: float = 0.0
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether its log-probs are within the tolerance."""
        return not self.reason


def compare(form: FormName, cpu_path: CpuPath, read: Reading, original: Reading) -> Comparison:
    """How fast a form is and how far from the original; unusable beyond the tolerance."""
    text, mean, worst = distances(read.logprobs, original.logprobs)
    speed = original.seconds / read.seconds
    if not (text <= MAX_TEXT and mean <= MAX_MEAN and worst <= MAX_TOKEN):  # NaN is beyond it too
        reason = f"off by {text:.2g} nats a text, {mean:.2g} a token, {worst:.2g} at worst"
        return Comparison(form, cpu_path, reason=reason)
    return Comparison(form, cpu_path, speed, text, mean, worst)


def distances(logprobs: Sequence[float], original: Sequence[float]) -> tuple[float, float, float]:
    """Distances in nats of a text's mean log-prob, of the mean token's, and of the worst token's."""
    if len(logprobs) != len(original) or not logprobs:
        return math.inf, math.inf, math.inf
    apart = [a - b for a, b in zip(logprobs, original, strict=True)]
    each = [abs(one) for one in apart]
    return abs(math.fsum(apart)) / len(apart), math.fsum(each) / len(each), max(each)


def fastest(compared: Sequence[Comparison]) -> Comparison:
    """The fastest usable one; of equals the first."""
    return max((one for one in compared if one.usable), key=lambda one: one.speed)
