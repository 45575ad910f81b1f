"""Train on a GPU machine that is available for minutes at a time: every step can be interrupted and resumed.

    python training/lm/gpu_job.py --state STATE --carried FOLDER --out OUT STEP...

STATE stays on that machine between two commands, FOLDER is what came with this one, OUT is what goes back.
Steps, done in turn (MODEL is a file in training/lm/configs without its ending, or a path):

* ``receive``: take up pieces of the corpus (`packing`) and parts of checkpoints (`checkpoints`);
* ``predict:MODEL:SECONDS:MINUTES``: short runs of so many seconds, one a number of rows at once: speed, and
  tokens and loss after MINUTES; the quickest is what training takes from then on;
* ``hold:MODEL:MINUTES``: train on, with the rate at its height;
* ``finish:MODEL:MINUTES``: train on, and let the rate fall over the last part;
* ``send:MODEL``: the newest checkpoint's weights into OUT, in parts;
* ``export:MODEL``: GGUF files of every quantisation, and their bits per character.

Training goes on from STATE's own checkpoint, from parts that were received, or from nothing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import curves
import exports
import packing
from model import read_config

HERE = Path(__file__).parent
SPARE_SECONDS = 90  # beyond a run's time, for start and end; then it is stopped from outside


def receive(job: argparse.Namespace) -> dict[str, Any]:
    """Copy what was carried; unpack the corpus anew if pieces have come."""
    pieces, parts = job.state / "pieces", job.state / "parts"
    came = []
    for folder, pattern in ((pieces, "piece-*.zip"), (parts, "*.part-*")):
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(job.carried.glob(pattern)):
            stem, _, number = path.name.rpartition(".part-")
            for old in folder.glob(f"{stem}.part-*") if stem else ():
                if old.name.rpartition("-of-")[2] != number.rpartition("-of-")[2]:
                    old.unlink()  # of another checkpoint
            if not (folder / path.name).exists() or pattern != "piece-*.zip":
                shutil.copy(path, folder / path.name)
                came.append(path.name)
    if (job.carried / "base.zip").exists():
        with zipfile.ZipFile(job.carried / "base.zip") as base:
            base.extractall(job.state)
    counts = {}
    if any(name.startswith("piece-") for name in came):
        counts = packing.unpack(sorted(pieces.glob("piece-*.zip")), job.state / "shards", job.workers)
    return {"came": came, "tokens": counts, "all": sum(counts.values())}


def config_of(model: str) -> Path:
    """The TOML that a model's name means."""
    path = Path(model)
    return path if path.suffix == ".toml" else HERE / "configs" / f"{model}.toml"


