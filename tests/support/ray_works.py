"""Small works for the workers of a Ray cluster, and a cluster of nodes on this machine."""

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostbuster.cluster.parts import Part, Span
from ghostbuster.errors import InputError


@dataclass
class Writes:
    """Writes the number of each part and the process that did it; what a part does beside is in ``deeds``."""

    folder: str
    deeds: dict = None
    seconds: float = 0.0

    def open(self):
        (Path(self.folder) / f"opened-{os.getpid()}").touch()

    def do(self, part):
        deed = (self.deeds or {}).get(part.number)
        mark = Path(self.folder) / f"tried-{part.number}"
        if deed == "always ends":
            os._exit(1)
        if deed == "ends once" and not mark.exists():
            mark.touch()
            os._exit(1)
        if deed == "refuses":
            raise InputError("row 7 of in.csv: no")
        if deed == "breaks":
            raise KeyError("oops")
        time.sleep(self.seconds)
        (Path(self.folder) / f"done-{part.number}").write_text(str(os.getpid()))
        return part.number * part.number


def parts(n):
    return [Part(i, f"part-{i}", (Span(0, i, 1, 1),)) for i in range(n)]


@contextlib.contextmanager
def nodes(*n_cpus):
    """A Ray cluster of as many nodes, all on this machine, which only this machine reaches."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    options = {"object_store_memory": 80 * 2**20}
    made = started(Cluster, {"num_cpus": n_cpus[0], "include_dashboard": False} | options)
    try:
        for n in n_cpus[1:]:
            added(made, num_cpus=n, **options)
        yield made
    finally:
        made.shutdown()


def started(kind, head, tries=4):
    """A cluster's head; on a busy machine a process may take longer to start than Ray waits."""
    for left in reversed(range(tries)):
        try:
            return kind(initialize_head=True, head_node_args=head)
        except Exception as error:
            if not left or "timed out" not in str(error):
                raise
    return None


def added(cluster, tries=4, **node):
    """One more node, likewise."""
    for left in reversed(range(tries)):
        try:
            return cluster.add_node(**node)
        except Exception as error:
            if not left or "timed out" not in str(error):
                raise
    return None


@contextlib.contextmanager
def worker_killed(folder):
    """Kill a worker of this process's clusters once a first part stands in ``folder``; lists its number."""
    psutil = pytest.importorskip("psutil", reason="psutil finds the worker to kill")
    killed = []

    def kill():
        while not list(folder.glob("part-*")):
            time.sleep(0.02)
        own = psutil.Process().children(recursive=True)  # other clusters of this machine are left alone
        workers = [one for one in own if "ray::Worker" in one.name()]
        workers[0].kill()
        killed.append(workers[0].pid)

    killer = threading.Thread(target=kill)
    killer.start()
    yield killed
    killer.join()
