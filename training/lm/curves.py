"""Parse the training log: throughput, and an extrapolated learning curve."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_LINE = re.compile(r"step \d+ tokens (\d+) loss ([\d.]+) rate [\d.]+ (\d+) tokens/s")


@dataclass
class Curve:
    """Tokens, mean losses (nats a token) and speeds (tokens a second), a value a line of the log."""

    tokens: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Median of the lines but the first, which may hold the end of compiling."""
        return float(np.median(self.speeds[1:] or self.speeds or [0.0]))

    def loss_after(self, tokens: float) -> float | None:
        """What ``a + b * tokens ** -c`` gives there, fitted to the later half of the lines.

        The form is that of Hoffmann et al. 2022, arXiv:2203.15556, with their exponent for data, 0.28:
        a short run says too little to fit it. None with fewer than four lines.
        """
        half = len(self.tokens) // 2
        if len(self.tokens) < 4:
            return None
        x = np.array(self.tokens[half:], dtype=float) ** -0.28
        slope, base = np.polyfit(x, np.array(self.losses[half:]), 1)
        return float(base + slope * tokens**-0.28)


def read(log: Path, start: int = 0) -> Curve:
    """The lines of a log from byte ``start`` on."""
    curve = Curve()
    for tokens, loss, speed in _LINE.findall(log.read_bytes()[start:].decode()):
        curve.tokens.append(int(tokens))
        curve.losses.append(float(loss))
        curve.speeds.append(float(speed))
    return curve
