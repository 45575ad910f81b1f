"""Draw a token from logits: temperature, then the likeliest tokens of a given mass (nucleus sampling)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float32
from ghostbuster.errors import SettingError

CONSIDERED = 256
"""The likeliest tokens that are looked at; what lies beyond is never drawn."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a teacher writes.

    Parameters
    ----------
    max_tokens : int
        Tokens of a text at most.
    temperature : float
        What logits are divided by; 0 takes the likeliest token.
    top_p : float
        Mass of the likeliest tokens that one is drawn from, above 0 to 1.

    Raises
    ------
    SettingError
        When a number is out of range.

    References
    ----------
    Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020, arXiv:1904.09751.
    """

    max_tokens: int = 400
    temperature: float = 0.8
    top_p: float = 0.95

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 1 << 16:
            raise SettingError(f"{self.max_tokens} tokens a text; expected 1 to {1 << 16}")
        if not 0 <= self.temperature <= 10:  # noqa: PLR2004 - beyond, all tokens are alike
            raise SettingError(f"temperature is {self.temperature!r}; expected 0 to 10")
        if not 0 < self.top_p <= 1:
            raise SettingError(f"top_p is {self.top_p!r}; expected a share above 0 and at most 1")

    def draw(self, logits: Float32, rng: np.random.Generator) -> int:
        """One token, by logits of shape (n_vocabulary,)."""
        most = min(CONSIDERED, logits.size)
        likeliest = np.argpartition(-logits, most - 1)[:most]
        ordered = likeliest[np.lexsort((likeliest, -logits[likeliest]))]
        if self.temperature == 0:
            return int(ordered[0])
        scaled = logits[ordered].astype(np.float64) / self.temperature
        weights = np.exp(scaled - scaled[0])
        weights /= weights.sum()
        passed = np.cumsum(weights)
        n_kept = int(np.searchsorted(passed, self.top_p * passed[-1])) + 1
        kept = passed[: min(n_kept, most)]
        return int(
            ordered[np.searchsorted(kept, rng.random() * kept[-1], side="right").clip(0, kept.size - 1)]
        )
