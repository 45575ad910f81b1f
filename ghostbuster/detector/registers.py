"""Thresholds for one kind of text, such as essays: people of one register score alike."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d
from ghostbuster.decision.thresholds import HELD_OUT, RATES, Threshold, thresholds
from ghostbuster.errors import SettingError
from ghostbuster.registry import did_you_mean

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector

Judging = TypeVar("Judging", bound="Detector")
ByRegister = dict[str, tuple[Threshold, ...]]


def register_thresholds(
    human_probability: Float1d, registers: AnyArray | None, rates: Sequence[float] = RATES
) -> ByRegister:
    """Thresholds of every register, at those rates that it has enough human texts to see.

    Parameters
    ----------
    human_probability : array of shape (n_human,)
        Of human texts that training has not seen.
    registers : array of shape (n_human,), or None
        An empty name is no register.

    Returns
    -------
    dict
        Registers in alphabetical order; one without any rate is left out.
    """
    made: ByRegister = {}
    for name in [] if registers is None else np.unique(registers).tolist():
        of_it = thresholds(human_probability[registers == name], rates)
        about = f"{HELD_OUT} of register {name!r}"
        supported = tuple(replace(one, about=about) for one in of_it if one.is_supported)
        if str(name) and supported:
            made[str(name)] = supported
    return made


def for_register(detector: Judging, name: str | None) -> Judging:
    """The same detector, judging by a register's thresholds; without a name the detector itself.

    Raises
    ------
    SettingError
        When the detector has no such register, or none at the rate of its promise.
    """
    if name is None:
        return detector
    if name not in detector.register_thresholds_:
        known = detector.register_thresholds_
        remedy = (
            did_you_mean(name, known)
            if known
            else "this detector has none: `ghostbuster calibrate` makes one"
        )
        raise SettingError(f"register {name!r} has no thresholds; {remedy}")
    judging = copy(detector)
    judging.thresholds_ = detector.register_thresholds_[name]
    judging.threshold_  # noqa: B018 - a promise that is not stored is refused here, before models read
    return judging
