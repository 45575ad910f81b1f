"""How much of a text is machine-written, with an interval, from the probabilities of its windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d
from ghostbuster.errors import InputError, SettingError
from ghostbuster.metrics.intervals import Estimate

DROP = 1.92
"""Nats of log-likelihood below its maximum to which the 95 % interval reaches: half of the 95 % quantile of
chi-squared with one degree of freedom."""
TRUST = 0.7
"""What the evidence of an independent window is multiplied by: those of one text are wrong together, for one
writer wrote them; see `machine_share`."""
_GRID = 1001
_LEAST = 1e-12


def machine_share(probability: npt.ArrayLike, n_independent: float, trust: float = TRUST) -> Estimate:
    """Share of a text's windows that a machine wrote, by maximum likelihood, with a likelihood interval.

    A calibrated probability that holds where both classes are equally common is a likelihood ratio,
    ``p / (1 - p)``. If a share ``s`` of the windows is machine-written, a window has the likelihood
    ``s * p / (1 - p) + 1 - s`` relative to a person's. The share is where the product over windows is
    largest; the interval holds the shares whose log-likelihood is less than `DROP` smaller.

    Windows overlap, and those of one text are wrong together. So the log-likelihood counts as that of
    ``n_independent`` windows, and as ``trust`` of it: measured on mixed texts of sources left out
    (``benchmarks.accuracy.left_out``), for which the interval is to hold the true share in 95 % of cases.

    Parameters
    ----------
    probability : array of shape (n_windows,)
        Calibrated, each that a machine wrote the window.
    n_independent : float
        How many windows would fit beside one another.
    trust : float
        0 for none, 1 for as much as if windows were texts of different writers.

    Raises
    ------
    InputError
        When there is no window, or a probability is not inside (0, 1).
    SettingError
        When ``n_independent`` or ``trust`` is not above 0.

    References
    ----------
    Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities: A
    Simple Procedure", Neural Computation 14 (2002): the share of maximum likelihood from calibrated
    probabilities. Wilks, "The Large-Sample Distribution of the Likelihood Ratio", Annals of Mathematical
    Statistics 9 (1938): the interval.
    """
    p = np.asarray(probability, dtype=np.float64)
    if p.ndim != 1 or not p.size or not np.all((p > 0) & (p < 1)):
        raise InputError(
            f"window probabilities have shape {p.shape}; expected one a window, at least one, each above 0 "
            "and below 1"
        )
    if not n_independent > 0 or not trust > 0:
        raise SettingError(f"n_independent is {n_independent}, trust {trust}; expected numbers above 0")
    shares = np.linspace(0.0, 1.0, _GRID)
    likelihood = _log_likelihood(p, shares) * trust * n_independent / p.size
    best = int(np.argmax(likelihood))
    inside = shares[likelihood >= likelihood[best] - DROP]
    return Estimate(float(shares[best]), float(inside[0]), float(inside[-1]))


def _log_likelihood(p: Float1d, shares: Float1d) -> Float1d:
    """Of each share, relative to a text by a person alone, shape (n_shares,)."""
    ratio = p / (1 - p)
    mixed = shares[:, None] * ratio + (1 - shares[:, None])
    return np.asarray(np.log(np.maximum(mixed, _LEAST)).sum(axis=1))
