"""Kill a worker, a node or the driver of ``score-table --on ray`` at a random moment, again and again.

Each run scores the same short texts on four simulated nodes (``ray.cluster_utils.Cluster``), loses one of the
three at a random moment, goes on, and is compared with a run on one machine row by row: lost, doubled and
different rows. The language models are tiny and random, so that a run takes a minute and not an hour; the
code that reads, plans, scores and writes is the one that users run. Runs that are done are kept in
``storm.jsonl`` and not made again.

    python -m benchmarks.cluster.storm WORK --runs 50 --rows 5000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

EXAMPLES = Path(__file__).parents[2] / "examples"
KILLED = ("worker", "node", "driver")
NODES = 4
WORDS = 14
STORE = {"object_store_memory": 80 * 2**20}
MOST_SECONDS = 3600


def main() -> None:
    """Make the runs that are missing, and print what all of them found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0"}
    os.environ["GHOSTBUSTER_DEVICE"] = "cpu"
    table, detector = make_table(options.work, options.rows), make_detector(options.work)
    reference = one_machine(options.work, table, detector)
    results = options.work / "storm.jsonl"
    done = (
        {json.loads(line)["run"] for line in results.read_text().splitlines()} if results.exists() else set()
    )
    missing = [run for run in range(options.runs) if run not in done]
    if missing:
        with Nodes() as nodes, results.open("a") as file:
            for run in missing:
                found = storm(options.work, table, detector, reference, nodes, run)
                file.write(json.dumps(found) + "\n")
                file.flush()
                print(found, file=sys.stderr)
    print(json.dumps(summary(results), indent=1))


