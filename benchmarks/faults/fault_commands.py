"""Commands that fault injection runs, with the small tables that they read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.faults.fault_model import SMALL, put_known_model

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))


@dataclass(frozen=True)
class Command:
    """What is run in a folder, and what it writes there.

    Attributes
    ----------
    arguments : tuple of str
    output : str
        Where it goes, or a pattern.
    also : tuple of str
        Names that may stay beside it.
    replaces : bool
        Whether something older stands there before.
    belongs : str
        Pattern of files that belong to the output, in no known name.
    furnish : callable, optional
        Puts what only this command needs into the folder that it gets.
    in_cache : bool
        Whether its output is in the cache, where processes meet, and where the next run tidies up.
    """

    arguments: tuple[str, ...]
    output: str
    also: tuple[str, ...] = ()
    replaces: bool = True
    belongs: str = ""
    furnish: Callable[[Path], None] | None = None
    in_cache: bool = False


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
    "models pull": Command(
        ("models", "pull", "tinyllama-1.1b", "-q"), "records/tinyllama-1.1b.json", ("hub",), replaces=False
    ),
    "models prepare": Command(
        ("models", "prepare", SMALL, "-q"),
        "cache/models/*-????????????????.json",  # the choice, which is written last
        ("small.gguf", "records"),
        replaces=False,
        belongs="cache/models/*.gguf",
        furnish=put_known_model,
        in_cache=True,
    ),
}


def furnish(folder: Path) -> None:
    """Small tables that every command can work on."""
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
        probabilities = np.repeat([0.0, 0.6], n) + chance.uniform(0, 0.4, 2 * n)
        table = pd.DataFrame({"id": range(2 * n), "probability": probabilities})
        table.to_csv(folder / name, index=False)
    (folder / "one.txt").write_text(good[0], encoding="utf-8")


@contextmanager
def hub() -> Iterator[str]:
    """Address of a stand-in for the hub, in a process of its own: threads would not survive the forks."""
    from hub_server import Hub, serving

    from ghostbuster.models.hub.catalog import CATALOG
    from ghostbuster.models.panels import weights_folder

    model = (weights_folder() / "embedded-weak.gguf").read_bytes()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            with serving(Hub({CATALOG["tinyllama-1.1b"].file: model})) as address:
                os.write(writer, address.encode())
                signal.pause()
        finally:
            os._exit(0)
    try:
        yield os.read(reader, 100).decode()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
