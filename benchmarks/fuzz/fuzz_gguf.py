"""Fuzz GGUF files: no mutant may crash the user's process.

    python -m benchmarks.fuzz.fuzz_gguf --inputs 5000 --seed 1

Every input is read by a child of its own: the header is checked, the model loaded, texts scored. The children
skip the trial that a user's process makes of unknown files (`models.sandbox.load_check`), so that what only
that trial can find is counted. Whatever killed a child is then read again with the trial, as a user would: no
such reader may die. Inputs are made from small models of several kinds and from the embedded weak one; an
input depends on nothing but the seed and its number, and ``--keep FOLDER`` keeps those that killed.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.fuzzing import Campaign, keep_input
from benchmarks.fuzz.gguf_mutations import mutated
from training.data.make_gguf import Shape, make_gguf

TEXTS = [
    "Some words, naïve — and\n\ttoo: 1,234 of them. 你好 \N{GRINNING FACE} <s> </s> zzyzx " * 3,
    "",
    "one",
]
MEMORY = 6 << 30  # bytes
SECONDS = 60
SCORED, CHECKED, REFUSED, NUMBERS, TRACEBACK = 0, 20, 21, 22, 23
NAMES = {
    SCORED: "scored",
    CHECKED: "refused by the checks",
    REFUSED: "refused by llama.cpp",
    NUMBERS: "refused while scoring",
    TRACEBACK: "another exception",
}
DIED = "... and the process of a user died"
EMBEDDED_EVERY = 50  # inputs; it is a hundred times as large as the others


def read_in_child(path: Path, said: Path, *, trial: bool) -> int:
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
    os.environ["GGML_NO_BACKTRACE"] = "1"
    os.environ["GHOSTBUSTER_CPU_PATH"] = "safe"  # else every new set of tensor types is probed
    os.environ["GHOSTBUSTER_MODEL_TRIAL"] = "yes" if trial else "no"
    try:
        code = _read(path)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        traceback.print_exc()
        code = TRACEBACK
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _read(path: Path) -> int:
    """How far the file gets."""
    from ghostbuster.errors import GhostbusterError
    from ghostbuster.models.gguf.check import check_model
    from ghostbuster.models.llama.language_model import LlamaLM

    code = CHECKED
    try:
        check_model(path)
        code = REFUSED
        model = LlamaLM(path, "weak", n_threads=1)
        code = NUMBERS
        model.score(TEXTS)
    except GhostbusterError as error:
        print(error)
        return code
    return SCORED


def sound_files(folder: Path) -> list[Path]:
    """What the mutations begin with; the embedded model is the last."""
    import ghostbuster

    return [
        make_gguf(folder / "llama.gguf", Shape()),
        make_gguf(folder / "q8.gguf", Shape(quantisation="Q8_0", seed=1)),
        make_gguf(folder / "bpe.gguf", Shape(tokenizer="gpt2")),
        make_gguf(folder / "f32.gguf", Shape(quantisation="F32", heads=8, kv_heads=1, layers=1)),
        make_gguf(folder / "qwen2.gguf", Shape(tokenizer="gpt2"), "qwen2"),
        Path(ghostbuster.__file__).parent / "models" / "weights" / "embedded-weak.gguf",
    ]


def fuzz(folder: Path, n_inputs: int, seed: int, keep: Path | None = None) -> dict[str, int]:
    """Outcomes and how often each came.

    Raises
    ------
    RuntimeError
        When a sound file is not scored.
    """
    from ghostbuster.models.llama import language_model  # noqa: F401 - children are born with it
    from ghostbuster.models.sandbox import load_check  # noqa: F401 - likewise

    tally: Counter[str] = Counter()
    said, path = folder / "said.txt", folder / "input.gguf"
    sound = sound_files(folder)
    for base in sound:
        if read_in_child(base, said, trial=False) != SCORED:
            raise RuntimeError(f"{base} is sound but not scored: {said.read_text(errors='replace')}")
    for i in range(n_inputs):
        base = sound[-1] if i % EMBEDDED_EVERY == EMBEDDED_EVERY - 1 else sound[i % (len(sound) - 1)]
        data, changes = mutated(base, seed * 10_000_000 + i)
        path.write_bytes(data)
        status = read_in_child(path, said, trial=False)
        tally[NAMES.get(status, _death(status))] += 1
        if status in NAMES and status != TRACEBACK:
            continue
        print(f"{i} {base.name} {changes}: {_death(status)}: {_end(said)}", flush=True)
        keep_input(keep, f"{seed}-{i}.gguf", data)
        if status != TRACEBACK:
            as_user = read_in_child(path, said, trial=True)
            tally["... and refused by the trial" if as_user == REFUSED else DIED] += 1
    return dict(sorted(tally.items()))


def _death(status: int) -> str:
    if status == TRACEBACK:
        return NAMES[TRACEBACK]
    return f"died of {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"


def _end(said: Path) -> str:
    return said.read_text(errors="replace").strip()[-300:].replace("\n", " / ")


def main() -> None:
    campaign = Campaign(__doc__)
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=shared if shared.is_dir() else None) as name:
        os.environ["GHOSTBUSTER_CACHE"] = name
        tally = fuzz(Path(name), campaign.n_inputs, campaign.seed, campaign.keep)
    campaign.tell(tally)
    if NAMES[TRACEBACK] in tally or DIED in tally:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
