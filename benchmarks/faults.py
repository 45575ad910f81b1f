"""Commands whose every write fails in turn: a full disk, a process that is killed, a signal at random.

    python -m benchmarks.faults --rounds 20 [--commands ensemble,score-table] [--json FILE]

A C compiler builds `fault_shim.c`, which is loaded before everything else and fails, or ends the process at,
the n-th call that writes below a folder, whichever library makes it. Each command runs once undisturbed; then
with its n-th write failing, for every n (or as many as asked for, evenly spread), by a disk that stays full
and by SIGKILL; then ended by SIGINT, SIGTERM and SIGKILL at random moments. After each fault: the output is
the older one or the whole new one, nobody sees a traceback, an error is one line, no temporary file stays
(but where nobody could remove it, after SIGKILL), and the same command ends well and with the same bytes.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

OLDER = b"what stood here before\n"
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}


@dataclass(frozen=True)
class Command:
    """What is run in a folder, and what it writes there."""

    arguments: tuple[str, ...]
    output: str
    also: tuple[str, ...] = ()  # names that may stay beside it


COMMANDS = {
    "score-table": Command(("score-table", "texts.csv", "-o", "out.csv", "-q"), "out.csv"),
    "score-table to Parquet": Command(("score-table", "texts.csv", "-o", "out.parquet", "-q"), "out.parquet"),
    "score-file --report": Command(("score-file", "one.txt", "--report", "page.html", "-q"), "page.html"),
    "ensemble": Command(("ensemble", "a.csv", "b.csv", "-o", "both.csv", "-q"), "both.csv"),
    "train": Command(
        ("train", "labelled.csv", "-o", "new.joblib", "--space", "zeroshot", "--max-features", "2", "-q"),
        "new.joblib",
    ),
    "distill": Command(
        (
            "distill",
            "a.csv",
            "labelled.csv",
            "-o",
            "new.joblib",
            "--space",
            "zeroshot",
            "--max-features",
            "2",
            "-q",
        ),
        "new.joblib",
    ),
    "evaluate --report": Command(
        ("evaluate", "default", "labelled.csv", "--report", "page.html", "-q"), "page.html", ("page_files",)
    ),
    "calibrate": Command(
        ("calibrate", "default", "people.csv", "-o", "new.joblib", "--max-fpr", "0.05", "-q"), "new.joblib"
    ),
}


@dataclass
class Tally:
    """What became of a command under one kind of fault."""

    tried: int = 0
    ended_well: int = 0
    refused: int = 0
    killed: int = 0
    left_behind: int = 0
    broken: list[str] = field(default_factory=list)


def build_shim(folder: Path) -> Path:
    """The library that fails writes."""
    made = folder / "shim.so"
    source = Path(__file__).with_name("fault_shim.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)  # noqa: S607
    return made


def furnish(folder: Path) -> None:
    """Small tables that every command can work on."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import pandas as pd
    from prose import passages, shuffled

    good = passages(24, 150)
    odd = [shuffled(text, i) for i, text in enumerate(good)]
    n = len(good)
    frame = {"id": range(2 * n), "text": good + odd, "label": [0] * n + [1] * n}
    pd.DataFrame(frame).to_csv(folder / "labelled.csv", index=False)
    pd.DataFrame({"text": good}).to_csv(folder / "people.csv", index=False)
    pd.DataFrame({"text": odd[:6] + good[:6]}).to_csv(folder / "texts.csv", index=False)
    chance = np.random.default_rng(0)
    for name in ("a.csv", "b.csv"):
        table = pd.DataFrame({"id": range(2 * n), "probability": chance.uniform(size=2 * n)})
        table.to_csv(folder / name, index=False)
    (folder / "one.txt").write_text(good[0], encoding="utf-8")


