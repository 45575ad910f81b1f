"""Hidden states to one raw score: a strongly penalised logistic regression on mean layer outputs (a probe).

What a language model holds of a text while it reads tells more of its author, and travels better to texts of
other sources, than the probabilities that it gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Float2d, Vectors
from ghostbuster.errors import ArtifactError, InputError
from ghostbuster.heads.training_set import certain_labels
from ghostbuster.hidden_states import HiddenStates

SOURCE = "strong.states"
"""Whose hidden states are read, as ``Vectors.states`` calls them."""
ADAPTED = "adapter.states"
"""Those of a language model under an adapter, which an adapter's head reads."""
MAX_LAYERS, MAX_WIDTH = 1024, 65_536
"""More than any model has; a file with more is refused."""
STRENGTH = 0.004
"""Inverse penalty (scikit-learn's C) times layers: many layers say the same, and share one coefficient."""
NO_STATES = (
    "the texts were read without hidden states, which this detector needs: read them with the detector's own "
    "`read`"
)
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class StateProbe:
    """Logistic regression on a text's mean outputs of several layers.

    Attributes
    ----------
    layers : tuple of int
        Rising, 0 for the first.
    mean : float32 array of shape (n_layers, width)
        Of the training texts.
    coef : float32 array of shape (n_layers, width)
        Log-odds of machine for a unit of a state.
    baseline : float
        Log-odds of a text whose states are all average.

    Raises
    ------
    ArtifactError
        When layers do not rise, or shapes do not fit.

    References
    ----------
    Alain and Bengio, "Understanding intermediate layers using linear classifier probes", arXiv:1610.01644.
    """

    layers: tuple[int, ...]
    mean: npt.NDArray[np.float32]
    coef: npt.NDArray[np.float32]
    baseline: float

    def __post_init__(self) -> None:
        layers, shape = self.layers, self.coef.shape
        if not 0 < len(layers) <= MAX_LAYERS or list(layers) != sorted(set(layers)) or layers[0] < 0:
            raise ArtifactError("layers of the probe of hidden states do not rise; get the detector again")
        if len(shape) != 2 or shape != self.mean.shape or shape[0] != len(layers):  # noqa: PLR2004
            raise ArtifactError(
                f"the probe of hidden states has coefficients {shape} and means {self.mean.shape} for "
                f"{len(layers)} layers; get the detector again"
            )
        if not 0 < shape[1] <= MAX_WIDTH:
            raise ArtifactError(f"the probe of hidden states is {shape[1]} wide; get the detector again")

    @classmethod
    def fit(
        cls,
        states: HiddenStates,
        y: Float1d,
        weights: Float1d,
        sources: AnyArray | None = None,
    ) -> Self:
        """Learn from the states of whole texts.

        Columns are centred by source (``center_sources``), then standardised; all layers of ``states`` are
        used.

        Parameters
        ----------
        states : HiddenStates
            Of n_texts texts.
        y : array of shape (n_texts,), probability of machine
        weights : array of shape (n_texts,)
            Mean 1.
        sources : array of shape (n_texts,), or None
        """
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from ghostbuster.features.search.centering import center_sources

        layers = tuple(int(layer) for layer in states.layers)
        columns = states.means.reshape(states.n_texts, -1).astype(np.float32)
        columns = center_sources(columns, y, sources)
        share = (weights / weights.sum()).astype(np.float32)
        mean = share @ columns
        columns -= mean
        scale = np.maximum(np.sqrt(share @ columns**2), _TINY)
        columns /= scale
        model = LogisticRegression(C=STRENGTH / len(layers), max_iter=1000, tol=1e-4)
        with threadpool_limits(1, "blas"):  # sums in one order, however many cores there are
            model.fit(*certain_labels(columns, y, weights))
        shape = (len(layers), states.means.shape[2])
        coef = (model.coef_[0] / scale).astype(np.float32).reshape(shape)
        return cls(layers, mean.astype(np.float32).reshape(shape), coef, float(model.intercept_[0]))

    def raw_score(self, states: HiddenStates | None) -> Float1d:
        """Log-odds of machine, shape (n_texts,); errors as those of `contributions`."""
        return np.asarray(self.contributions(states).sum(axis=1) + self.baseline)

    def contributions(self, states: HiddenStates | None) -> Float2d:
        """What each layer adds to the score, shape (n_texts, n_layers); with ``baseline`` exact.

        Raises
        ------
        InputError
            When there are no states, a layer was not read, or states have another width.
        """
        if states is None:
            raise InputError(NO_STATES)
        if states.means.shape[2] != self.coef.shape[1]:
            raise InputError(
                f"hidden states are {states.means.shape[2]} wide; expected {self.coef.shape[1]}: read the "
                "texts with the model that the detector was trained with"
            )
        means = states.means_of(self.layers)
        made = np.empty((states.n_texts, len(self.layers)))
        for i in range(states.n_texts):  # no matrix product: its sums hang on how many texts there are
            made[i] = np.sum((means[i].astype(np.float64) - self.mean) * self.coef, axis=1)
        return made

    def state(self) -> dict[str, Any]:
        """Plain containers and arrays."""
        return {
            "layers": list(self.layers),
            "mean": self.mean,
            "coef": self.coef,
            "baseline": self.baseline,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The probe that ``state`` describes.

        Raises
        ------
        ArtifactError
            When something is missing or shapes differ.
        """
        try:
            layers = tuple(state["layers"])
            mean, coef = (np.asarray(state[name]) for name in ("mean", "coef"))
            baseline = float(state["baseline"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"probe of hidden states cannot be restored ({error}); train it again"
            ) from None
        whole = all(type(layer) is int for layer in layers)
        if not whole or {mean.dtype, coef.dtype} != {np.dtype(np.float32)}:
            raise ArtifactError("the probe of hidden states holds no numbers of its kinds; train it again")
        return cls(layers, mean, coef, baseline)


def states_of(vectors: Vectors, name: str = SOURCE) -> HiddenStates:
    """The hidden states that a probe reads, or an adapter's head.

    Raises
    ------
    InputError
        When the texts were read without them.
    """
    if name not in vectors.states:
        raise InputError(NO_STATES)
    return vectors.states[name]
