"""Workers of a Ray cluster that do parts: ended ones are replaced, and what they had is given to others."""

from __future__ import annotations

import os
import socket
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import ghostbuster
from ghostbuster.errors import ClusterError, GhostbusterError, SettingError
from ghostbuster.models.llama.threads import THREADS_VARIABLE

Result = TypeVar("Result")
_Result_co = TypeVar("_Result_co", covariant=True)

MOST_TRIES = 5
"""A part whose worker has ended so often is what ends it: the job is given up."""
PATIENCE = 600.0
"""Seconds without any worker after which a job is given up; a cluster that grows needs minutes for a node."""
_POLL = 1.0


class Numbered(Protocol):
    """A part, or what is sent to a worker in its place."""

    @property
    def number(self) -> int:
        """From 0; no two have the same."""
        ...

    @property
    def name(self) -> str:
        """What messages call it."""
        ...


Item = TypeVar("Item", bound=Numbered)
_Item_contra = TypeVar("_Item_contra", contravariant=True)


class PartWork(Protocol[_Item_contra, _Result_co]):
    """What a worker does; it is pickled, and each worker has one of its own."""

    def open(self) -> None:
        """Open what is needed for every part, once in each worker; a `GhostbusterError` ends the job."""
        ...

    def do(self, part: _Item_contra, /) -> _Result_co:
        """Do a part; it is done again when the worker ends meanwhile, so it has to write whole or not at all.

        Raises
        ------
        GhostbusterError
            Ends the job.
        """
        ...


@dataclass(frozen=True)
class Workers:
    """How many workers, and what each of them takes of its node.

    Attributes
    ----------
    n : int
    n_cpus, n_gpus : float
    environment : mapping of str to str
        Variables that each of them is given.
    """

    n: int
    n_cpus: float = 1.0
    n_gpus: float = 0.0
    environment: Mapping[str, str] = field(default_factory=dict)


class NotReadyError(ClusterError):
    """A worker was given a part after Ray had started it again, and before it was made ready."""


class Worker:
    """What runs in a worker's process: made ready again after each start, before it is given a part."""

    def __init__(self) -> None:
        self._work: PartWork[Any, Any] | None = None

    def ready(self, work: PartWork[Any, Any], environment: Mapping[str, str]) -> dict[str, str]:
        """Open everything; returns the versions that move values, and the node's name."""
        os.environ.update(environment)
        work.open()
        self._work = work
        return own_versions() | {"node": socket.gethostname()}

    def do(self, part: Any) -> Any:
        """Do a part."""
        if self._work is None:
            raise NotReadyError("started again since it was made ready")
        return self._work.do(part)


def own_versions() -> dict[str, str]:
    """Versions of what moves a value, in this process."""
    return {"ghostbuster": ghostbuster.__version__, "llama-cpp-python": version("llama-cpp-python")}


