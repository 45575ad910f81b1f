"""Two workers on two cores against ``score-table`` in one process, on the same texts; and the memory of both.

    python -m benchmarks.cluster.throughput WORK --rows 1500 --words 120 --rounds 2 --model lite
    python -m benchmarks.cluster.throughput WORK --rows 100000 --words 14 --rounds 1 --model tiny

Each command runs alone, round after round. Its start-up is counted apart: rows a second are those between the
first progress that it keeps (the first batch of a journal, the first part) and its end. The memory of all of
its processes is looked at every second: of the driver, of the largest worker, and of Ray's own together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cluster.storm import command, make_detector, make_table

LOOK_SECONDS = 1.0
MB = 2**20


def main() -> None:
    """Run the rounds, and print what they found as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--words", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--model", default="lite", help="lite, standard or tiny: tiny models with random weights"
    )
    parser.add_argument("--only", choices=("alone", "ray"), help="one of the two")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.environ |= {"GHOSTBUSTER_DEVICE": "cpu", "RAY_USAGE_STATS_ENABLED": "0"}
    model = str(make_detector(options.work)) if options.model == "tiny" else options.model
    table = make_table(options.work, options.rows, options.words)
    names = [options.only] if options.only else ["alone", "ray"]
    rounds = [
        {name: measured(name, options.work, table, model) for name in names} for _ in range(options.rounds)
    ]
    found: dict[str, Any] = {
        "rows": options.rows,
        "words": options.words,
        "model": options.model,
        "rounds": rounds,
    }
    if not options.only:
        for figure in ("rows_a_second", "rows_a_cpu_second"):
            ratios = [one["ray"][figure] / one["alone"][figure] for one in rounds]
            found[f"ratio of {figure}"] = round(statistics.median(ratios), 3)
    print(json.dumps(found, indent=1))


def measured(name: str, work: Path, table: Path, model: str) -> dict[str, Any]:
    """One run of a command."""
    output = work / f"timed-{name}.jsonl"
    shutil.rmtree(output, ignore_errors=True)
    for path in (output, output.with_name(f"{output.name}.partial")):
        if path.is_file():
            path.unlink()
    more = ["--on", "ray", "--workers", "2"] if name == "ray" else ["--no-cache"]
    started = time.monotonic()
    running = subprocess.Popen(
        command("score-table", str(table), "-o", str(output), "-m", model, "--quiet", *more),
        stderr=subprocess.DEVNULL,
    )
    tree, first, memory = psutil.Process(running.pid), (0.0, 0, 0.0), []
    cpu: dict[int, float] = {}
    while running.poll() is None:
        processes = _alive(tree)
        cpu |= {one.pid: sum(one.cpu_times()[:2]) for one in processes if one.is_running()}
        rows = _rows(output)
        if rows and not first[1]:
            first = (time.monotonic(), rows, sum(cpu.values()))
        memory.append(_memory(processes))
        time.sleep(LOOK_SECONDS)
    ended, n_rows = time.monotonic(), sum(1 for _ in table.open())
    return {
        "rows_a_second": round((n_rows - first[1]) / (ended - first[0]), 2),
        "rows_a_cpu_second": round((n_rows - first[1]) / (sum(cpu.values()) - first[2]), 2),
        "seconds": round(ended - started, 1),
        "seconds_to_first_rows": round(first[0] - started, 1),
        "cpu_seconds": round(sum(cpu.values()), 1),
        "memory_mb": {share: _at(memory, share) for share in (0.1, 0.25, 0.5, 0.75, 0.95)},
    }


def _alive(tree: psutil.Process) -> list[psutil.Process]:
    try:
        return [tree, *tree.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _rows(output: Path) -> int:
    """Rows whose scores are kept."""
    if output.is_dir():
        return sum(path.read_bytes().count(b"\n") for path in output.glob("part-*"))
    partial = output.with_name(f"{output.name}.partial")
    if not partial.exists():
        return 0
    lines = partial.read_text().splitlines()[1:]
    return sum(len(json.loads(line[9:])[1]) for line in lines if line.endswith("]"))


def _memory(processes: list[psutil.Process]) -> dict[str, int]:
    """Memory of their own, in bytes, of the driver, the largest worker, and the rest."""
    found = {"driver": 0, "worker": 0, "of ray": 0}
    for i, one in enumerate(processes):
        try:
            size, name = one.memory_full_info().uss, " ".join(one.cmdline())
        except psutil.Error:
            continue
        if i == 0:
            found["driver"] = size
        elif "ray::Worker" in name:
            found["worker"] = max(found["worker"], size)
        else:
            found["of ray"] += size
    return found


def _at(memory: list[dict[str, int]], share: float) -> dict[str, int]:
    """Memory after a share of the time, in MiB."""
    found = memory[min(int(share * len(memory)), len(memory) - 1)]
    return {name: round(size / MB) for name, size in found.items()}


if __name__ == "__main__":
    sys.exit(main())
