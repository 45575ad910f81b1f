"""Fault injection: every write of a command fails in turn, by a full disk, SIGKILL, or a random signal.

    python -m benchmarks.faults.faults --rounds 20 [--commands ensemble,score-table] [--json FILE]

A C compiler builds `fault_shim.c`, which is loaded before everything else and fails, or ends the process at,
the n-th call that writes below a folder, whichever library makes it. Each command runs once undisturbed; then
with its n-th write failing, for every n (or as many as asked for, evenly spread), by a disk that stays full
and by SIGKILL; then ended by SIGINT, SIGTERM and SIGKILL at random moments; then with a clock of the day that
jumps by years at every reading; and with less memory than it takes, once with its imports, once after them. A
command whose output is in the cache is also run in two processes at once, and with a cache that is read-only.
After each fault: the output is
the older one or the whole new one, nobody sees a traceback, an error is one line, no temporary file stays
(but where nobody could remove it, after SIGKILL), and the same command ends well and with the same bytes.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.faults.fault_commands import COMMANDS, furnish, hub
from benchmarks.faults.fault_stage import (
    DEADLY,
    FULL,
    OLDER,
    PATIENCE,
    READ_ONLY,
    Ending,
    Stage,
    build_shim,
    settings_of,
)

USERS_MISTAKE, BY_SIGNAL = 2, (130, 143)
SETTLED = "measures anew"
"""What a command says that could not do all it wanted, and keeps what it could."""
LITTLE = 4 << 20  # bytes of address space that are no work to speak of
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}


@dataclass
class Tally:
    """What became of a command under one kind of fault."""

    tried: int = 0
    ended_well: int = 0
    refused: int = 0
    killed: int = 0
    left_behind: int = 0
    broken: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)


def check(stage: Stage, whole: bytes, tally: Tally, what: str, end: Ending) -> None:
    """Hold one faulty run, and the run after it, to the promises."""
    tally.tried += 1
    tally.killed += end.killed
    tally.ended_well += end.code == 0 and not end.killed
    tally.refused += end.code > 0 and not end.killed
    wrong = _wrong_with_process(end)
    found = stage.output()
    if end.code == 0 and SETTLED in end.said:  # the next best, and it says so
        whole = found or whole
    if found not in (OLDER if stage.command.replaces else None, whole):
        wrong.append("the output is half written" if found is not None else "the older output is lost")
    if end.code == 0 and found != whole:
        wrong.append("it says that all is well, and the output is not there")
    strangers = [name for name in stage.strangers() if not name.endswith(".partial")]
    if strangers and not end.killed:
        wrong.append(f"left behind: {strangers}")
    tally.left_behind += bool(strangers) and end.killed
    again = stage.run()
    if again.code != 0 or stage.output() != whole:
        wrong.append(f"the next run ends with {again.code}: {again.said.strip()[-200:]}")
    if any(name.endswith(".partial") for name in stage.strangers()):
        wrong.append("the journal stays")
    if stage.command.in_cache and stage.strangers():
        wrong.append(f"the next run leaves {stage.strangers()}")
    last_words = f"killed ({end.code}): " * end.killed + "".join(end.said.splitlines()[-1:])
    tally.said |= {last_words} if end.code == USERS_MISTAKE or end.killed else set()
    tally.broken += [f"BROKEN: {what}: {one}" for one in wrong]


def _wrong_with_process(end: Ending) -> list[str]:
    """How it ended, and what it said."""
    if end.hangs:
        return [f"not ended after {PATIENCE:g} s"]
    if end.killed:
        return []
    wrong = []
    if "Traceback" in end.said or "Fatal" in end.said:
        wrong.append("a traceback: " + end.said.strip().splitlines()[-1])
    if end.code > 0 and end.code not in BY_SIGNAL and "ghostbuster: error: " not in end.said:
        wrong.append("no line says why")
    if end.code not in (0, 1, USERS_MISTAKE, *BY_SIGNAL):
        wrong.append(f"exit code {end.code}")
    return wrong


def storm(stage: Stage, rounds: int, chance: random.Random) -> Iterator[tuple[str, Tally]]:
    """Every kind of fault on one command; ``rounds`` of each, or one for each write where those are fewer."""
    stage.fresh()
    first = stage.run(0)
    whole = stage.output()
    if first.code != 0 or whole is None or whole == OLDER:
        raise RuntimeError(f"{stage.command.arguments} fails undisturbed ({first.code}): {first.said}")
    yield with_less_memory(stage, whole, rounds, first.counted["memory"], "with its imports")
    preload(first.modules)  # so that other faults strike in the work
    stage.fresh()
    began = time.monotonic()
    calm = stage.run(0)
    seconds = time.monotonic() - began
    for kind, mode in (("disk full", FULL), ("SIGKILL at a write", DEADLY)):
        yield failing_at_writes(stage, whole, rounds, calm.counted["writes"], kind, mode)
    for name in SIGNALS:
        yield name, ended_by(stage, whole, name, [chance.uniform(0, seconds) for _ in range(-(-rounds // 2))])
    yield with_jumping_clock(stage, whole)
    if stage.command.in_cache:
        yield "two at once", two_at_once(stage, whole, rounds)
        yield "read-only cache", with_read_only_cache(stage, whole)
    if calm.counted["memory"] > LITTLE:
        yield with_less_memory(stage, whole, rounds, calm.counted["memory"], "of work")


def failing_at_writes(
    stage: Stage, whole: bytes, rounds: int, n_writes: int, kind: str, mode: int
) -> tuple[str, Tally]:
    """The command with one of its writes failing, and all after it."""
    tally = Tally()
    places = sorted({round(n) for n in np.linspace(1, n_writes, min(rounds, n_writes))})
    for n in places:
        stage.fresh()
        check(stage, whole, tally, f"{kind} at write {n}", stage.run(n, mode=mode))
    return f"{kind} ({len(places)} of {n_writes} writes)", tally


def ended_by(stage: Stage, whole: bytes, name: str, moments: Iterable[float]) -> Tally:
    """The command, sent a signal after so many seconds."""
    tally = Tally()
    for after in moments:
        stage.fresh()
        check(stage, whole, tally, f"{name} after {after:.2f} s", stage.run(ending=(SIGNALS[name], after)))
    return tally


def with_jumping_clock(stage: Stage, whole: bytes) -> tuple[str, Tally]:
    """The command where the clock of the day jumps; it has to end well."""
    tally = Tally()
    stage.fresh()
    end = stage.run(clock=True)
    check(stage, whole, tally, "clock that jumps", end)
    if end.code:
        tally.broken.append(f"BROKEN: ends with {end.code} where the clock jumps: {end.said.strip()[-200:]}")
    return f"clock that jumps ({end.counted.get('readings', 0)} readings)", tally


def two_at_once(stage: Stage, whole: bytes, rounds: int) -> Tally:
    """The command in two processes; both have to end well."""
    tally = Tally()
    for _ in range(-(-rounds // 2)):
        stage.fresh()
        for end in stage.run_twice():
            check(stage, whole, tally, "two at once", end)
            if end.code:
                tally.broken.append(f"BROKEN: one of two ends with {end.code}: {end.said.strip()[-200:]}")
    return tally


def with_read_only_cache(stage: Stage, whole: bytes) -> Tally:
    """The command where the cache may not be written to: empty, and with all that is wanted in it."""
    tally = Tally()
    stage.fresh()
    check(stage, whole, tally, "read-only, empty cache", stage.run(1, mode=READ_ONLY, below="cache"))
    end = stage.run(1, mode=READ_ONLY, below="cache")
    check(stage, whole, tally, "read-only cache that has it", end)
    if end.code:
        tally.broken.append(f"BROKEN: what is there is not used: {end.said.strip()[-200:]}")
    return tally


def with_less_memory(stage: Stage, whole: bytes, rounds: int, memory: int, of_what: str) -> tuple[str, Tally]:
    """The command with shares of the address space that it takes."""
    tally = Tally()
    for share in (np.arange(rounds) + 0.5) / rounds:
        stage.fresh()
        end = stage.run(memory=int(share * memory))
        check(stage, whole, tally, f"{share:.2f} of its memory {of_what}", end)
    return f"less memory than its {memory >> 20} MiB {of_what}", tally


def preload(modules: Iterable[str]) -> None:
    """Import what a command imports, once for all children; none of it starts a thread."""
    for name in modules:
        if name.partition(".")[0] not in {"__main__", "benchmarks"}:
            with suppress(Exception):  # names that no import finds: parts that libraries make themselves
                import_module(name)


def show(command: str, kind: str, one: Tally) -> None:
    """A row of the table."""
    counts = (one.tried, one.ended_well, one.refused, one.killed, len(one.broken))
    print(f"| {command} | {kind} | " + " | ".join(map(str, counts)) + " |", flush=True)


def main() -> None:
    """Run the storm in a process that has the shim loaded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if "FAULT_SHIM" not in os.environ:
        sys.exit(_again_with_shim())
    shim = ctypes.CDLL(os.environ["FAULT_SHIM"])
    found: dict[str, dict[str, Tally]] = {}
    details: list[str] = []
    print("| command | fault | tried | ended well | refused in one line | killed | promises broken |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, hub() as address:
        furnished, place = Path(folder) / "furnished", Path(folder) / "stage"
        os.environ |= {**settings_of(place), "HF_ENDPOINT": address}
        furnished.mkdir()
        furnish(furnished)
        for name in chosen.commands.split(","):
            stage = Stage(COMMANDS[name], furnished, place, shim)
            chance = random.Random(chosen.seed)  # noqa: S311 - moments, not secrets
            found[name] = {}
            for kind, tally in storm(stage, chosen.rounds, chance):
                found[name][kind] = tally
                show(name, kind, tally)
                details += [f"{name}, {kind}: {one}" for one in [*tally.broken, *sorted(tally.said)]]
    print("", *details, sep="\n")
    if chosen.json:
        counts = {name: {kind: vars(one) for kind, one in tallies.items()} for name, tallies in found.items()}
        chosen.json.write_text(json.dumps(counts, indent=1, default=sorted), encoding="utf-8")
    sys.exit(any(one.broken for tallies in found.values() for one in tallies.values()))


def _again_with_shim() -> int:
    """The same in a process that has the shim loaded and starts no threads."""
    with tempfile.TemporaryDirectory() as folder:
        shim = str(build_shim(Path(folder)))
        settings = {
            "LD_PRELOAD": shim,
            "FAULT_SHIM": shim,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "benchmarks.faults.faults", *sys.argv[1:]]
        return subprocess.run(command, env=os.environ | settings, check=False).returncode


if __name__ == "__main__":
    main()