def make_table(work: Path, n_rows: int, n_words: int = WORDS) -> Path:
    """Short texts, each its own; a few rows without one."""
    path = work / f"in-{n_rows}-{n_words}.jsonl"
    chosen = random.Random(0)  # noqa: S311 - no secret
    words = " ".join((EXAMPLES / name).read_text("utf-8") for name in ("human.txt", "machine.txt")).split()
    rows: list[dict[str, Any]] = []
    for i in range(n_rows):
        start = chosen.randrange(len(words) - n_words)
        some = words[start : start + n_words]
        if i % 2:
            chosen.shuffle(some)
        rows.append({"id": i, "text": " ".join([*some, f"{i}."]) if i % 997 else None})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_detector(work: Path) -> Path:
    """A detector of two tiny language models with random weights."""
    from training.data.make_gguf import Shape, make_gguf

    path = work / "tiny.joblib"
    if not path.exists():
        shapes = [Shape(layers=1, context=256, seed=seed) for seed in (0, 1)]
        models = [make_gguf(work / f"{shape.seed}.gguf", shape) for shape in shapes]
        chosen = random.Random(1)  # noqa: S311 - no secret
        words = (EXAMPLES / "human.txt").read_text("utf-8").split()
        lines = []
        for i in range(40):
            some = words[5 * i : 5 * i + 60]
            if i % 2:
                chosen.shuffle(some)
            lines.append(json.dumps({"id": i // 2, "text": " ".join(some), "label": i % 2}) + "\n")
        (work / "train.jsonl").write_text("".join(lines))
        options = ["--space", "zeroshot", "--max-features", "3", "--min-tokens", "8", "--group-column", "id"]
        files = ["--weak-model", str(models[0]), "--strong-model", str(models[1])]
        ghostbuster("train", str(work / "train.jsonl"), "-o", str(path), *options, *files).check_returncode()
    return path


def ghostbuster(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(command(*arguments), check=False, text=True, capture_output=True)


def command(*arguments: str) -> list[str]:
    """The command line of a command."""
    return [sys.executable, "-m", "ghostbuster", *arguments]


def one_machine(work: Path, table: Path, detector: Path) -> list[dict[str, Any]]:
    """The rows of a run on one machine."""
    path = work / f"one-machine-{table.stem}.jsonl"
    if not path.exists():
        ghostbuster("score-table", str(table), "-o", str(path), "-m", str(detector), "--no-cache")
    return [json.loads(line) for line in path.read_text().splitlines()]


def patient(start: Callable[[], Any], tries: int = 5) -> Any:
    """Start something of Ray's; on a busy machine that may take longer than Ray waits."""
    for left in reversed(range(tries)):
        try:
            return start()
        except Exception as error:
            if not left or "timed out" not in str(error):
                raise
    return None


class Nodes:
    """Four nodes of a core each, three of which may be lost; what is lost is replaced."""

    def __enter__(self) -> Self:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False} | STORE
        self.cluster = patient(lambda: Cluster(initialize_head=True, head_node_args=head))
        self.others = [self._add() for _ in range(NODES - 1)]
        return self

    def _add(self) -> Any:
        return patient(lambda: self.cluster.add_node(num_cpus=1, **STORE))

    def __exit__(self, *_: object) -> None:
        self.cluster.shutdown()

    def lose(self, chosen: random.Random) -> None:
        """End a node at once, and add another."""
        node = self.others.pop(chosen.randrange(len(self.others)))
        self.cluster.remove_node(node, allow_graceful=False)
        self.others.append(self._add())


def storm(
    work: Path, table: Path, detector: Path, reference: list[dict[str, Any]], nodes: Nodes, run: int
) -> dict[str, Any]:
    """One run; what was killed when, and what is wrong with the rows."""
    chosen = random.Random(run)  # noqa: S311 - no secret
    output = work / f"out-{run}.jsonl"
    wanted = command(
        *("score-table", str(table), "-o", str(output), "-m", str(detector), "--quiet"),
        *("--on", "ray", "--ray-address", nodes.cluster.address, "--workers", str(NODES)),
    )
    started = time.monotonic()
    running = subprocess.Popen(wanted, stderr=subprocess.PIPE, text=True)
    killed, share = KILLED[run % len(KILLED)], chosen.random()
    _wait_for(output, share, running)
    at = len(list(output.glob("part-*")))
    if killed == "worker":
        _kill_worker(chosen)
    elif killed == "node":
        nodes.lose(chosen)
    else:
        running.send_signal(signal.SIGKILL)
        running.wait()
        running = subprocess.Popen(wanted, stderr=subprocess.PIPE, text=True)
    _, said = running.communicate(timeout=MOST_SECONDS)
    found = {"run": run, "killed": killed, "parts then": at, "code": running.returncode}
    found |= compared(output, reference) | {"seconds": round(time.monotonic() - started)}
    if running.returncode != 1:  # some rows have no text
        found["said"] = said
    return found


def _wait_for(output: Path, share: float, running: subprocess.Popen[str]) -> None:
    """Wait until about that share of the parts is there, and a moment more."""
    while running.poll() is None:
        plan = output / "_plan.json"
        if plan.exists():
            n_parts = len(json.loads(plan.read_text())["parts"])
            if len(list(output.glob("part-*"))) >= int(share * n_parts):
                time.sleep(share)
                return
        time.sleep(0.05)


def _kill_worker(chosen: random.Random) -> None:
    import psutil

    own = psutil.Process().children(recursive=True)  # other clusters of this machine are left alone
    workers = [one for one in own if "ray::Worker" in one.name()]
    if workers:
        chosen.choice(workers).kill()


def compared(output: Path, reference: list[dict[str, Any]]) -> dict[str, int]:
    """Rows that are lost, doubled or different from those of one machine."""
    lines = [line for path in sorted(output.glob("part-*")) for line in path.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    times = Counter(row["id"] for row in rows)
    of_id = {row["id"]: row for row in rows}
    return {
        "lost": sum(row["id"] not in times for row in reference),
        "doubled": sum(n - 1 for n in times.values()),
        "different": sum(row["id"] in of_id and of_id[row["id"]] != row for row in reference),
        "rows": len(rows),
    }


def summary(results: Path) -> dict[str, Any]:
    """Of all runs that are done."""
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    sums = {name: sum(row[name] for row in rows) for name in ("rows", "lost", "doubled", "different")}
    wrong = [row for row in rows if row["code"] != 1 or row["lost"] or row["doubled"] or row["different"]]
    return {"runs": len(rows), "killed": Counter(row["killed"] for row in rows)} | sums | {"wrong": wrong}


if __name__ == "__main__":
    main()