class Stage:
    """A folder in which a command is run again and again, each time in a process of its own."""

    def __init__(self, command: Command, furnished: Path, folder: Path, shim: ctypes.CDLL) -> None:
        self.command, self.furnished, self.folder, self.shim = command, furnished, folder, shim

    def fresh(self) -> None:
        """Inputs, an older output, and an empty cache."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.furnished, self.folder)
        (self.folder / self.command.output).write_bytes(OLDER)
        (self.folder / "cache").mkdir()

    def run(
        self, due: int = -1, *, deadly: bool = False, ending: tuple[int, float] | None = None
    ) -> tuple[int, str, int]:
        """Exit status (negative: a signal), standard error, and how many writes there were."""
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as counted:
            child = os.fork()
            if not child:
                self._be_child(due, deadly, said.fileno(), counted.fileno())
            if ending is not None:
                time.sleep(ending[1])
                os.kill(child, ending[0])
            _, status = os.waitpid(child, 0)
            said.seek(0)
            counted.seek(0)
            return (
                os.waitstatus_to_exitcode(status),
                said.read().decode(errors="replace"),
                int(counted.read() or 0),
            )

    def _be_child(self, due: int, deadly: bool, said: int, counted: int) -> None:
        code = 70
        try:
            os.chdir(self.folder)
            os.environ["GHOSTBUSTER_CACHE"] = str(self.folder / "cache")
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(said, 2)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            from ghostbuster.cli import main

            self.shim.fault_arm(os.fsencode(self.folder), ctypes.c_long(due), int(deadly))
            code = main(self.command.arguments)
            os.write(counted, str(self.shim.fault_calls()).encode())
        except BaseException:  # noqa: BLE001 - a traceback is what is looked for
            import traceback

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
            self.command.output,
            "cache",
            *self.command.also,
        }
        return sorted(one.name for one in self.folder.iterdir() if one.name not in known)


def check(stage: Stage, whole: bytes, tally: Tally, what: str, code: int, said: str) -> None:
    """Hold one faulty run, and the run after it, to the promises."""
    tally.tried += 1
    killed = code < 0
    tally.killed += killed
    tally.ended_well += code == 0
    tally.refused += code > 0
    wrong = []
    found = stage.output()
    if found not in (OLDER, whole):
        wrong.append("the output is half written" if found is not None else "the older output is lost")
    if code == 0 and found != whole:
        wrong.append("it says that all is well, and the output is not there")
    if "Traceback" in said or "Fatal" in said:
        wrong.append("a traceback: " + said.strip().splitlines()[-1])
    if code > 0 and code not in (130, 143) and "ghostbuster: error: " not in said:
        wrong.append("no line says why")
    if code not in (0, 1, 2, 130, 143) and not killed:
        wrong.append(f"exit code {code}")
    strangers = [name for name in stage.strangers() if not name.endswith(".partial")]
    if strangers and not killed:
        wrong.append(f"left behind: {strangers}")
    tally.left_behind += bool(strangers) and killed
    again, said_again, _ = stage.run()
    if again != 0 or stage.output() != whole:
        wrong.append(f"the next run ends with {again}: {said_again.strip()[-200:]}")
    if any(name.endswith(".partial") for name in stage.strangers()):
        wrong.append("the journal stays")
    tally.broken += [f"{what}: {one}" for one in wrong]


def storm(stage: Stage, rounds: int, chance: random.Random) -> dict[str, Tally]:
    """Every kind of fault on one command; ``rounds`` of each, or one for each write where those are fewer."""
    stage.fresh()
    began = time.monotonic()
    code, said, n_writes = stage.run(0)
    seconds = time.monotonic() - began
    whole = stage.output()
    if code != 0 or whole is None or whole == OLDER:
        raise RuntimeError(f"{stage.command.arguments} fails undisturbed ({code}): {said}")
    tallies = {}
    places = sorted({round(n) for n in np.linspace(1, n_writes, min(rounds, n_writes))})
    for kind, deadly in (("disk full", False), ("SIGKILL at a write", True)):
        tallies[f"{kind} ({len(places)} of {n_writes} writes)"] = tally = Tally()
        for n in places:
            stage.fresh()
            code, said, _ = stage.run(n, deadly=deadly)
            check(stage, whole, tally, f"{kind} at write {n}", code, said)
    for name, number in SIGNALS.items():
        tallies[name] = tally = Tally()
        for _ in range(max(1, rounds // 3)):
            stage.fresh()
            after = chance.uniform(0, seconds)
            code, said, _ = stage.run(ending=(number, after))
            check(stage, whole, tally, f"{name} after {after:.2f} s", code, said)
    return tallies


def preload() -> None:
    """What commands import, once for all children; none of it starts a thread."""
    import joblib  # noqa: F401
    import lightgbm  # noqa: F401
    import llama_cpp  # noqa: F401
    import pandas as pd  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    import ghostbuster.cli  # noqa: F401


def table(found: dict[str, dict[str, Tally]]) -> str:
    """The counts as markdown, and every promise that was broken."""
    lines = ["| command | fault | tried | ended well | refused in one line | killed | promises broken |"]
    lines.append("|---|---|---|---|---|---|---|")
    lines += [
        f"| {command} | {kind} | {one.tried} | {one.ended_well} | {one.refused} | {one.killed} "
        f"| {len(one.broken)} |"
        for command, tallies in found.items()
        for kind, one in tallies.items()
    ]
    broken = [
        f"{command}: {one}"
        for command, tallies in found.items()
        for tally in tallies.values()
        for one in tally.broken
    ]
    return "\n".join([*lines, "", *broken])


def main() -> None:
    """Run the storm in a process that has the shim loaded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if "FAULT_SHIM" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            shim = str(build_shim(Path(folder)))
            settings = {
                **os.environ,
                "LD_PRELOAD": shim,
                "FAULT_SHIM": shim,
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            }
            sys.exit(
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]], env=settings, check=False
                ).returncode
            )
    shim = ctypes.CDLL(os.environ["FAULT_SHIM"])
    preload()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        furnished = Path(folder) / "furnished"
        furnished.mkdir()
        furnish(furnished)
        for name in chosen.commands.split(","):
            stage = Stage(COMMANDS[name], furnished, Path(folder) / "stage", shim)
            found[name] = storm(stage, chosen.rounds, random.Random(chosen.seed))  # noqa: S311 - moments, not secrets
            print(table({name: found[name]}), flush=True)
    if chosen.json:
        counts = {name: {kind: vars(one) for kind, one in tallies.items()} for name, tallies in found.items()}
        chosen.json.write_text(json.dumps(counts, indent=1), encoding="utf-8")
    sys.exit(any(one.broken for tallies in found.values() for one in tallies.values()))


if __name__ == "__main__":
    main()
