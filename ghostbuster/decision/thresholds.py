"""Decision thresholds that hold a false-positive rate on human texts, with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Bool1d, Float1d
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.metrics.classification import Estimate, clopper_pearson, threshold_at_fpr
from ghostbuster.system.printable import printable

RATES = (0.05, 0.01, 0.001)
"""False-positive rates for which every detector stores a threshold."""
HELD_OUT = "held-out human texts"
MAX_ABOUT = 200
"""Characters that a file may say of what its thresholds were measured on."""
MAX_BANDS = 64
ENOUGH = 200
"""Fewest human texts of a source for its own false-positive rate to be reported."""
SOME = 50
"""Those from which it does where no source has so many."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold, with the false-positive rate measured on human texts.

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
    n_sources : int
        Sources, each held out, that it was measured on one by one; 1 where sources were not told apart.
    worst : float
        The highest such share in a source, as `worst_share` finds it.
    about : str
        What those texts are, for people.
    from_tokens : int
        The shortest text that it is for.
    bands : tuple of Threshold
        Thresholds by length, the shortest texts' first; where there are some, they apply in place of
        ``probability``, and the measured shares are theirs.

    Raises
    ------
    SettingError
        When a number is out of range.
    """

    rate: float
    probability: float
    fpr: Estimate
    n_human: int
    n_sources: int = 1
    worst: float = math.nan
    about: str = HELD_OUT
    from_tokens: int = 0
    bands: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise SettingError(f"rate is {self.rate!r}; expected a number between 0 and 1")
        if not self.probability > 0:
            raise SettingError(f"probability is {self.probability!r}; expected a number above 0")
        for name in ("n_human", "n_sources"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)!r}; expected 1 or more")
        if math.isnan(self.worst):
            object.__setattr__(self, "worst", self.fpr.value)

    def for_length(self, n_tokens: int) -> Threshold:
        """The threshold of a text's length band; itself where lengths are not told apart."""
        fitting = [band for band in self.bands if band.from_tokens <= n_tokens]
        return fitting[-1] if fitting else self

    @property
    def lowest(self) -> float:
        """The lowest probability from which a text of some length is called machine."""
        return min([band.probability for band in self.bands], default=self.probability)

    @property
    def highest(self) -> float:
        """The probability from which a text of any length is called machine."""
        return max([band.probability for band in self.bands], default=self.probability)

    @property
    def is_supported(self) -> bool:
        """Whether there were enough human texts to measure the rate: at least 1 / rate."""
        return self.n_human * self.rate >= 1

    def __str__(self) -> str:
        """Threshold and measured rate as the end of a sentence, for reasons and reports."""
        worst = f"; in the worst of {self.n_sources} sources {self.worst:.1%}" if self.n_sources > 1 else ""
        return (
            f"{self.probability:.3f}, the threshold at which {self.fpr.value:.1%} (95 % interval "
            f"{self.fpr.low:.1%} to {self.fpr.high:.1%}{worst}) of {self.n_human} {self.about} were called "
            "machine"
        )

    def state(self) -> dict[str, Any]:
        """Plain numbers that ``from_state`` reads."""
        plain: dict[str, Any] = {
            "rate": self.rate,
            "probability": self.probability,
            "fpr": self.fpr.value,
            "fpr_low": self.fpr.low,
            "fpr_high": self.fpr.high,
            "n_human": self.n_human,
            "n_sources": self.n_sources,
            "worst": self.worst,
            "about": self.about,
        }
        if self.from_tokens:
            plain["from_tokens"] = self.from_tokens
        if self.bands:
            plain["bands"] = [band.state() for band in self.bands]
        return plain

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The threshold that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing or out of range.
        """
        try:
            bands = _checked_bands(state.get("bands", ()))
            fpr = Estimate(float(state["fpr"]), float(state["fpr_low"]), float(state["fpr_high"]))
            return cls(
                float(state["rate"]),
                float(state["probability"]),
                fpr,
                int(state["n_human"]),
                int(state.get("n_sources", 1)),  # the first files have none of these
                float(state.get("worst", fpr.value)),
                printable(str(state.get("about", HELD_OUT))[:MAX_ABOUT]),
                int(state.get("from_tokens", 0)),
                tuple(cls.from_state(band) for band in bands),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"threshold cannot be restored ({error}); calibrate again") from None


def _checked_bands(bands: Any) -> Any:
    """States of a threshold's bands; a band has none itself."""
    if len(bands) > MAX_BANDS or any("bands" in band for band in bands):
        raise ValueError(f"more than {MAX_BANDS} bands, or bands in bands")
    return bands


