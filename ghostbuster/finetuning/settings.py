"""What a fine-tuning run is asked to do: sizes, rates, lengths and stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ghostbuster.errors import SettingError
from ghostbuster.registry import unknown

Reads = Literal["mean", "answers"]
Precision = Literal["bf16", "f32"]
MOST_TOKENS = 4096
MOST_RANK = 256


@dataclass(frozen=True)
class Settings:
    """Settings of one run; every one of them moves the adapter.

    Parameters
    ----------
    reads : {"mean", "answers"}
        What the head sees: the mean of the states of the last layer that is kept, or the odds of two answer
        tokens after the text.
    rank : int
        Of the low-rank updates.
    alpha : float, optional
        Updates are scaled by ``alpha / rank``; twice the rank by default.
    first_layer : int, optional
        First layer that is changed; a quarter of the depth by default.
    n_layers : int, optional
        Layers that are kept: the last of them is read. Three quarters of the depth by default (the middle of
        a model tells most of an author), all of them for ``answers``.
    learning_rate : float
    epochs : float
        Passes over the texts: one is a crop of each.
    min_tokens, max_tokens : int
        Length of a crop, drawn evenly between them.
    batch_tokens : int
        Tokens a step, padding included.
    n_start : int
        Crops that the head is fitted on before any layer changes.
    checks : int
        How often, in a whole run, sources that were left out are looked at.
    patience : int
        Checks without a gain after which the run stops.
    precision : {"bf16", "f32"}
        Of the network's products; the updates themselves are kept in float32.
    seed : int

    Raises
    ------
    SettingError
        When one of them is out of range.
    """

    reads: Reads = "mean"
    rank: int = 16
    alpha: float | None = None
    first_layer: int | None = None
    n_layers: int | None = None
    learning_rate: float = 3e-4
    epochs: float = 1.0
    min_tokens: int = 64
    max_tokens: int = 192
    batch_tokens: int = 2048
    n_start: int = 512
    checks: int = 8
    patience: int = 3
    precision: Precision = "bf16"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("reads", get_args(Reads)), ("precision", get_args(Precision))):
            if getattr(self, name) not in known:
                raise unknown(getattr(self, name), known, name, SettingError)
        bounds = {
            "rank": (1, MOST_RANK),
            "learning_rate": (1e-8, 1.0),
            "epochs": (1e-3, 1000),
            "min_tokens": (8, self.max_tokens),
            "max_tokens": (self.min_tokens, MOST_TOKENS),
            "batch_tokens": (2 * self.max_tokens, 1 << 20),
            "n_start": (8, 1 << 20),
            "checks": (1, 1000),
            "patience": (1, 1000),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise SettingError(f"{name}={value}; expected {least:g} to {most:g}")
        if self.alpha is not None and not 0 < self.alpha <= 16 * MOST_RANK:
            raise SettingError(f"alpha={self.alpha}; expected a number above 0, at most {16 * MOST_RANK}")

    @property
    def scale(self) -> float:
        """What updates are multiplied by."""
        return (2 * self.rank if self.alpha is None else self.alpha) / self.rank

    def kept_layers(self, depth: int) -> int:
        """How many layers of a model with ``depth`` are kept.

        Raises
        ------
        SettingError
            When that is no number that a model of this depth allows: the last layer's own states are never
            read, for llama.cpp gives them with logits alone; answers need all layers.
        """
        whole = self.reads == "answers"
        least, most = (depth, depth) if whole else (1, max(1, depth - 1))
        usual = depth if whole else min(max(1, round(0.75 * depth)), most)
        kept = usual if self.n_layers is None else self.n_layers
        if not least <= kept <= most:
            why = (
                "all that the model has: the last gives the answers" if whole else "fewer than the model has"
            )
            raise SettingError(f"n_layers={kept}; expected {least} to {most}, {why}")
        return kept

    def changed_layers(self, depth: int) -> range:
        """The layers that are changed.

        Raises
        ------
        SettingError
            When none is left.
        """
        kept = self.kept_layers(depth)
        first = min(depth // 4, kept - 1) if self.first_layer is None else self.first_layer
        if not 0 <= first < kept:
            raise SettingError(
                f"first_layer={first}; expected 0 to {kept - 1}, of {kept} layers that are kept"
            )
        return range(first, kept)
