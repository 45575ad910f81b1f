"""A sandbox folder for fault injection: one command run repeatedly, with one fault each time."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.faults.fault_commands import Command

OLDER = b"what stood here before\n"
FULL, DEADLY, READ_ONLY = range(3)
"""What becomes of a write: no room, SIGKILL, or no right."""
TRACEBACK = 70
PATIENCE = 240.0  # seconds


@dataclass(frozen=True)
class Ending:
    """How one run ended.

    Attributes
    ----------
    code : int
        Exit code, or the number of a signal below 0.
    said : str
        Standard error.
    counted : dict
        ``writes``, ``readings`` of the clock and ``memory`` (bytes of address space); empty where the process
        ended before it could tell.
    modules : list of str
        Names of what was imported.
    hangs : bool
        Whether it had to be ended.
    """

    code: int
    said: str
    counted: dict[str, int]
    modules: list[str]
    hangs: bool = False

    @property
    def killed(self) -> bool:
        """By a signal, or by a library that ended the process where Python could not see it."""
        return self.code < 0 or (not self.counted and self.code != TRACEBACK)


def build_shim(folder: Path) -> Path:
    """The library that fails writes."""
    made = folder / "shim.so"
    source = Path(__file__).with_name("fault_shim.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)  # noqa: S607
    return made


def address_space(which: str) -> int:
    """Bytes of address space of this process, now (``VmSize``) or at most so far (``VmPeak``)."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(status.split(which + ":")[1].split()[0])


def settings_of(folder: Path) -> dict[str, str]:
    """Where a command keeps what it can work out again, and what it pulls."""
    return {
        "GHOSTBUSTER_CACHE": str(folder / "cache"),
        "GHOSTBUSTER_MODELS": str(folder / "records"),
        "HF_HUB_CACHE": str(folder / "hub"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GGML_NO_BACKTRACE": "1",  # else llama.cpp starts a debugger where it stops
    }


def _status(child: int) -> int | None:
    """How a child ended, as the system says it; None where it had to be ended for it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@dataclass(frozen=True)
class _Running:
    """A command's process, and where it writes what it says and counts."""

    child: int
    said: IO[bytes]
    told: IO[bytes]

    def end(self) -> Ending:
        """Wait for it."""
        status = _status(self.child)
        if status is None:
            return Ending(-signal.SIGKILL, "", {}, [], hangs=True)
        self.said.seek(0)
        self.told.seek(0)
        facts: dict[str, Any] = json.loads(self.told.read() or b"{}")
        return Ending(
            os.waitstatus_to_exitcode(status),
            self.said.read().decode(errors="replace"),
            facts.get("counted", {}),
            facts.get("modules", []),
        )


class Stage:
    """A folder in which a command is run again and again, each time in a process of its own."""

    def __init__(self, command: Command, furnished: Path, folder: Path, shim: ctypes.CDLL) -> None:
        self.command, self.furnished, self.folder, self.shim = command, furnished, folder, shim

    def fresh(self) -> None:
        """Inputs, an older output, and an empty cache."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.furnished, self.folder)
        if self.command.replaces:
            (self.folder / self.command.output).write_bytes(OLDER)
        (self.folder / "cache").mkdir()
        if self.command.furnish is not None:
            self.command.furnish(self.folder)

    def run(
        self,
        due: int = -1,
        *,
        mode: int = FULL,
        below: str = "",
        ending: tuple[int, float] | None = None,
        clock: bool = False,
        memory: int | None = None,
    ) -> Ending:
        """How the command ends; ``ending`` is a signal and after how many seconds it comes.

        The call ``due`` of those that write below the folder ``below`` fails, in the command or its children.
        """
        with self._begun(due, mode, below, clock=clock, memory=memory) as running:
            if ending is not None:
                time.sleep(ending[1])
                os.kill(running.child, ending[0])
            return running.end()

    def run_twice(self) -> tuple[Ending, Ending]:
        """How the command ends in two processes at once."""
        with self._begun(-1, FULL, "") as one, self._begun(-1, FULL, "") as other:
            return one.end(), other.end()

    @contextmanager
    def _begun(
        self, due: int, mode: int, below: str, *, clock: bool = False, memory: int | None = None
    ) -> Iterator[_Running]:
        """The command in a process of its own."""
        with (
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as told,
            tempfile.NamedTemporaryFile() as counter,
        ):
            counter.write(bytes(8))
            counter.flush()
            child = os.fork()
            if not child:
                self.shim.fault_clock(int(clock))
                armed = {
                    "FAULT_BELOW": str(self.folder / below),
                    "FAULT_DUE": str(due),
                    "FAULT_MODE": str(mode),
                    "FAULT_COUNTER": counter.name,
                }
                self._be_child(armed, memory, said.fileno(), told.fileno())
            yield _Running(child, said, told)

    def _be_child(self, armed: dict[str, str], memory: int | None, said: int, told: int) -> None:
        code = TRACEBACK
        try:
            signal.signal(
                signal.SIGINT, signal.default_int_handler
            )  # ignored where a shell began us with `&`
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.chdir(self.folder)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(said, 2)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            from ghostbuster.cli import main

            before = address_space("VmSize")
            if memory is not None:
                resource.setrlimit(resource.RLIMIT_AS, (before + memory, resource.RLIM_INFINITY))
            os.environ.update(armed)  # for processes that it starts
            below, due, mode, counter = armed.values()
            self.shim.fault_arm(os.fsencode(below), ctypes.c_long(int(due)), int(mode), os.fsencode(counter))
            code = main(self.command.arguments)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
            counted = {
                "writes": self.shim.fault_calls(),
                "readings": self.shim.fault_readings(),
                "memory": address_space("VmPeak") - before,
            }
            os.write(told, json.dumps({"counted": counted, "modules": sorted(sys.modules)}).encode())
        except BaseException:  # noqa: BLE001 - a traceback is what is looked for
            traceback.print_exc()
        finally:
            os._exit(code)

    def output(self) -> bytes | None:
        """What stands where the output goes, with what belongs to it; None without the output."""
        found = sorted(self.folder.glob(self.command.output))
        beside = sorted(self.folder.glob(self.command.belongs)) if found and self.command.belongs else []
        return b"".join(one.read_bytes() for one in [*found, *beside]) if found else None

    def strangers(self) -> list[str]:
        """Files that are neither inputs nor output, and temporary ones in the cache."""
        known = {one.name for one in self.furnished.iterdir()} | {
            Path(self.command.output).parts[0],
            "cache",
            *self.command.also,
        }
        beside = [one.name for one in self.folder.iterdir() if one.name not in known]
        return sorted([*beside, *(one.name for one in (self.folder / "cache").rglob(".*"))])