class Pool(Generic[Item, Result]):
    """Does parts with the workers of a cluster; each part's result comes once.

    Parameters
    ----------
    ray : module
        Connected.
    work : PartWork
    workers : Workers
    """

    def __init__(self, ray: Any, work: PartWork[Item, Result], workers: Workers) -> None:
        self._ray, self._wanted = ray, workers
        self._work = ray.put(work)
        self._environment = {
            THREADS_VARIABLE: str(max(int(workers.n_cpus), 1)),
            **workers.environment,
        }
        self._fresh: Iterator[Item] = iter(())
        self._waiting: deque[Item] = deque()  # those whose worker ended
        self._tries: Counter[int] = Counter()
        self._pending: dict[Any, tuple[Any, Item | None]] = {}  # reference to worker, and its part or none
        self._failed_starts = 0
        self._alive = monotonic()

    def run(self, parts: Iterable[Item], n_parts: int | None = None) -> Iterator[tuple[Item, Result]]:
        """Do all parts, in whatever order.

        Parameters
        ----------
        parts : iterable of Part
            Taken one by one, as workers are free.
        n_parts : int, optional
            How many they are, where they are no sequence.

        Yields
        ------
        (Part, Result)
            As soon as it is done.

        Raises
        ------
        ClusterError
            When workers end again and again, or there is none for `PATIENCE` seconds.
        GhostbusterError
            What the work raised.
        """
        listed = list(parts) if n_parts is None else parts
        self._fresh = iter(listed)
        left = len(listed) if isinstance(listed, list) else n_parts or 0
        try:
            for _ in range(min(self._wanted.n, left)):
                self._start()
            while left:
                done, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=_POLL)
                if not done:
                    self._check_patience()
                for reference in done:
                    worker, part = self._pending.pop(reference)
                    found = self._result(reference, worker, part)
                    if part is not None and found is not None:
                        left -= 1
                        self._next(worker)
                        yield part, found[0]
        finally:
            for worker, _ in self._pending.values():
                self._kill(worker)

    def _start(self) -> None:
        """Ask for a worker; Ray starts it on a node that has room."""
        actor = self._ray.remote(Worker).options(
            num_cpus=self._wanted.n_cpus, num_gpus=self._wanted.n_gpus, max_restarts=-1, max_task_retries=0
        )
        self._await(actor.remote())

    def _await(self, worker: Any) -> None:
        self._pending[worker.ready.remote(self._work, self._environment)] = (worker, None)

    def _next(self, worker: Any) -> None:
        """Give a worker its next part; it ends when none is left, and takes nothing from others."""
        part = self._waiting.popleft() if self._waiting else next(self._fresh, None)
        if part is not None:
            self._pending[worker.do.remote(part)] = (worker, part)
        else:
            self._kill(worker)

    def _kill(self, worker: Any) -> None:
        """End a worker, unless it or the whole cluster has ended already."""
        from ray.exceptions import RayError

        with suppress(RayError, RuntimeError):
            self._ray.kill(worker)

    def _result(self, reference: Any, worker: Any, part: Item | None) -> tuple[Result] | None:
        """What a worker answered; None where it was only ready, or has ended."""
        from ray.exceptions import RayError, RayTaskError

        try:
            found = self._ray.get(reference)
        except RayTaskError as error:
            if part is not None and isinstance(error.cause, NotReadyError):
                self._waiting.appendleft(part)
                self._await(worker)
                return None
            raise raised_by_worker(error) from error
        except RayError as error:
            self._ended(worker, part, error)
            return None
        self._alive = monotonic()
        if part is not None:
            return (found,)
        self._check_versions(found)
        self._failed_starts = 0
        self._next(worker)
        return None

    def _ended(self, worker: Any, part: Item | None, error: Exception) -> None:
        """Give the part of a worker that ended to others, and have the worker started again."""
        from ray.exceptions import ActorDiedError, ActorUnavailableError

        if part is not None:
            self._tries[part.number] += 1
            if self._tries[part.number] >= MOST_TRIES:
                raise ClusterError(
                    f"part {part.name} ended its worker {MOST_TRIES} times ({_why(error)}): {_REMEDY}"
                ) from error
            self._waiting.appendleft(part)
        else:
            self._failed_starts += 1
            if self._failed_starts >= MOST_TRIES * self._wanted.n:
                raise ClusterError(f"no worker stays alive ({_why(error)}): {_START_REMEDY}") from error
        if isinstance(error, ActorUnavailableError) or (
            part is not None and not isinstance(error, ActorDiedError)
        ):
            self._await(worker)  # Ray restarts it
        else:
            self._kill(worker)
            self._start()

    def _check_patience(self) -> None:
        """Give up where no worker is at work for a long time."""
        if any(part is not None for _, part in self._pending.values()):
            self._alive = monotonic()
        if monotonic() - self._alive < PATIENCE:
            return
        offered = {name: n for name, n in self._ray.cluster_resources().items() if name in {"CPU", "GPU"}}
        raise ClusterError(
            f"no worker could be started for {PATIENCE:.0f} s: each needs {self._wanted.n_cpus:g} CPU and "
            f"{self._wanted.n_gpus:g} GPU of one node, and the whole cluster has {offered or 'none'}: give "
            "--cpus-per-worker, or add nodes"
        )

    def _check_versions(self, found: Mapping[str, str]) -> None:
        for name, here in own_versions().items():
            if found[name] != here:
                raise SettingError(
                    f"node {found['node']} has {name} {found[name]}, and this machine {here}: values would "
                    "differ: install one version on all nodes"
                )


_START_REMEDY = (
    "look into Ray's logs of that node: too little memory for a worker, or another RAY_AUTH_MODE than the "
    "cluster was started with"
)
_REMEDY = "give more memory a worker (--workers, --cpus-per-worker), or look into Ray's logs of that node"


def raised_by_worker(error: Any) -> Exception:
    """What the work raised, without the way it came."""
    cause = error.cause
    if isinstance(cause, GhostbusterError | MemoryError | OSError):
        return cause
    return ClusterError(f"a worker failed ({type(cause).__name__}: {str(cause)[:300]}): this is a defect")


def _why(error: Exception) -> str:
    """Why a worker ended, in a line."""
    from ray.exceptions import OutOfMemoryError

    said = " ".join(str(error).split())
    if isinstance(error, OutOfMemoryError) or "memory" in said.lower():
        return "out of memory"
    if "No module named" in said:
        return f"{said[said.index('No module named') :][:60]}: install ghostbuster[ray] on all nodes"
    return said[:200]
