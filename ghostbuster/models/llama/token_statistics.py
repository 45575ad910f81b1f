"""Reduce logits to per-token statistics: log-prob, rank, entropy, varentropy and their cross forms.

A few rows are reduced at a time, so that they stay in the CPU's cache. With logits x
of one position, the token t that came, and p = softmax(x):

* log-prob log p(t) = x_t - logsumexp(x), nats;
* rank = 1 + number of logits greater than x_t (raw logits: log-probs in float32 round neighbours together);
* entropy H = -sum_v p(v) log p(v), nats;
* varentropy = Var_{v~p}[log p(v)] = sum_v p(v) log(p(v))^2 - H^2, nats^2.

With a second model r of the same vocabulary, as in Fast-DetectGPT (arXiv:2310.05130) and Binoculars
(arXiv:2401.12070): cross-entropy -sum_v r(v) log p(v) and cross-varentropy Var_{v~r}[log p(v)].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ghostbuster.arrays import Float32, Float64, Int32
from ghostbuster.errors import ModelError

OWN_CHANNELS = ("logprob", "rank", "entropy", "varentropy")
CROSS_CHANNELS = ("cross_entropy", "cross_varentropy")

_BLOCK_LOGITS = 1 << 17  # reduced at a time: with more the buffers leave the cache, with fewer calls cost
_DOT_COLUMNS = 8192  # BLAS splits longer dots over threads, which would make sums depend on their number
_EXACT_ABOVE = 1000.0  # mean square (nats^2) above which float32 sums blur a variance by more than 1e-3


class TokenStatistics:
    """Reduces the logits of one model, or of two that share a vocabulary, to channels.

    Parameters
    ----------
    names : sequence of str, length 1 or 2
        Names of the models, for messages.
    n_vocabulary : int
        Logits a position.
    """

    def __init__(self, names: Sequence[str], n_vocabulary: int) -> None:
        self.names = tuple(names)
        self.channels = OWN_CHANNELS if len(self.names) == 1 else OWN_CHANNELS + CROSS_CHANNELS
        self.rows = min(32, max(8, _BLOCK_LOGITS // n_vocabulary))
        self._sides = [_Side(self.rows, n_vocabulary) for _ in self.names]

    def __call__(
        self,
        logits: Sequence[Float32],
        targets: Int32,
        out: Sequence[Float32],
    ) -> None:
        """Reduce every position.

        Parameters
        ----------
        logits : per model an array of shape (n_positions, n_vocabulary)
        targets : array of shape (n_positions,)
            The token that came at each position.
        out : per model an array of shape (n_channels, n_positions)
            Filled in the order of ``channels``.

        Raises
        ------
        ModelError
            When a model gave a logit that is no finite number.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, targets.size, self.rows):
                block = slice(start, start + self.rows)
                for side, x in zip(self._sides, logits, strict=True):
                    side.read(x[block], targets[block])
                for i, side in enumerate(self._sides):
                    other = self._sides[1 - i] if len(self._sides) > 1 else None
                    side.write(out[i][:, block], other)
        for name, values in zip(self.names, out, strict=True):
            if not np.isfinite(values).all():
                raise ModelError(
                    f"model {name} gave logits that are not finite numbers; expected a sound model: "
                    f"check the file's digest or get it again"
                )


class _Side:
    """One model's current block: buffers, and the sums that its channels need."""

    def __init__(self, rows: int, n_vocabulary: int) -> None:
        self._centred = np.empty((rows, n_vocabulary), np.float32)  # x - max(x), <= 0
        self._weights = np.empty_like(self._centred)  # exp(x - max(x)), in [0, 1]
        self._squares = np.empty_like(self._centred)
        self._greater = np.empty(self._centred.shape, np.bool_)
        self._ones = np.ones(n_vocabulary, np.float32)

    def read(self, x: Float32, targets: Int32) -> None:
        """Centre, exponentiate and sum the block ``x`` of shape (n <= rows, n_vocabulary)."""
        n = x.shape[0]
        self.centred, self.weights = self._centred[:n], self._weights[:n]
        self.squares, greater = self._squares[:n], self._greater[:n]
        chosen = x[np.arange(n), targets]
        top = x.max(axis=1)
        np.subtract(x, top[:, None], out=self.centred)
        np.exp(self.centred, out=self.weights)
        np.square(self.centred, out=self.squares)
        np.greater(x, chosen[:, None], out=greater)
        self.mass = _dot(self.weights, self._ones)
        self.log_mass = np.log(self.mass)
        self.logprob = chosen.astype(np.float64) - top - self.log_mass
        self.rank = 1 + np.add.reduce(greater.view(np.uint8), axis=1, dtype=np.int32)

    def write(self, out: Float32, other: _Side | None) -> None:
        """Fill the rows of ``out``; ``other`` holds the same positions of the second model."""
        mean, variance = _moments(self, self)
        out[0], out[1], out[2], out[3] = self.logprob, self.rank, self.log_mass - mean, variance
        if other is not None:
            mean, variance = _moments(self, other)
            out[4], out[5] = self.log_mass - mean, variance


def _moments(scorer: _Side, reference: _Side) -> tuple[Float64, Float64]:
    """Mean and variance of the scorer's centred logits under the reference's distribution, each (n,)."""
    mean = _dot(reference.weights, scorer.centred) / reference.mass
    square = _dot(reference.weights, scorer.squares) / reference.mass
    variance = np.maximum(square - mean * mean, 0.0)
    for row in np.flatnonzero(
        square > _EXACT_ABOVE
    ):  # the difference of two large sums: rare, done in float64
        weights = reference.weights[row].astype(np.float64) / reference.mass[row]
        mean[row] = weights @ scorer.centred[row].astype(np.float64)
        variance[row] = weights @ (scorer.centred[row] - mean[row]) ** 2
    return mean, variance


def _dot(a: Float32, b: Float32) -> Float64:
    """Dot products (n,) of the rows of ``a`` with those of ``b``, or a flat ``b``; parts added in float64."""
    total = np.zeros(a.shape[0])
    for start in range(0, a.shape[1], _DOT_COLUMNS):
        columns = slice(start, start + _DOT_COLUMNS)
        total += np.vecdot(a[:, columns], b[..., columns])
    return total
