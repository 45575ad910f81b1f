"""Start and end of the server: address, scoring processes, signals."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ghostbuster.errors import SettingError
from ghostbuster.server.child_process import ChildProcess
from ghostbuster.server.scoring.scoring_child import ChildSettings, score_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn

    from ghostbuster.server.scoring.detectors import DetectorFile
    from ghostbuster.server.service import Service

LEAST_TOKEN = 32
"""Characters of a token that nobody guesses."""
_OTHERS_READ = 0o004


def read_token(path: Path) -> str:
    """The token in a file.

    Raises
    ------
    SettingError
        When it cannot be read, others can read it, or it is too short.
    """
    make = f"make one: (umask 077; openssl rand -hex 32 > {path})"
    try:
        token = path.read_text("utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise SettingError(f"{path} holds no token that can be read ({why}): {make}") from None
    if os.name == "posix" and mode & _OTHERS_READ:
        raise SettingError(f"{path} can be read by everybody on this computer: chmod 600 {path}")
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingError(f"{path} holds no token of {LEAST_TOKEN} or more letters and digits: {make}")
    return token


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; done first, since models take a second to load.

    Raises
    ------
    SettingError
        When the address is not this computer's, or somebody listens there already.
    """
    made = None
    try:
        family, address = _family(host, port)
        made = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()
    except (OSError, OverflowError, UnicodeError) as error:
        if made is not None:
            made.close()
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingError(
            f"cannot listen at {host} port {port} ({why}): give another --host or "
            "--port, or end what listens there"
        ) from None
    return made


def _family(host: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """Kind and form of an address; only a name is looked up."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return family, address
    return (socket.AF_INET if version == 4 else socket.AF_INET6), (host, port)  # noqa: PLR2004


def start_children(
    files: Sequence[DetectorFile], settings: ChildSettings, n_workers: int
) -> list[ChildProcess]:
    """Scoring processes, all started; several share the cores evenly.

    Raises
    ------
    GhostbusterError
        When a detector or a model cannot be used.
    """
    made = []
    for i in range(n_workers):
        settings_of_it = replace(settings, cores=_cores(i, n_workers))
        made.append(ChildProcess(score_pieces, (tuple(files), settings_of_it), f"scoring process {i + 1}"))
    with ThreadPoolExecutor(n_workers) as threads:
        try:
            list(threads.map(ChildProcess.start, made))
        except BaseException:
            for child in made:
                child.close()
            raise
    return made


def _cores(i: int, n_workers: int) -> tuple[int, ...]:
    """The cores of one of several processes; all where there are not enough to share."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    cores = sorted(os.sched_getaffinity(0))
    return tuple(cores[i::n_workers]) if 1 < n_workers <= len(cores) else ()


def serve(service: Service, listener: socket.socket, started: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; what is accepted is answered, a second signal ends at once.

    Parameters
    ----------
    service : Service
    listener : socket
        Bound.
    started : callable
        Called once requests are answered.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)  # it would log what a request holds
    _allow_files(service.limits.connections + 100)
    asyncio.run(_serve(service, listener, started))


def _allow_files(wanted: int) -> None:
    """Raise this process's own limit on open files, where the system allows: each connection is one."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _serve(service: Service, listener: socket.socket, started: Callable[[], None]) -> None:
    server = _server(service)
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    signals = 0

    def tell(_number: int, _frame: FrameType | None) -> None:
        nonlocal signals
        signals += 1
        server.force_exit = server.should_exit = signals > 1
        loop.call_soon_threadsafe(told.set)

    service.start()
    with _handlers(tell):
        answering = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not answering.done():  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.01)
            started()
            stopping = asyncio.create_task(told.wait())
            await asyncio.wait([answering, stopping], return_when=asyncio.FIRST_COMPLETED)
            finishing = asyncio.create_task(service.finish())
            while not finishing.done() and signals < 2:  # noqa: PLR2004 - the second signal
                await asyncio.wait([finishing], timeout=0.1)
            finishing.cancel()
        finally:
            server.should_exit = True
            await service.end()
            await answering


def _server(service: Service) -> uvicorn.Server:
    import uvicorn

    from ghostbuster.server.app import application
    from ghostbuster.server.intake.http_protocol import timed_protocol

    class Server(uvicorn.Server):
        """Leaves signals to `_serve`."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            application(service),
            loop="asyncio",
            http=timed_protocol(service.limits),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            backlog=1_024,
        )
    )


@contextmanager
def _handlers(tell: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
