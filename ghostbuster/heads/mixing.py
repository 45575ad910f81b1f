"""Weights of the readers in one score: set by hand, or learned by stacking on held-out texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ghostbuster.arrays import Bool1d, Float1d, Float2d
from ghostbuster.errors import InputError

SHRINKAGE = 0.02
"""Nats a text that squared differences between the readers' weights, at one spread, are worth."""
LEAST = 1e-12  # spread below which a reader says the same of every text
_SETTLED = 1e-10


def mix_of(held_out: Float2d, lexical_weight: float) -> tuple[float, ...]:
    """Multipliers of the readers: equal spread on held-out texts, then shares set by hand.

    Parameters
    ----------
    held_out : array of shape (n_texts, 2) or (n_texts, 3)
        Log-odds by features, words and, where they are read, hidden states, of texts that none of them saw.
    lexical_weight : float
        The words' share, 0 to 1; the rest is shared equally.
    """
    n_readers = held_out.shape[1]
    if lexical_weight == 0 and n_readers == 2:  # noqa: PLR2004
        return 1.0, 0.0
    others = (1 - lexical_weight) / (n_readers - 1)
    shares = np.array([others, lexical_weight, others][:n_readers])
    spread = np.maximum(held_out.std(axis=0), LEAST)
    scale = float(spread[shares > 0].mean())
    return tuple(float(share * scale / one) for share, one in zip(shares, spread.tolist(), strict=True))


def stacked_mix(
    held_out: Float2d, y: Float1d, weights: Float1d, present: Sequence[bool] | None = None
) -> tuple[float, ...]:
    """Multipliers of the readers, learned by stacking: logistic regression on held-out log-odds.

    Each reader's log-odds are brought to one spread; their weights are not negative, and are drawn towards
    one another by `SHRINKAGE`, so that a reader stands out only where held-out texts say so. Where whole
    sources are held out, a reader that knows its training sources by heart earns nothing.

    Parameters
    ----------
    held_out : array of shape (n_texts, n_readers)
        Log-odds by readers that never saw the text's fold.
    y : array of shape (n_texts,), probability of machine
    weights : array of shape (n_texts,)
    present : sequence of bool, length n_readers, optional
        Readers that are there; the others weigh 0.

    Raises
    ------
    InputError
        When lengths differ, or no reader is there.

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 5 (1992); Breiman, "Stacked Regressions", Machine
    Learning 24 (1996): weights that are not negative, on predictions of held-out folds.
    """
    from scipy.optimize import minimize

    there: Bool1d = np.ones(held_out.shape[1], dtype=bool) if present is None else np.asarray(present, bool)
    if not len(held_out) == len(y) == len(weights) or there.shape != held_out.shape[1:] or not there.any():
        raise InputError(
            f"held-out log-odds have shape {held_out.shape} for {len(y)} labels, {len(weights)} weights and "
            f"{int(there.sum())} readers; expected one row a text, one column a reader, one reader at least"
        )
    share = weights / weights.sum()
    parts = held_out[:, there]
    middle = share @ parts
    spread = np.maximum(np.sqrt(share @ (parts - middle) ** 2), LEAST)
    scaled = np.column_stack([(parts - middle) / spread, np.ones(len(parts))])
    n_readers = parts.shape[1]

    def loss(line: Float1d) -> tuple[float, Float1d]:
        raw = scaled @ line
        off = line[:-1] - line[:-1].mean()
        value = share @ (np.logaddexp(0.0, raw) - y * raw) + SHRINKAGE * off @ off
        slope = scaled.T @ (share * (1 / (1 + np.exp(-np.clip(raw, -500, 500))) - y))
        slope[:-1] += 2 * SHRINKAGE * off
        return float(value), slope

    found = minimize(
        loss,
        np.append(np.full(n_readers, 1 / n_readers), 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * n_readers + [(None, None)],
        options={"ftol": _SETTLED, "gtol": 1e-8, "maxiter": 1000},
    )
    learned = np.maximum(found.x[:-1], 0.0)
    if not learned.any():  # nothing held-out tells the classes apart: as good as any
        learned = np.full(n_readers, 1 / n_readers)
    mix = np.zeros(there.size)
    mix[there] = learned / spread
    return tuple(mix.tolist())


def shares_of(held_out: Float2d, mix: Sequence[float]) -> Float1d:
    """How much of the mixed score's spread is each reader's, shape (n_readers,); they sum to 1."""
    spread = held_out.std(axis=0) * np.asarray(mix)
    shares: Float1d = spread / max(float(spread.sum()), LEAST)
    return shares
