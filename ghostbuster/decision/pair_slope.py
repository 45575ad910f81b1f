"""Calibration of pairs: how sure a difference of two log-odds makes that the first text is the machine's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d, Int1d
from ghostbuster.errors import ArtifactError
from ghostbuster.folds import is_machine

FEWEST_GROUPS = 50
"""Prompts or documents with both classes that a slope is learned from; fewer leave it at 1."""
MOST_OF_A_GROUP = 100
"""Pairs taken of one group at most, spread evenly over all of its pairs."""
LEAST_SLOPE, MOST_SLOPE = 0.01, 100.0
MOST_LOG_ODDS = 20.0  # odds beyond 1 to 485 million cannot be known
_HALVINGS = 60


@dataclass(frozen=True)
class PairSlope:
    """The probability that the first of two texts is the machine's, where one is by a person.

    ``1 / (1 + exp(-slope * (a - b)))``, with ``a`` and ``b`` the calibrated log-odds of the two texts. There
    is no intercept, so swapping the texts gives 1 minus the probability. With slope 1 this is Bayes' rule for
    two texts drawn independently of one another; texts on one prompt have more in common, and the slope is
    learned from such.

    Attributes
    ----------
    slope : float, above 0
    n_pairs, n_groups : int
        Pairs that it was learned from, and the prompts or documents that they are of; 0 for a slope of 1 that
        was not learned.

    References
    ----------
    Bradley and Terry, "Rank Analysis of Incomplete Block Designs", Biometrika 39 (1952).
    """

    slope: float = 1.0
    n_pairs: int = 0
    n_groups: int = 0

    @classmethod
    def fit(cls, log_odds: Float1d, y: Float1d, groups: AnyArray | None) -> Self:
        """Learn the slope of least cross-entropy from texts on one prompt or document.

        Every group counts alike, however many pairs it has. The target is (n + 1) / (n + 2) of n groups, as
        in Platt's calibration, so that pairs that are told apart without an error claim no certainty.

        Parameters
        ----------
        log_odds : array of shape (n_texts,)
            Calibrated, held out.
        y : array of shape (n_texts,), probability of machine
        groups : array of shape (n_texts,), or None
        """
        machine, human, weight = pairs_in_groups(y, groups)
        n_groups = round(float(weight.sum()))
        if n_groups < FEWEST_GROUPS:
            return cls()
        difference = log_odds[machine] - log_odds[human]
        target = (n_groups + 1) / (n_groups + 2)
        low, high = np.log(LEAST_SLOPE), np.log(MOST_SLOPE)
        for _ in range(_HALVINGS):  # the loss is convex in the slope: its derivative rises through 0 once
            middle = (low + high) / 2
            p = 1 / (1 + np.exp(-np.clip(np.exp(middle) * difference, -500, 500)))
            low, high = (low, middle) if weight @ ((p - target) * difference) > 0 else (middle, high)
        return cls(float(np.exp((low + high) / 2)), machine.size, n_groups)

    def probability(self, first: Float1d, second: Float1d) -> Float1d:
        """Probability that each first text is the machine's, shape (n_pairs,); 0.5 where log-odds are equal.

        Swapped arguments give 1 minus the same, to the last bit: the larger of the two is computed, and 1
        minus a number between a half and 1 is exact.
        """
        difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
        larger = 1 / (1 + np.exp(-np.minimum(self.slope * np.abs(difference), MOST_LOG_ODDS)))
        return np.where(difference >= 0, larger, 1 - larger)

    def state(self) -> dict[str, Any]:
        """Plain numbers that ``from_state`` reads."""
        return {"slope": self.slope, "n_pairs": self.n_pairs, "n_groups": self.n_groups}

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | None) -> Self:
        """The slope that ``state`` describes; 1 where a file has none, as the first files have not.

        Raises
        ------
        ArtifactError
            When a number is missing or out of range.
        """
        if state is None:
            return cls()
        try:
            made = cls(float(state["slope"]), int(state["n_pairs"]), int(state["n_groups"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"the slope of pairs cannot be restored ({error}); train again") from None
        if not LEAST_SLOPE / 2 <= made.slope <= MOST_SLOPE * 2 or min(made.n_pairs, made.n_groups) < 0:
            raise ArtifactError("the slope of pairs is out of range; train again")
        return made


UNLEARNED = PairSlope()
"""Bayes' rule for texts drawn independently."""


def pairs_in_groups(y: Float1d, groups: AnyArray | None) -> tuple[Int1d, Int1d, Float1d]:
    """Every machine text with every human text of its group, `MOST_OF_A_GROUP` at most of each group.

    Parameters
    ----------
    y : array of shape (n_texts,), probability of machine
    groups : array of shape (n_texts,), or None
        Texts of one prompt or document share a value.

    Returns
    -------
    machine, human : arrays of shape (n_pairs,)
        Indices of texts.
    weight : array of shape (n_pairs,)
        Those of one group sum to 1.
    """
    empty = np.empty(0, dtype=np.intp)
    if groups is None:
        return empty, empty, np.empty(0)
    codes = np.unique(groups, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    by_machine, by_human, weights = [empty], [empty], [np.empty(0)]
    for members in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        machine, human = members[is_machine(y[members])], members[~is_machine(y[members])]
        n = machine.size * human.size
        if n:
            taken = np.unique(np.linspace(0, n - 1, min(n, MOST_OF_A_GROUP)).astype(np.intp))
            by_machine.append(machine[taken // human.size])
            by_human.append(human[taken % human.size])
            weights.append(np.full(taken.size, 1 / taken.size))
    return np.concatenate(by_machine), np.concatenate(by_human), np.concatenate(weights)
