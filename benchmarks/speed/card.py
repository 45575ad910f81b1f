"""Benchmark the engine on a graphics card, in short steps that can be interrupted and resumed.

    python -m benchmarks.speed.card --state STATE --out OUT STEP...

STATE holds the model files and what was measured between two commands: a step that is done is not done
again, unless --again says so. OUT gets ``card.json``: everything measured so far.

* ``facts``: the card, the libraries, what llama.cpp sees;
* ``make:SHAPE``: files of that shape with random weights, in every kind of `KINDS`;
* ``speed:FILE``: one file of STATE (without its ending): the engine, the limit of the build (logits of the
  last token only), all logits unread, and transformers in bf16 at its best batch size;
* ``pair:WEAK:STRONG``: both models in memory, cross channels too;
* ``agreement`` or ``agreement:NAME``: the embedded models and the shipped detector on the card against the
  CPU. NAME is for you, where variables of the environment change what the card computes.

Contestants run one after the other, each in its own process, so the memory of the card is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.speed import scoring
from benchmarks.speed.card_agreement import compared
from benchmarks.speed.card_contestants import CONTESTANTS, run_pair, run_way
from ghostbuster.models.backend import build
from training.data.make_gguf import Shape, make_gguf, requantise

SHAPES = {
    "tinyllama-1.1b": Shape(32000, 2048, 22, 32, 4, 5632, 2048, alike=1),
    "llama-2-7b": Shape(32000, 4096, 32, 32, 32, 11008, 4096, alike=1),
    "toy-weak": Shape(512, 64, 2, 4, 2, 128, 256, alike=1),
    "toy-strong": Shape(512, 128, 2, 4, 4, 256, 256, alike=1),
}
KINDS = ("Q8_0", "Q4_K_M")  # beside F16
LIBRARIES = ("llama-cpp-python", "numpy", "torch", "transformers", "gguf")
Table = dict[str, Any]


def facts(_: argparse.Namespace) -> Table:
    """What everything else depends on, without the machine's name."""
    found: Table = {"python": sys.version.split()[0], "offload": build.can_offload()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    found["devices"] = [
        {"name": d.name, "description": d.description, "kind": d.kind, "mb": d.memory >> 20}
        for d in build.devices()
    ]
    found["llama_cpp"] = build.system_info()
    found["nvidia_smi"] = query("name,driver_version,memory.total")
    return found


def make(job: argparse.Namespace, shape: str) -> Table:
    """Write the files that are not there yet."""
    began = time.monotonic()
    first = job.state / f"{shape}.gguf"
    if not first.exists():
        make_gguf(first.with_suffix(".tmp"), SHAPES[shape]).replace(first)
    made = [first]
    for kind in job.kinds:
        path = job.state / f"{shape}-{kind.lower()}.gguf"
        done = path.with_suffix(".done")  # llama.cpp writes in place: a broken run leaves half a file
        if not done.exists():
            requantise(first, kind)
            done.touch()
        made.append(path)
    sizes = {path.name: path.stat().st_size for path in made}
    return {"bytes": sizes, "seconds": round(time.monotonic() - began, 1)}


def speed(job: argparse.Namespace, file: str) -> Table:
    """One file under every contestant; transformers reads F16 files only, whose weights it shares."""
    path = job.state / f"{file}.gguf"
    ways = [way for way in CONTESTANTS if way != "torch" or (job.torch and file in SHAPES)]
    return contest(job, {way: (way, path) for way in ways})


def pair(job: argparse.Namespace, weak: str, strong: str) -> Table:
    """Both models at once, against the limits of each added up."""
    paths = [job.state / f"{name}.gguf" for name in (weak, strong)]
    arguments = {"limit": ("limit-pair", *paths), "engine": ("pair", *paths)}
    return contest(job, arguments)


def contest(job: argparse.Namespace, contestants: dict[str, Sequence[object]]) -> Table:
    """Each contestant alone on the card; medians, ratios to the limit, its memory there."""
    results, notes, memory = {}, {}, {}
    for name, arguments in contestants.items():
        with peak_memory() as used:
            command = [
                sys.executable,
                "-m",
                "benchmarks.speed.card",
                "--work",
                str(job.rounds),
                str(job.texts),
            ]
            command += [str(job.least), str(job.most), *map(str, arguments)]
            child = subprocess.run(command, check=False, capture_output=True, text=True, cwd=scoring.ROOT)
        if child.returncode:
            notes[name] = (child.stderr or child.stdout).strip().splitlines()[-3:]
            print(name, notes[name], flush=True)
            if name == "limit":  # nothing to compare the others with
                raise SystemExit(f"limit {' '.join(map(str, arguments[1:]))} failed: {notes[name]}")
            continue
        results[name] = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
        memory[name] = used()
    table: Table = scoring.summary(results)
    for name, megabytes in memory.items():
        table[name]["card_mb"] = megabytes
    lengths = [job.least, job.most]
    return {"texts": job.texts, "tokens": lengths, "failed": notes, "contestants": table}


def work(arguments: Sequence[str]) -> None:
    """A contestant's process: its rounds, a line of JSON each."""
    rounds, n_texts, least, most, way, *paths = arguments
    model_paths = [Path(path) for path in paths]
    weights = scoring.vocabulary_of(paths[0])
    texts = scoring.passages(weights, int(n_texts), int(most), int(least))
    run, n_tokens = (run_pair if len(paths) > 1 else run_way)(way, model_paths, texts)
    for _ in range(int(rounds)):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        measured = {"wall": wall / n_tokens, "cpu": cpu / n_tokens, "peak": scoring.peak_mb()}
        print(json.dumps(measured | {"note": getattr(run, "note", "")}), flush=True)


def agreement(job: argparse.Namespace, _name: str = "") -> Table:
    """The embedded models and the shipped detector on the card against the CPU."""
    return compared(job.data, job.agreement_texts)


@contextmanager
def peak_memory() -> Iterator[Callable[[], int | None]]:
    """The most that the card's memory in use rose, MB; None without a card."""
    before, seen, done = used_mb(), [], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            seen.append(used_mb())

    watcher = threading.Thread(target=watch)
    if before is not None:
        watcher.start()
    try:
        yield (
            lambda: (
                None
                if before is None
                else max([mb for mb in seen if mb is not None], default=before) - before
            )
        )
    finally:
        done.set()
        if before is not None:
            watcher.join()


def used_mb() -> int | None:
    """Memory of the first card in use."""
    found = query("memory.used")
    return int(found.split()[0]) if found else None


def query(what: str) -> str | None:
    """What nvidia-smi says of the first card."""
    command = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.splitlines()[0].strip()


STEPS: dict[str, Callable[..., Table]] = {
    "facts": facts,
    "make": make,
    "speed": speed,
    "pair": pair,
    "agreement": agreement,
}


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="+", metavar="STEP")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--least", type=int, default=100, help="tokens of the shortest text")
    parser.add_argument("--most", type=int, default=2000, help="tokens of the longest text")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--torch", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--data", type=Path, help="labelled texts for agreement; the licence if not given")
    parser.add_argument(
        "--agreement-texts", type=int, default=100, help="of each class and file, or passages"
    )
    parser.add_argument("--again", action="store_true")
    job = parser.parse_args()
    calls = [(step, *rest) for step, *rest in (step.split(":") for step in job.steps)]
    for step, *_ in calls:
        if step not in STEPS:
            raise SystemExit(f"{step}: no such step; expected one of {', '.join(STEPS)}")
    for folder in (job.state, job.out):
        folder.mkdir(parents=True, exist_ok=True)
    kept = job.state / "card.json"  # what earlier commands measured goes back with the last one
    report: Table = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for step, *rest in calls:
        name = ":".join([step, *rest])
        if name in report and not job.again:
            continue
        report[name] = STEPS[step](job, *rest)
        print(json.dumps({name: report[name]}), flush=True)
        for path in (kept, job.out / "card.json"):
            path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
