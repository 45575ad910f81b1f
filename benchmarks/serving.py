"""A server started as a user would, and clients for it: for benchmarks and tests of ``ghostbuster serve``."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

START_SECONDS = 120
_CODE = """
import functools, json, sys
from ghostbuster.server import limits
limits.Limits = functools.partial(limits.Limits, **json.loads(sys.argv[1]))
from ghostbuster.cli import main
sys.exit(main(sys.argv[2:]))
"""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, if it is JSON."""
        return json.loads(self.body)


class Served:
    """``ghostbuster serve --port 0`` with options, as a child process; a context that ends it.

    Parameters
    ----------
    *options : str or Path
        Of the command.
    limits : mapping of str to number, optional
        In place of some of the server's own.
    """

    def __init__(self, *options: str | Path, limits: Mapping[str, float] | None = None) -> None:
        command = [sys.executable, "-c", _CODE, json.dumps(limits or {}), "serve", "--port", "0"]
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [*command, *map(str, options)], stdout=subprocess.PIPE, stderr=self._stderr, text=True
        )
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        assert self.process.stdout is not None  # noqa: S101
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith("ghostbuster serves "):
            self.process.wait()
            raise RuntimeError(f"the server did not start: {self._read_stderr()}")
        self.address = line.split()[-1].rstrip("/")
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        self.host, self.port = host.strip("[]"), int(port)
        self.greeting = [line.rstrip()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(
                method, path, body.encode() if isinstance(body, str) else body, dict(headers or {})
            )
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def post_json(self, value: Any, headers: Mapping[str, str] | None = None, timeout: float = 120) -> Answer:
        """A request for verdicts."""
        head = {"Content-Type": "application/json", **(headers or {})}
        return self.request("POST", "/v1/verdicts", json.dumps(value), head, timeout)

    def connect(self, timeout: float = 60) -> socket.socket:
        """A bare connection."""
        return socket.create_connection((self.host, self.port), timeout)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it; its exit code, and what it said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.greeting += self.process.stdout.read().splitlines()
            self.process.stdout.close()
        said = self._read_stderr()
        self._stderr.close()
        return self.process.returncode, said

    def memory(self) -> int:
        """Bytes that it and its children hold now, shared parts counted once (PSS); on Linux."""
        return sum(_held(pid) for pid in (self.process.pid, *self.children()))

    def children(self) -> list[int]:
        """Numbers of its child processes."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        own = [int(pid) for pid in listed.read_text().split()]
        of_threads = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        found = [int(pid) for path in of_threads for pid in path.read_text().split()]
        return sorted({*own, *found})

    def _read_stderr(self) -> str:
        if self._stderr.closed:
            return ""
        self._stderr.seek(0)
        return self._stderr.read()


def _held(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def multipart(fields: Mapping[str, str], files: list[tuple[str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """A form as browsers send it, and its headers."""
    boundary = f"----form{os.urandom(12).hex()}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, data in files:
        shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{shown}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        parts.append(head.encode() + data + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
