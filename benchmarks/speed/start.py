"""Seconds and memory from the start of the program to its end, for one text.

    python -m benchmarks.speed.start TEXT [--rounds 7] [--detectors standard,lite]

Each round runs ``ghostbuster score-file TEXT`` in a process of its own with each detector in turn, after one
round that is not counted: the cache folder is then warm. Seconds are of the clock, of all cores and of one
core's worth of processor time; only the first says anything of a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Run:
    """One start of the program.

    Attributes
    ----------
    seconds : float
        By the clock.
    cpu_seconds : float
        Of all its threads.
    peak_mb : float
        Most memory it held.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(text: Path, detector: str) -> Run:
    """Score the text once.

    Raises
    ------
    RuntimeError
        When the program fails.
    """
    command = [sys.executable, "-m", "ghostbuster", "score-file", str(text), "-m", detector, "-q"]
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{' '.join(command)} failed ({os.waitstatus_to_exitcode(status)})")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def row(detector: str, runs: Sequence[Run]) -> str:
    """A row of the table."""
    seconds = [one.seconds for one in runs]
    cells = (
        f"{median(seconds):.2f}",
        f"{min(seconds):.2f} to {max(seconds):.2f}",
        f"{median(one.cpu_seconds for one in runs):.2f}",
        f"{max(one.peak_mb for one in runs):.0f}",
    )
    return f"| {detector} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--detectors", default="standard,lite")
    options = parser.parse_args()
    runs: dict[str, list[Run]] = {name: [] for name in options.detectors.split(",")}
    for counted in range(options.rounds + 1):
        for name, kept in runs.items():
            one = run(options.text, name)
            if counted:
                kept.append(one)
    print("| detector | s, median | least to most | CPU s | peak MB |\n|---|---|---|---|---|")
    print(*(row(name, kept) for name, kept in runs.items()), sep="\n")


if __name__ == "__main__":
    main()
