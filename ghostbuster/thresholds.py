"""Thresholds that keep a promise to people: how often a human text may be called machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.metrics import Estimate, bar, clopper_pearson

RATES = (0.05, 0.01, 0.001)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which probability on a text is called machine, and how often that wrongs a person.

    Parameters
    ----------
    rate : float
        Wanted false-positive rate.
    probability : float
        Texts at or above it are called machine; above 1 none is.
    fpr : Estimate
        Share of held-out human texts at or above it, with its Clopper-Pearson interval (95 %).
    n_human : int
        Human texts that it was measured on.

    Raises
    ------
    SettingError
        When a number is out of range.
    """

    rate: float
    probability: float
    fpr: Estimate
    n_human: int

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise SettingError(f"rate is {self.rate!r}; expected a number between 0 and 1")
        if not self.probability > 0:
            raise SettingError(f"probability is {self.probability!r}; expected a number above 0")
        if self.n_human < 1:
            raise SettingError(f"n_human is {self.n_human!r}; expected 1 or more")

    @property
    def is_supported(self) -> bool:
        """Whether there were enough human texts to see the rate: one false alarm would still fit it."""
        return self.n_human * self.rate >= 1

    def state(self) -> dict[str, float | int]:
        """Plain numbers that ``from_state`` reads."""
        return {
            "rate": self.rate,
            "probability": self.probability,
            "fpr": self.fpr.value,
            "fpr_low": self.fpr.low,
            "fpr_high": self.fpr.high,
            "n_human": self.n_human,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The threshold that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing or out of range.
        """
        try:
            fpr = Estimate(float(state["fpr"]), float(state["fpr_low"]), float(state["fpr_high"]))
            return cls(float(state["rate"]), float(state["probability"]), fpr, int(state["n_human"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"threshold cannot be restored ({error}); calibrate again") from None


def thresholds(human_probability: npt.ArrayLike, rates: Sequence[float] = RATES) -> tuple[Threshold, ...]:
    """The lowest threshold for each rate at which no more human texts than that are called machine.

    Ties count against the threshold: human texts of one probability are above it or below it together.
    Where there are too few human texts to see a rate (fewer than 1 / rate), the threshold lies above every
    one of them. Its measured rate is then 0, and the interval's upper end, about 3.7 / n_human, says how
    little that proves; ``Threshold.is_supported`` is false.

    Parameters
    ----------
    human_probability : array of shape (n_human,)
        Probability of machine of human texts that training has not seen.
    rates : sequence of float
        Wanted false-positive rates.

    Returns
    -------
    tuple of Threshold, one a rate, in the order given

    Raises
    ------
    InputError
        When there is no human text, or a value is not in [0, 1].
    SettingError
        When a rate is not between 0 and 1.
    """
    human = np.asarray(human_probability, dtype=np.float64)
    if human.ndim != 1 or human.size == 0:
        raise InputError(
            f"human probabilities have shape {human.shape}; expected one a human text, at least one"
        )
    if not np.all((human >= 0) & (human <= 1)):
        raise InputError("human probabilities leave [0, 1]; expected calibrated probabilities of machine")
    return tuple(_threshold(human, rate) for rate in rates)


def _threshold(human: npt.NDArray[np.float64], rate: float) -> Threshold:
    if not 0 < rate < 1:
        raise SettingError(f"rate is {rate!r}; expected a number between 0 and 1")
    least = float(np.nextafter(bar(human, rate), np.inf))
    accused = int(np.sum(human >= least))
    return Threshold(rate, least, clopper_pearson(accused, human.size), int(human.size))