ByRegister = dict[str, tuple[Threshold, ...]]
"""Thresholds of each register (kind of text, such as essays) that has its own."""


def check_rate(rate: float) -> None:
    """Refuse a false-positive rate that no threshold is stored for.

    Raises
    ------
    SettingError
        Lists those that are.
    """
    if rate not in RATES:
        raise SettingError(f"max_fpr={rate!r}; expected one of {RATES}")


def thresholds(
    human_probability: npt.ArrayLike,
    rates: Sequence[float] = RATES,
    sources: npt.ArrayLike | None = None,
    *,
    in_every_source: bool = False,
) -> tuple[Threshold, ...]:
    """For each rate, the lowest threshold that calls no larger share of human texts machine.

    Ties count against the threshold: human texts of one probability are above it or below it together.
    Where there are too few human texts to see a rate (fewer than 1 / rate), the threshold lies above every
    one of them. Its measured rate is then 0, and the interval's upper end, about 3.7 / n_human, says how
    little that proves; ``Threshold.is_supported`` is false.

    People of one source write alike: all sources together give the average false-positive rate, and the
    worst of K sources (``Threshold.worst``) says what rate the next source may have. Where the rate
    is to hold ``in_every_source`` and sources are exchangeable, the next one needs a higher threshold with a
    chance of 1 / (K + 1); far fewer machine texts are found then.

    Parameters
    ----------
    human_probability : array of shape (n_human,)
        Probability of machine of human texts that training has not seen.
    rates : sequence of float
        Wanted false-positive rates.
    sources : array of shape (n_human,), optional
        Where each text comes from.
    in_every_source : bool, default False
        Whether the rate must hold in every source by itself too that has enough texts to see it.

    Returns
    -------
    tuple of Threshold, one a rate, in the order given

    Raises
    ------
    InputError
        When there is no human text, a value is not in [0, 1], or lengths differ.
    SettingError
        When a rate is not between 0 and 1.

    References
    ----------
    Dunn, Wasserman and Ramdas, "Distribution-Free Prediction Sets for Two-Layer Hierarchical Models", JASA
    118 (2023): quantiles over groups, not over their members, hold for a new group.
    """
    human = np.asarray(human_probability, dtype=np.float64)
    if human.ndim != 1 or human.size == 0:
        raise InputError(
            f"human probabilities have shape {human.shape}; expected one a human text, at least one"
        )
    if not np.all((human >= 0) & (human <= 1)):
        raise InputError("human probabilities leave [0, 1]; expected calibrated probabilities of machine")
    names = np.zeros(human.size) if sources is None else np.asarray(sources)
    if names.shape != human.shape:
        raise InputError(f"sources have shape {names.shape}; expected {human.shape}, one a human text")
    return tuple(_threshold(human, names, rate, strict=in_every_source) for rate in rates)


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


def worst_share(called: Bool1d, sources: AnyArray | None) -> float:
    """The highest share called machine in a source of `ENOUGH` texts, or, where none is so large, of `SOME`.

    The share of all where no source has so many, or sources are not known.
    """
    names, sizes = np.unique([] if sources is None else sources, return_counts=True)
    least = ENOUGH if np.any(sizes >= ENOUGH) else SOME
    shares = [float(np.mean(called[sources == name])) for name in names[sizes >= least]]
    return max(shares, default=float(np.mean(called)))


def _threshold(human: Float1d, sources: AnyArray, rate: float, *, strict: bool) -> Threshold:
    if not 0 < rate < 1:
        raise SettingError(f"rate is {rate!r}; expected a number between 0 and 1")
    parts = [human[sources == name] for name in np.unique(sources)]
    seen = [part for part in parts if part.size * rate >= 1]
    highest = max(threshold_at_fpr(part, rate) for part in [human, *(seen if strict else [])])
    least = float(np.nextafter(highest, np.inf))
    called = human >= least
    fpr = clopper_pearson(int(called.sum()), human.size)
    return Threshold(rate, least, fpr, int(human.size), len(parts), worst_share(called, sources))
