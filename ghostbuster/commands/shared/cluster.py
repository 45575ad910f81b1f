"""Options of commands that run on a cluster too, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.errors import SettingError
from ghostbuster.registry import lookup

if TYPE_CHECKING:
    from ghostbuster.cluster.engine.workers import WorkerWish

ENGINES = {"ray": "Ray, of the extra `ray`"}
"""What ``--on`` takes, and what it is."""

On = Annotated[
    str | None,
    typer.Option("--on", metavar="ENGINE", help="Run on a cluster: ray. Without it, in this process."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="A Ray cluster that runs; without it one is started on this machine."
    ),
]
NWorkers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Workers of the cluster; as many as it has room for."),
]
CpusPerWorker = Annotated[
    float, typer.Option(metavar="N", help="Cores, and threads of the language models, of a worker.")
]
GpusPerWorker = Annotated[
    float | None,
    typer.Option(metavar="N", help="Graphics cards of a worker, or a part of one; 0, or 1 with --device."),
]


@dataclass(frozen=True)
class ClusterWish:
    """What the options of a cluster say together.

    Attributes
    ----------
    on : str
    address : str or None
    n_workers : int or None
    n_cpus : float
    n_gpus : float or None
    device : str or None
    gpu_layers : int or None
    """

    on: str
    address: str | None
    n_workers: int | None
    n_cpus: float
    n_gpus: float | None
    device: str | None
    gpu_layers: int | None

    def checked(self) -> WorkerWish:
        """The workers that are asked for; a wrong option or a missing extra is named before anything else.

        Raises
        ------
        SettingError
            Names it, or the extra to install.
        """
        from ghostbuster.cluster.engine.session import check_extra
        from ghostbuster.cluster.engine.workers import WorkerWish
        from ghostbuster.models.backend.devices import Placement

        lookup(ENGINES, self.on, "engine (--on)")
        check_extra()
        Placement(self.device, self.gpu_layers)
        return WorkerWish(self.n_workers, self.n_cpus, self.cards)

    @property
    def cards(self) -> float:
        """Cards of a worker: one where a device is named that is no CPU."""
        if self.n_gpus is not None:
            return self.n_gpus
        return float(self.device is not None and self.device.lower() != "cpu")

    @property
    def where(self) -> str | None:
        """Device of each worker's models: the CPU for workers that have no card."""
        return self.device or (None if self.cards else "cpu")


def check_no_cluster(table: str, output: str, options: Mapping[str, object]) -> None:
    """Refuse what only a cluster takes.

    Raises
    ------
    SettingError
        When an input or output is an address, or an option of clusters is given.
    """
    for named in (table, output):
        if "://" in named:
            raise SettingError(f"{named} is an address: give --on ray to read and write there")
    for name, value in options.items():
        if value is not None:
            raise SettingError(f"{name} is for a cluster: give --on ray, or leave it out")