def run_trainer(job: argparse.Namespace, model: str, seconds: float, *options: str) -> Path:
    """Train in a process of its own, stopped from outside if it does not end; return its log."""
    config = config_of(model)
    log = job.state / f"{read_config(config)['name']}.log"
    command = [sys.executable, "-u", str(HERE / "train_lm.py"), str(config), "--runs", str(job.state)]
    command += ["--minutes", str(seconds / 60), *job.trainer, *options]
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(command[2:])}\n")
        out.flush()
        try:
            code = subprocess.run(
                command, check=False, stderr=out, timeout=seconds + SPARE_SECONDS
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
    shutil.copy(log, job.out / log.name)
    if code:
        tail = log.read_text(encoding="utf-8").splitlines()[-15:]
        print("\n".join([f"{log.name}: the trainer ended with {code}", *tail]), flush=True)
    return log


def newest(state: Path, name: str) -> Path | None:
    """The checkpoint to go on from."""
    found = [path for kind in ("final", "last") if (path := state / name / f"{kind}.pt").exists()]
    parts = sorted((state / "parts").glob(f"{name}.part-*"))
    if parts and checkpoints.complete(parts):
        found.append(parts[0])
    return found[0] if found else None


def train(job: argparse.Namespace, model: str, minutes: str, *, hold: bool) -> dict[str, Any]:
    """Train on, unless it is finished."""
    name = read_config(config_of(model))["name"]
    before = newest(job.state, name)
    if before is not None and before.name == "final.pt":
        return {"note": f"{before} is there: finished before"}
    options = ["--hold"] if hold else []
    options += ["--resume", str(before)] if before else []
    predicted = job.state / f"{name}.rows_at_once"
    if predicted.exists():
        options += ["--set", f"rows_at_once={predicted.read_text(encoding='utf-8')}"]
    log = run_trainer(job, model, float(minutes) * 60, *options)
    told = curves.read(log)
    last = {"tokens": told.tokens[-1], "loss": told.losses[-1]} if told.tokens else {}
    return {"from": str(before), "checkpoint": str(newest(job.state, name)), **last}


def predict(job: argparse.Namespace, model: str, seconds: str, minutes: str) -> dict[str, Any]:
    """Speed by rows at once; tokens and loss that the quickest would reach."""
    config = read_config(config_of(model))
    rows = config["training"]["rows"]
    tried = {}
    for at_once in sorted({max(1, rows // 2), rows}):
        name = f"predict-{config['name']}-{at_once}"
        log = job.state / f"{config['name']}.log"
        start = log.stat().st_size if log.exists() else 0
        run_trainer(
            job,
            model,
            float(seconds),
            "--name",
            name,
            "--hold",
            "--tell",
            "4",
            "--set",
            f"rows_at_once={at_once}",
        )
        tried[at_once] = curves.read(log, start)
    speeds = {at_once: curve.speed for at_once, curve in tried.items()}
    best = max(speeds, key=lambda at_once: speeds[at_once])
    (job.state / f"{config['name']}.rows_at_once").write_text(str(best), encoding="utf-8")
    tokens = speeds[best] * float(minutes) * 60
    return {
        "tokens_per_second": speeds,
        "rows_at_once": best,
        "minutes": float(minutes),
        "tokens": tokens,
        "loss": tried[best].loss_after(tokens),
    }


def send(job: argparse.Namespace, model: str) -> dict[str, Any]:
    """Put the newest weights into OUT."""
    name = read_config(config_of(model))["name"]
    checkpoint = newest(job.state, name)
    if checkpoint is None:
        raise SystemExit(f"{job.state}: no checkpoint of {name}; train it first")
    made = checkpoints.send(checkpoints.load(checkpoint), job.out, name, job.part_bytes)
    return {"checkpoint": str(checkpoint), "parts": {path.name: path.stat().st_size for path in made}}


def export(job: argparse.Namespace, model: str) -> dict[str, Any]:
    """Write and measure the GGUF files."""
    name = read_config(config_of(model))["name"]
    checkpoint = newest(job.state, name)
    if checkpoint is None:
        raise SystemExit(f"{job.state}: no checkpoint of {name}; train it first")
    return exports.measured(checkpoint, job.state, name, job.limit)


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "receive": receive,
    "predict": predict,
    "hold": lambda job, model, minutes: train(job, model, minutes, hold=True),
    "finish": lambda job, model, minutes: train(job, model, minutes, hold=False),
    "send": send,
    "export": export,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="+", metavar="STEP")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--carried", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--part-bytes", type=int, default=checkpoints.PART_BYTES)
    parser.add_argument("--limit", type=int, default=10**9, help="characters of each register to measure")
    parser.add_argument("--trainer", type=str.split, default=[], help="more options of train_lm.py")
    job = parser.parse_args()
    calls = [(step, *rest) for step, *rest in (step.split(":") for step in job.steps)]
    for step, *_ in calls:
        if step not in STEPS:
            raise SystemExit(f"{step}: no such step; expected one of {', '.join(STEPS)}")
    for folder in (job.state, job.out):
        folder.mkdir(parents=True, exist_ok=True)
    report = []
    for step, *rest in calls:
        began = time.monotonic()
        found = STEPS[step](job, *rest)
        report.append(
            {"step": ":".join([step, *rest]), "seconds": round(time.monotonic() - began, 1), **found}
        )
        print(json.dumps(report[-1]), flush=True)
        (job.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
