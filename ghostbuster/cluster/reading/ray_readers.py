"""A panel on the workers of a cluster, which reads parts in whatever order; each comes back once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ghostbuster.cluster.engine.model_files import parcels
from ghostbuster.cluster.engine.pool import Pool
from ghostbuster.cluster.engine.session import ray_session, standing_cluster
from ghostbuster.cluster.engine.workers import WorkerWish
from ghostbuster.cluster.reading.part_reader import PanelLooker, PartReader
from ghostbuster.reading.scores.panel_facts import PanelFacts, PanelWish
from ghostbuster.reading.scores.part import PartRows
from ghostbuster.reading.scores.readers import PartsReader

_log = logging.getLogger("ghostbuster")


@dataclass(frozen=True)
class ClusterPanel:
    """A panel that is to be opened by the workers of a cluster.

    Attributes
    ----------
    wish : PanelWish
    workers : WorkerWish
    address : str or None
        Of the cluster; see `ray_session`.
    device : str or None
    gpu_layers : int or None
    """

    wish: PanelWish
    workers: WorkerWish
    address: str | None = None
    device: str | None = None
    gpu_layers: int | None = None

    @contextmanager
    def readers(self) -> Iterator[PartsReader]:
        """Connect to the cluster, or start one; ask a worker what it reads with, then have all of them read.

        Raises
        ------
        SettingError
            When Ray is not installed, or versions differ.
        ClusterError
            When the cluster does not answer, or has no room for a worker.
        """
        with ray_session(self.address, **self.workers.of_a_new_cluster()) as ray:
            elsewhere = standing_cluster(self.address) is not None
            sent = parcels(self.wish.name, ray if elsewhere else None)
            workers = self.workers.on(ray)
            looker = PanelLooker(self.wish, sent, self.device, self.gpu_layers)
            facts = _facts(Pool(ray, looker, replace(workers, n=1)))
            reader = PartReader(
                self.wish, sent, self.device, self.gpu_layers, fingerprints=dict(facts.fingerprints)
            )
            yield PartsReader(facts, lambda parts, n: _read(Pool(ray, reader, workers), parts, n, facts))


def _facts(pool: Pool[PartRows, PanelFacts]) -> PanelFacts:
    ((_, facts),) = pool.run([PartRows("", 0, 0, (), "")])
    return facts


def _read(
    pool: Pool[PartRows, tuple[bytes, str]], parts: Iterator[PartRows], n_parts: int, facts: PanelFacts
) -> Iterator[tuple[PartRows, bytes]]:
    told = False
    for part, (data, build) in pool.run(parts, n_parts):
        if build != facts.build and not told:
            _log.warning(
                "nodes have different processors, builds of llama.cpp or forms of a model: their token "
                "scores may differ in the last digits"
            )
            told = True
        yield part, data
