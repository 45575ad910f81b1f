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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.fault_commands import Command

OLDER = b"what stood here before\n"
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

    def run(
        self,
        due: int = -1,
        *,
        deadly: bool = False,
        ending: tuple[int, float] | None = None,
        clock: bool = False,
        memory: int | None = None,
    ) -> Ending:
        """How the command ends; ``ending`` is a signal and after how many seconds it comes."""
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
            child = os.fork()
            if not child:
                self.shim.fault_clock(int(clock))
                self._be_child(due, deadly, memory, said.fileno(), told.fileno())
            if ending is not None:
                time.sleep(ending[1])
                os.kill(child, ending[0])
            status = _status(child)
            if status is None:
                return Ending(-signal.SIGKILL, "", {}, [], hangs=True)
            said.seek(0)
            told.seek(0)
            facts: dict[str, Any] = json.loads(told.read() or b"{}")
            return Ending(
                os.waitstatus_to_exitcode(status),
                said.read().decode(errors="replace"),
                facts.get("counted", {}),
                facts.get("modules", []),
            )

    def _be_child(self, due: int, deadly: bool, memory: int | None, said: int, told: int) -> None:
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
            self.shim.fault_arm(os.fsencode(self.folder), ctypes.c_long(due), int(deadly))
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
        """What stands where the output goes."""
        place = self.folder / self.command.output
        return place.read_bytes() if place.exists() else None

    def strangers(self) -> list[str]:
        """Files that are neither inputs nor output, nor the journal of an unfinished table."""
        known = {one.name for one in self.furnished.iterdir()} | {
            Path(self.command.output).parts[0],
            "cache",
            *self.command.also,
        }
        return sorted(one.name for one in self.folder.iterdir() if one.name not in known)
