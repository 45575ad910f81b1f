"""Criteria that the search maximises on held-out texts. To add one, add its row to ``CRITERIA``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.folds import is_machine


@dataclass(frozen=True, slots=True)
class Criterion:
    """Larger is better.

    Parameters
    ----------
    name : str
        As users write it.
    score : callable
        Labels (n_texts,), log-odds (n_texts, n_models) and weights (n_texts,) to (n_models,).
    soft_labels : bool
        Labels between 0 and 1 have a meaning.
    """

    name: str
    score: Callable[[Float1d, Float1d, Float1d], Float1d]
    soft_labels: bool = False


def _negative_log_loss(y: Float1d, log_odds: Float1d, weight: Float1d) -> Float1d:
    loss = np.logaddexp(0.0, log_odds) - y[:, None] * log_odds
    total: Float1d = weight @ loss
    return -total / float(weight.sum())


def _accuracy(y: Float1d, log_odds: Float1d, weight: Float1d) -> Float1d:
    right = (log_odds > 0) == is_machine(y)[:, None]
    total: Float1d = weight @ right
    return total / float(weight.sum())


def _auroc(y: Float1d, log_odds: Float1d, weight: Float1d) -> Float1d:
    """Weighted share of (machine, human) pairs in the right order; a tie counts half."""
    found = np.empty(log_odds.shape[1])
    for i, values in enumerate(log_odds.T):
        _, level = np.unique(values, return_inverse=True)
        machine = np.bincount(level, weights=weight * y)
        human = np.bincount(level, weights=weight * (1 - y))
        below = np.cumsum(human) - human
        found[i] = machine @ (below + human / 2) / (machine.sum() * human.sum())
    return found


CRITERIA: dict[str, Criterion] = {
    criterion.name: criterion
    for criterion in (
        Criterion("log_loss", _negative_log_loss, soft_labels=True),
        Criterion("auroc", _auroc),
        Criterion("accuracy", _accuracy),
    )
}
