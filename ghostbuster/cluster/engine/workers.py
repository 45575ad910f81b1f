"""How many workers a cluster gets, and of what size: what a user asks for, and defaults for the rest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil
from typing import Any

from ghostbuster.cluster.engine.pool import Workers
from ghostbuster.errors import SettingError
from ghostbuster.models.backend.devices import DEVICE_VARIABLE, LAYERS_VARIABLE, PATH_VARIABLE
from ghostbuster.models.llama.threads import usable_cores
from ghostbuster.models.prepared.prepare import VARIABLE as FORM_VARIABLE

_PASSED_ON = (DEVICE_VARIABLE, LAYERS_VARIABLE, PATH_VARIABLE, FORM_VARIABLE)
"""Settings of this machine that hold on every node."""

MOST = 10_000
"""CPUs or cards of a worker: more are a slip, or no number."""


@dataclass(frozen=True)
class WorkerWish:
    """What a user asks for.

    Attributes
    ----------
    n : int or None
        As many as the cluster has room for, by default.
    n_cpus : float
        Of each; one thread of the language models runs on each.
    n_gpus : float
        Of each; a fraction shares a card.

    Raises
    ------
    SettingError
        When one is out of range.
    """

    n: int | None = None
    n_cpus: float = 1.0
    n_gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.n is not None and self.n < 1:
            raise SettingError(f"--workers {self.n}; expected 1 or more")
        if not 0 < self.n_cpus <= MOST or (self.n_cpus > 1 and self.n_cpus != int(self.n_cpus)):
            raise SettingError(
                f"--cpus-per-worker {self.n_cpus:g}; expected a whole number, or a part of one"
            )
        if not 0 <= self.n_gpus <= MOST or (self.n_gpus > 1 and self.n_gpus != int(self.n_gpus)):
            raise SettingError(
                f"--gpus-per-worker {self.n_gpus:g}; expected a whole number, or a part of one"
            )

    def of_a_new_cluster(self) -> dict[str, float]:
        """CPUs and GPUs of a cluster on this machine that has room for them."""
        n = self.n or max(int(usable_cores() / self.n_cpus), 1)
        return {"n_cpus": max(ceil(n * self.n_cpus), 1), "n_gpus": ceil(n * self.n_gpus)}

    def on(self, ray: Any) -> Workers:
        """Of the cluster that ``ray`` is connected to, as it is now."""
        offered = ray.cluster_resources()
        room = int(offered.get("CPU", 0) / self.n_cpus)
        if self.n_gpus:
            room = min(room, int(offered.get("GPU", 0) / self.n_gpus))
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return Workers(self.n or max(room, 1), self.n_cpus, self.n_gpus, environment)
