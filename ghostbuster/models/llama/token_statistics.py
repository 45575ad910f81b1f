"""Reduce logits to per-token statistics: log-prob, rank, entropy, varentropy and their cross forms.

A few rows are reduced at a time, so that they stay in the CPU's cache. With logits x
of one position, the token t that came, and p = softmax(x):

* log-prob log p(t) = x_t - logsumexp(x), nats;
* rank = 1 + number of logits greater than x_t (raw logits: log-probs in float32 round neighbours together);
* entropy H = -sum_v p(v) log p(v), nats;
* varentropy = Var_{v~p}[log p(v)] = sum_v p(v) log(p(v))^2 - H^2, nats^2.

With a second model r of the same vocabulary, as in Fast-DetectGPT (arXiv:2310.05130) and Binoculars
(arXiv:2401.12070): cross-entropy -sum_v r(v) log p(v) and cross-varentropy Var_{v~r}[log p(v)].

Where more is wanted, from the same logits:

* top log-prob max_v log p(v), nats: of the likeliest token (DNA-DetectLLM, arXiv:2509.15550);
* mass above: sum of p(v) over all v likelier than t; with t's own probability it places t in the cumulative
  distribution, as the rank does in the ordered vocabulary (GLTR, arXiv:1906.04043, compares both);
* top-10 mass: sum of the ten largest p(v), the share of GLTR's first class of tokens;
* look-back log p(t'), nats, of the token t' that was read last: how much the model expects it again
  (BiScope, NeurIPS 2024, trains on this cross-entropy to the previous token beside that to the next).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ghostbuster.arrays import Float32, Float64, Int32
from ghostbuster.errors import ModelError

OWN_CHANNELS = ("logprob", "rank", "entropy", "varentropy")
CROSS_CHANNELS = ("cross_entropy", "cross_varentropy")
EXTRA_CHANNELS = ("top_logprob", "mass_above", "top10_mass", "lookback")
TOP = 10

_BLOCK_LOGITS = 1 << 17  # reduced at a time: with more the buffers leave the cache, with fewer calls cost
_DOT_COLUMNS = 8192  # BLAS splits longer dots over threads, which would make sums depend on their number
_GROUPS = 512  # columns whose maxima bound the ten largest weights from below
_EXACT_ABOVE = 1000.0  # mean square (nats^2) above which float32 sums blur a variance by more than 1e-3


class TokenStatistics:
    """Reduces the logits of one model, or of two that share a vocabulary, to channels.

    Parameters
    ----------
    names : sequence of str, length 1 or 2
        Names of the models, for messages.
    n_vocabulary : int
        Logits a position.
    extra : bool
        Whether `EXTRA_CHANNELS` are wanted too; they come last.
    """

    def __init__(self, names: Sequence[str], n_vocabulary: int, *, extra: bool = False) -> None:
        self.names = tuple(names)
        self.n_vocabulary = n_vocabulary
        self.extra = extra
        self.channels = OWN_CHANNELS + CROSS_CHANNELS * (len(self.names) > 1) + EXTRA_CHANNELS * extra
        self.rows = min(32, max(8, _BLOCK_LOGITS // n_vocabulary))
        self._sides = [_Side(self.rows, n_vocabulary) for _ in self.names]

    def __call__(
        self,
        logits: Sequence[Float32],
        read: Int32,
        targets: Int32,
        out: Sequence[Float32],
    ) -> None:
        """Reduce every position.

        Parameters
        ----------
        logits : per model an array of shape (n_positions, n_vocabulary)
        read : array of shape (n_positions,)
            The token that was read last at each position.
        targets : array of shape (n_positions,)
            The token that came next.
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
                    if self.extra:
                        side.write_extra(out[i][-len(EXTRA_CHANNELS) :, block], logits[i][block], read[block])
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
        self.squares, self.greater = self._squares[:n], self._greater[:n]
        chosen = x[np.arange(n), targets]
        self.top = top = x.max(axis=1)
        np.subtract(x, top[:, None], out=self.centred)
        np.exp(self.centred, out=self.weights)
        np.square(self.centred, out=self.squares)
        np.greater(x, chosen[:, None], out=self.greater)
        self.mass = _dot(self.weights, self._ones)
        self.log_mass = np.log(self.mass)
        self.logprob = chosen.astype(np.float64) - top - self.log_mass
        self.rank = 1 + np.add.reduce(self.greater.view(np.uint8), axis=1, dtype=np.int32)

    def write(self, out: Float32, other: _Side | None) -> None:
        """Fill the rows of ``out``; ``other`` holds the same positions of the second model."""
        mean, variance = _moments(self, self)
        out[0], out[1], out[2], out[3] = self.logprob, self.rank, self.log_mass - mean, variance
        if other is not None:
            mean, variance = _moments(self, other)
            out[4], out[5] = self.log_mass - mean, variance

    def write_extra(self, out: Float32, x: Float32, read: Int32) -> None:
        """Fill the rows of `EXTRA_CHANNELS`; nobody needs the squares any more, so they give their buffer."""
        rows = np.arange(x.shape[0])
        np.multiply(self.weights, self.greater, out=self.squares)
        out[0] = -self.log_mass
        out[1] = np.minimum(_dot(self.squares, self._ones) / self.mass, 1.0)
        out[2] = np.minimum(_largest_sum(self.weights) / self.mass, 1.0)
        out[3] = x[rows, read].astype(np.float64) - self.top - self.log_mass


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


def _largest_sum(weights: Float32) -> Float64:
    """Sum of the `TOP` largest weights of each row, (n,); partitioning whole rows would take longer.

    Maxima of groups are weights too, so no more than the ten largest exceed their tenth largest by rank:
    whatever is smaller cannot be among them.
    """
    n, n_columns = weights.shape
    whole = n_columns - n_columns % _GROUPS
    if whole <= _GROUPS:
        largest: Float64 = np.sort(weights, axis=1)[:, -TOP:].sum(axis=1, dtype=np.float64)
        return largest
    maxima = weights[:, :whole].reshape(n, -1, _GROUPS).max(axis=1)
    bounds = np.partition(maxima, -TOP, axis=1)[:, -TOP]
    large = weights >= bounds[:, None]
    return np.array(
        [
            np.sort(row[chosen])[-TOP:].sum(dtype=np.float64)
            for row, chosen in zip(weights, large, strict=True)
        ]
    )


def _dot(a: Float32, b: Float32) -> Float64:
    """Dot products (n,) of the rows of ``a`` with those of ``b``, or a flat ``b``; parts added in float64."""
    total = np.zeros(a.shape[0])
    for start in range(0, a.shape[1], _DOT_COLUMNS):
        columns = slice(start, start + _DOT_COLUMNS)
        total += np.vecdot(a[:, columns], b[..., columns])
    return total
