"""Bounds of an augmentation: how many rounds, texts, tokens and minutes, and from which errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ghostbuster.errors import SettingError

ERRORS = {
    "missed": "machine texts that the detector does not call machine-written",
    "accused": "human texts that it calls machine-written",
    "both": "the two in turn",
}
"""Which texts the teacher is shown. What it writes is a machine's, whichever they are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Bounds of an augmentation.

    Parameters
    ----------
    rounds : int
        The detector is trained from scratch before each, on all texts so far.
    per_text : int
        Texts asked for on each wrong text.
    errors : {"missed", "accused", "both"}
    max_texts : int
        Texts kept at most, in all rounds.
    max_tokens : int
        Tokens that the teacher writes at most, in all rounds.
    max_minutes : float
        Time that it writes, in all rounds and runs; other work is not counted.
    seed : int
        Every text's own seed is made of this.

    Raises
    ------
    SettingError
        When a number is out of range or a name unknown.
    """

    rounds: int = 1
    per_text: int = 2
    errors: str = "missed"
    max_texts: int = 1000
    max_tokens: int = 500_000
    max_minutes: float = math.inf
    seed: int = 0

    def __post_init__(self) -> None:
        from ghostbuster.registry import lookup

        lookup(ERRORS, self.errors, "kind of error")
        for name, most in (("rounds", 20), ("per_text", 64), ("max_texts", 10**6), ("max_tokens", 10**9)):
            if not 1 <= getattr(self, name) <= most:
                raise SettingError(f"{name}={getattr(self, name)!r}; expected 1 to {most}")
        if not self.max_minutes > 0:
            raise SettingError(f"max_minutes={self.max_minutes!r}; expected more than 0")
        if not 0 <= self.seed < 2**63:
            raise SettingError(f"seed={self.seed!r}; expected a whole number from 0 on")
