"""Throughput of scoring, against llama.cpp's limit and other common ways: figures of docs/performance.md.

    python -m benchmarks.speed.scoring SECTION ... [--out docs]

Sections: ``embedded`` (the models that ship), ``lengths`` (the panel by length and number of texts),
``large`` (GGUF files given by ``--large``; `make_gguf` writes the shape of TinyLlama-1.1B), ``builds`` (the
engine with another build of llama-cpp-python, which ``pip install --target FOLDER`` put into the folder that
``--other-build`` names), and ``agreement`` (the numbers themselves). Each fills its part of
OUT/data/performance.json and leaves the other parts alone; then the plots are drawn anew.

Every contestant lives in its own process; rounds are interleaved, so that a busy machine disturbs all alike.
Reported are medians over the rounds: tokens a second, microseconds of CPU a token, and the median of the
ratio to the limit in each round, by wall clock and by CPU. What competes: `scoring_contestants`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.scoring_contestants import CONTESTANTS, prepare, prepare_panel
from ghostbuster.models.llama.runtime import Weights
from ghostbuster.models.panel import open_panel
from ghostbuster.models.panels import weights_folder

ROOT = Path(__file__).resolve().parents[2]
LICENCE = ROOT / "LICENSE"
WAYS = ("limit", "engine", *(name for name in CONTESTANTS if name != "limit"))
LARGE_WAYS = tuple(name for name in WAYS if name != "prompt")  # its layout is the engine's own there
LENGTHS = (50, 100, 200, 500, 1000, 2000, 5000, 50000)
COUNTS = (1, 4, 16, 64)
TOKENS_A_COUNT = 250
LIBRARIES = ("llama-cpp-python", "numpy", "torch", "transformers")
Rounds = dict[str, list[dict[str, Any]]]


def passages(weights: Weights, n_texts: int, n_tokens: int, least: int | None = None) -> list[str]:
    """``n_texts`` passages of the licence of as many tokens, from its start again where it ends.

    With ``least`` lengths are drawn evenly from there to ``n_tokens``, by one seed.
    """
    text = " ".join(LICENCE.read_text("utf-8").split()) + " "
    ends = weights.tokenise([text]).ends
    text *= -(-(n_texts + 1) * n_tokens // ends.size)
    ends = np.concatenate(([0], weights.tokenise([text]).ends))
    sizes = np.full(n_texts, n_tokens)
    if least is not None:
        sizes = np.random.default_rng(0).integers(least, n_tokens + 1, n_texts)
    cuts = np.concatenate(([0], np.cumsum(sizes)))
    return [text[ends[a] : ends[b]] for a, b in itertools.pairwise(cuts)]


def work(way: str, path: str, n_texts: int, n_tokens: int) -> None:
    """A contestant's process: one round for each line read."""
    weights = open_panel().weak.weights if way == "panel" else vocabulary_of(path)
    texts = passages(weights, n_texts, n_tokens)
    run, n_scored = prepare_panel(texts) if way == "panel" else prepare(way, Path(path), texts)
    run()
    print("ready", flush=True)
    note = getattr(run, "note", "")
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        measured = {"wall": wall / n_scored, "cpu": cpu / n_scored, "peak": peak_mb(), "note": note}
        print(json.dumps(measured), flush=True)


def peak_mb() -> float:
    """The most memory this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def vocabulary_of(path: str) -> Weights:
    """The vocabulary of a model file alone."""
    from ghostbuster.models.gguf.check import check_model

    return Weights(check_model(path), vocabulary_only=True)


def compete(
    contestants: Mapping[str, Sequence[object]], rounds: int, builds: Mapping[str, Path] | None = None
) -> Rounds:
    """Start every contestant, let them run in turn.

    A contestant is given as the arguments of `work`; ``builds`` names the folder of those that import
    another llama_cpp.
    """
    results: Rounds = {name: [] for name in contestants}
    children = {name: start(arguments, (builds or {}).get(name)) for name, arguments in contestants.items()}
    for _ in range(rounds):
        for name, child in children.items():
            print("go", file=child.stdin, flush=True)
            if line := child.stdout.readline():
                results[name].append(json.loads(line))
    for name, child in children.items():
        finish(name, child)
    return results


def start(arguments: Sequence[object], build: Path | None = None) -> subprocess.Popen[str]:
    """A contestant's process, with its own folder of llama_cpp if it has one."""
    command = [sys.executable, "-m", "benchmarks.speed.scoring", "--work", *map(str, arguments)]
    kept = os.environ.get("PYTHONPATH", "")
    paths = os.environ if build is None else os.environ | {"PYTHONPATH": os.pathsep.join((str(build), kept))}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=paths
    )
    child.stdout.readline()  # ready: none is disturbed while it tries which way is quickest
    return child


