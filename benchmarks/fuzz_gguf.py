"""Mutated GGUF files through the product's own path: does any of them end the process?

    python benchmarks/fuzz_gguf.py --inputs 5000 --seed 1

Every input is read by a child of its own, which checks the header, loads the model and scores a text.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gguf_mutations import mutated
from benchmarks.make_gguf import Shape, make_gguf

TEXT = "A text of some words, naïve — and\n\ttoo: 1,234 of them. 你好 \N{GRINNING FACE} <s> </s> zzyzx " * 3
MEMORY = 6 << 30
SECONDS = 20
SCORED, CHECKED, REFUSED, NUMBERS, TRACEBACK = 0, 20, 21, 22, 23
NAMES = {
    SCORED: "scored",
    CHECKED: "refused by the checks",
    REFUSED: "refused by llama.cpp",
    NUMBERS: "refused while scoring",
    TRACEBACK: "another exception",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one input."""

    seed: int
    base: str
    changes: str
    name: str
    said: str


def read_in_child(path: Path, said: Path) -> int:
    """Exit status of a child that reads the file, negative for a signal."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(SECONDS)
    try:
        code = _read(path)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        traceback.print_exc()
        code = TRACEBACK
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _read(path: Path) -> int:
    from ghostbuster.errors import GhostbusterError
    from ghostbuster.models.architecture import check_model
    from ghostbuster.models.language_model import LlamaLM

    try:
        check_model(path)
    except GhostbusterError as error:
        print(error)
        return CHECKED
    try:
        model = LlamaLM(path, "weak", n_threads=1)
    except GhostbusterError as error:
        print(error)
        return REFUSED
    try:
        model.score([TEXT, "", "one"])
    except GhostbusterError as error:
        print(error)
        return NUMBERS
    return SCORED


def bases(folder: Path, *, embedded: bool) -> list[Path]:
    """Sound files that the mutations begin with."""
    made = [
        make_gguf(folder / "llama.gguf", Shape()),
        make_gguf(folder / "q8.gguf", Shape(quantisation="Q8_0", seed=1)),
        make_gguf(folder / "bpe.gguf", Shape(tokenizer="gpt2")),
        make_gguf(folder / "f32.gguf", Shape(quantisation="F32", heads=8, kv_heads=1, layers=1)),
        make_gguf(folder / "qwen2.gguf", Shape(tokenizer="gpt2"), "qwen2"),
    ]
    if embedded:
        import ghostbuster

        made.append(Path(ghostbuster.__file__).parent / "models" / "weights" / "embedded-weak.gguf")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    from ghostbuster.models import language_model, llama  # noqa: F401 - children are born with them

    started = time.monotonic()
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir="/dev/shm") as name:
        folder = Path(name)
        sound = bases(folder, embedded=True)
        for base in sound:
            status = read_in_child(base, folder / "said")
            print(base.name, NAMES.get(status, status), (folder / "said").read_text(errors="replace")[-300:])
        for i in range(wanted.inputs):
            seed = wanted.seed * 10_000_000 + i
            base = sound[-1] if i % 50 == 0 else sound[i % (len(sound) - 1)]
            data, changes = mutated(base, seed)
            path = folder / "input.gguf"
            path.write_bytes(data)
            status = read_in_child(path, folder / "said")
            what = NAMES.get(status, f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}")
            tally[what] += 1
            if status < 0 or status >= TRACEBACK or status not in NAMES:
                said = (folder / "said").read_text(errors="replace").strip()
                print("!!", seed, base.name, changes, what, "|", said[-400:].replace("\n", " / "), flush=True)
                if wanted.keep:
                    wanted.keep.mkdir(exist_ok=True)
                    (wanted.keep / f"{seed}.gguf").write_bytes(data)
    print(dict(tally), f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
