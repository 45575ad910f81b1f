"""Connect to a Ray cluster, or start one on this machine that ends with the command; Ray prints nothing."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from ghostbuster.errors import ClusterError, SettingError
from ghostbuster.system.quiet_stderr import only_own_stderr, silent_threads

CONNECT_SECONDS = 10.0
STARTS = 3
"""Times that a cluster is tried to be started: on a busy machine it may take Ray longer than it waits."""
OBJECT_STORE_BYTES = 128 * 2**20
"""Of a cluster of one machine: what goes through it are parts' names and results."""
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray would tell its makers of every cluster
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",  # and of those that do not want that
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # quells a warning of a change to come
    "RAY_NUM_REDIS_GET_RETRIES": "2",  # it tries for ten minutes where something else listens
}
"""Variables that Ray reads; those that a user has set stay."""
_ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Keeps a cluster of one machine off the network, as on desktops: whoever reaches it can run programs."""
ADDRESS_VARIABLE = "RAY_ADDRESS"
"""Where a submitted job has the address of its cluster."""
_RAY_THREADS = "ray_"
"""Begin of the names of threads that print what ended on the cluster, on standard output too."""
_HOST_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:/\s]+):(?P<port>\d{1,5})")


def check_extra() -> None:
    """Refuse to go on without Ray.

    Raises
    ------
    SettingError
        Names the extra that installs it.
    """
    if find_spec("ray") is None:
        raise SettingError("--on ray needs ray: pip install 'ghostbuster[ray]'")


def standing_cluster(address: str | None) -> str | None:
    """The address of the cluster to connect to; None where one is to be started on this machine."""
    if address is not None and not address.strip():
        raise SettingError("--ray-address is empty; expected HOST:PORT, or auto")
    found = address or os.environ.get(ADDRESS_VARIABLE) or "local"
    return None if found == "local" else found


@contextmanager
def ray_session(address: str | None, *, n_cpus: float, n_gpus: float = 0.0) -> Iterator[Any]:
    """A connection to a Ray cluster, and the module ``ray``.

    Parameters
    ----------
    address : str, optional
        ``host:port`` of a cluster that this machine is part of, or ``auto`` for the one that runs here; by
        default what ``RAY_ADDRESS`` says, as in a submitted job, else a cluster on
        this machine is started, which only this machine reaches and which ends with the block.
    n_cpus, n_gpus : float
        What a cluster that is started has.

    Raises
    ------
    ClusterError
        When no cluster answers within seconds, or none can be started.
    SettingError
        When Ray is not installed, or the address is none.
    """
    check_extra()
    standing = standing_cluster(address)
    if standing is not None and standing != "auto":
        _knock(standing, "--ray-address" if address else ADDRESS_VARIABLE)
    for name, value in (_SETTINGS | (_ON_LOOPBACK if standing is None else {})).items():
        os.environ.setdefault(name, value)
    with only_own_stderr(), silent_threads(_RAY_THREADS):
        yield from _connected(standing, n_cpus, n_gpus)


def _connected(standing: str | None, n_cpus: float, n_gpus: float) -> Iterator[Any]:
    """Yield Ray once it is connected to a standing cluster, or to one of its own."""
    import ray

    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    temporary = None
    try:
        if standing is None:
            temporary = tempfile.mkdtemp(prefix="gb-ray-")
            _start(ray, n_cpus, n_gpus, temporary)
        else:
            _connect(ray, standing)
        for number, handler in handlers.items():
            _restore(number, handler)  # Ray puts one of its own in their place
        yield ray
    finally:
        ray.shutdown()
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _start(ray: Any, n_cpus: float, n_gpus: float, folder: str) -> None:
    sockets = len(f"{folder}/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store")
    more = {"_temp_dir": folder} if sockets < 100 else {}  # noqa: PLR2004 - the system's limit is 107
    for left in reversed(range(STARTS)):
        try:
            ray.init(
                address="local",
                num_cpus=n_cpus,
                num_gpus=n_gpus,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **_SILENT,
                **more,
            )
        except Exception as error:  # Ray raises that itself, where a process took more than 30 s to start
            ray.shutdown()
            if left:
                continue
            raise ClusterError(
                f"no Ray cluster could be started here ({_first_line(error)}): {_remedy(error)}"
            ) from error
        return


def _connect(ray: Any, address: str) -> None:
    from ray.exceptions import RayError

    try:
        ray.init(address=address, **_SILENT)
    except (ConnectionError, RuntimeError, OSError, ValueError, RayError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({_first_line(error)}): start one with `ray start --head`; "
            f"where it asks for a token, {_FOR_AUTHENTICATION}"
        ) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "Ray keeps a token in ~/.ray: set HOME to a folder that can be written to"
    return "end other programs, or give the machine more memory"


_FOR_AUTHENTICATION = "copy its ~/.ray/auth_token to this machine and set RAY_AUTH_MODE=token"
_SILENT = {"log_to_driver": False, "logging_level": logging.CRITICAL, "ignore_reinit_error": True}


def _knock(address: str, given_by: str) -> None:
    """Find out within seconds whether anything listens: Ray itself tries for minutes."""
    found = _HOST_PORT.fullmatch(address)
    if found is None:
        raise SettingError(f"{given_by} {address!r}; expected HOST:PORT such as 10.0.0.5:6379, or auto")
    try:
        where = (found["host"].strip("[]"), int(found["port"]))
        socket.create_connection(where, timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({_first_line(error)}): start one with `ray start --head`, "
            "or leave --ray-address out"
        ) from error


def _restore(number: signal.Signals, handler: Any) -> None:
    import threading

    if threading.current_thread() is threading.main_thread() and handler is not None:
        signal.signal(number, handler)


def _first_line(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return str(said).splitlines()[0]