def finish(name: str, child: subprocess.Popen[str]) -> None:
    """Let a contestant end; a failure ends the benchmark: a table with a gap would be misread."""
    child.stdin.close()
    if child.wait():
        raise SystemExit(f"{name}: its process ended with {child.returncode}")


def summary(results: Rounds, bound: str = "limit") -> dict[str, dict[str, Any]]:
    """Medians of each contestant, and of its ratio to the bound in each round."""
    table = {}
    for name, rounds in results.items():
        wall, cpu, peak = (np.array([r[key] for r in rounds]) for key in ("wall", "cpu", "peak"))
        row: dict[str, Any] = {
            "tokens_per_second": round(float(1 / np.median(wall)), 1),
            "cpu_us_per_token": round(float(1e6 * np.median(cpu)), 1),
            "peak_mb": round(float(peak.max())),
            "note": rounds[0]["note"],
        }
        if bound in results:
            for key, mine in (("wall", wall), ("cpu", cpu)):
                limits = np.array([r[key] for r in results[bound]])
                row[f"of_limit_by_{key}"] = round(float(np.median(limits / mine)), 3)
        table[name] = row
        print(f"  {name:14}", json.dumps(row), flush=True)
    return table


def embedded(wanted: argparse.Namespace) -> dict[str, Any]:
    """Both embedded models against everything."""
    found = {}
    for role in ("weak", "strong"):
        path = weights_folder() / f"embedded-{role}.gguf"
        arguments = {way: (way, path, wanted.texts, wanted.tokens) for way in WAYS}
        print(role)
        found[role] = summary(compete(arguments, wanted.rounds))
    return found


def builds(wanted: argparse.Namespace) -> dict[str, Any]:
    """The engine on both builds, and transformers."""
    if wanted.other_build is None:
        raise SystemExit("the section `builds` needs --other-build FOLDER")
    found = {}
    for role in ("weak", "strong"):
        path = weights_folder() / f"embedded-{role}.gguf"
        given = path, wanted.texts, wanted.tokens
        ways = ("limit", "engine", *(way for way in CONTESTANTS if way.startswith("torch")))
        arguments = {way: (way, *given) for way in ways}
        others = {f"{way}, other build": (way, *given) for way in ("limit", "engine")}
        print(role)
        folders = dict.fromkeys(others, wanted.other_build.resolve())
        found[role] = summary(compete(arguments | others, wanted.rounds, folders))
    return found


def lengths(wanted: argparse.Namespace) -> dict[str, Any]:
    """The panel by length of one text, and by number of texts."""
    by_length = {str(n): ("panel", "-", max(1, 2000 // n), n) for n in LENGTHS}
    by_count = {str(n): ("panel", "-", n, TOKENS_A_COUNT) for n in COUNTS}
    print("by length")
    found = {"by_length": summary(compete(by_length, wanted.rounds))}
    print("by number of texts")
    return found | {"by_count": summary(compete(by_count, wanted.rounds))}


def large(wanted: argparse.Namespace) -> dict[str, Any]:
    """Large models: all contestants of one file side by side in memory."""
    found = {}
    for path in wanted.large:
        print(path.name)
        arguments = {way: (way, path.resolve(), wanted.texts, wanted.tokens) for way in LARGE_WAYS}
        found[path.stem] = summary(compete(arguments, wanted.rounds))
    return found


def agreement(_: argparse.Namespace) -> dict[str, Any]:
    """How far the numbers are from a float64 computation."""
    from benchmarks.speed.scoring_agreement import agreement as measured

    return measured(LICENCE)


SECTIONS = {
    "embedded": embedded,
    "builds": builds,
    "lengths": lengths,
    "large": large,
    "agreement": agreement,
}


def machine() -> dict[str, Any]:
    """What the numbers depend on, without the machine's name."""
    import llama_cpp

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    features = llama_cpp.llama_print_system_info().decode()
    return {
        "cores": cores,
        "processor": platform.machine(),
        "llama_cpp_features": features,
        **{name: version(name) for name in LIBRARIES},
    }


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        way, path, n_texts, n_tokens = sys.argv[2:]
        work(way, path, int(n_texts), int(n_tokens))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=400, help="length of each text")
    parser.add_argument("--large", type=Path, nargs="+", default=[], help="GGUF files")
    parser.add_argument("--other-build", type=Path, help="folder with another llama_cpp")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    wanted = parser.parse_args()
    from benchmarks.results import data_of, write_figures  # no contestant's memory may hold what it brings
    from benchmarks.speed.scoring_plots import draw

    path = data_of(wanted.out, "performance")
    for section in wanted.sections:
        measured = SECTIONS[section](wanted)
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if section == "large":  # one file at a time may be measured
            measured = kept.get(section, {}) | measured
        write_figures(path, kept | {"machine": machine(), section: measured})
    draw(path, wanted.out / "images")


if __name__ == "__main__":
    main()
