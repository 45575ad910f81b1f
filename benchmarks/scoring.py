"""Measure how fast texts are scored, against what llama.cpp could do at best and against the usual ways.

Every contestant lives in its own process; rounds are interleaved, so that a busy machine disturbs all alike.
Printed are medians over the rounds: tokens a second, microseconds of CPU a token, and the median of the
ratio to the limit in each round. Contestants of a model:

* ``engine``: this package, one model, four statistics a token;
* ``limit``: llama.cpp's prompt rate, the same windows, logits of the last token only, on as many threads;
* ``eval``: ``Llama.eval`` with all logits, then the four statistics in plain numpy;
* ``completion``: ``create_completion(echo=True, logprobs=1)``, log-probs only.

``panel`` scores with both models, their cross statistics and the n-grams in one pass.

    python benchmarks/scoring.py --rounds 5 --texts 8
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ghostbuster.models.panel import open_panel

ROLES = ("weak", "strong")
WAYS = ("limit", "engine", "eval", "completion")
CONTESTANTS = (*(f"{way}-{role}" for role in ROLES for way in WAYS), "panel")
LICENCE = Path(__file__).parent.parent / "LICENSE"

Run = Callable[[], object]


def passages(path: Path, n_texts: int, n_characters: int) -> list[str]:
    """``n_texts`` passages, from the start again where the file ends."""
    text = " ".join(path.read_text("utf-8").split())
    text *= -(-n_texts * n_characters // len(text))
    return [text[i * n_characters : (i + 1) * n_characters] for i in range(n_texts)]


def prepare(contestant: str, panel_files: tuple[str, str] | None, texts: list[str]) -> tuple[Run, int]:
    """What one round runs, and the tokens that it scores."""
    weak, strong = panel_files or (None, None)
    panel = open_panel("embedded", weak, strong)
    if contestant == "panel":
        n_tokens = panel.weak.weights.tokenise(texts).ids.size
        return lambda: panel.score(texts), n_tokens
    way, role = contestant.split("-")
    model = getattr(panel, role)
    tokens = model.weights.tokenise(texts)
    ids = [tokens.ids[a:b] for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)]
    too_long = max(one.size for one in ids) >= model.n_context
    if too_long and way != "engine":
        raise SystemExit(f"texts of up to {model.n_context - 1} tokens are wanted: lower --characters")
    run: dict[str, Callable[[], Run]] = {
        "engine": lambda: lambda: model.score(texts),
        "limit": lambda: limit(model, ids),
        "eval": lambda: evaluation(model, ids),
        "completion": lambda: completion(model, texts),
    }
    return run[way](), tokens.ids.size


def limit(model: object, ids: list[np.ndarray]) -> Run:
    """Decodes alone, spread over threads as the engine spreads them, logits of the last token only."""
    from concurrent.futures import ThreadPoolExecutor

    lanes = model.contexts(model.n_threads, 1)
    begin = np.array([model.file.begin], np.int32)

    def share(i: int) -> None:
        for one in ids[i :: len(lanes)]:
            inputs = np.concatenate((begin, one[:-1]))
            lanes[i].clear()
            for start in range(0, inputs.size, 512):
                part = inputs[start : start + 512]
                lanes[i].read(part, start, part.size - 1)

    pool = ThreadPoolExecutor(len(lanes))
    return lambda: list(pool.map(share, range(len(lanes))))


def evaluation(model: object, ids: list[np.ndarray]) -> Run:
    """The high-level class with all logits, and the statistics as one would write them."""
    from llama_cpp import Llama

    llama = Llama(str(model.file.path), n_ctx=model.n_context, logits_all=True, verbose=False)
    begin = model.file.begin

    def run() -> None:
        for one in ids:
            llama.reset()
            llama.eval([begin, *one.tolist()])
            logits = llama.scores[: one.size]
            logp = logits - logits.max(axis=1, keepdims=True)
            logp -= np.log(np.exp(logp).sum(axis=1, keepdims=True))
            p, chosen = np.exp(logp), logp[np.arange(one.size), one]
            entropy = -(p * logp).sum(axis=1)
            (p * logp**2).sum(axis=1) - entropy**2
            (logp > chosen[:, None]).sum(axis=1)

    return run


def completion(model: object, texts: list[str]) -> Run:
    """The high-level class asked to echo the prompt with log-probs."""
    from llama_cpp import Llama

    llama = Llama(str(model.file.path), n_ctx=model.n_context, logits_all=True, verbose=False)
    return lambda: [llama.create_completion(t, max_tokens=1, echo=True, logprobs=1) for t in texts]


def work(contestant: str, files: tuple[str, str] | None, texts: list[str]) -> None:
    """A contestant's process: one round for each line read."""
    run, n_tokens = prepare(contestant, files, texts)
    run()
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wall": wall / n_tokens, "cpu": cpu / n_tokens, "peak": peak}), flush=True)


def compete(contestants: list[str], rounds: int, arguments: list[str]) -> dict[str, list[dict[str, float]]]:
    """Start every contestant, let them run in turn."""
    children = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--work", name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in contestants
    }
    results: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, child in children.items():
            if child.poll() is not None:
                continue
            print("go", file=child.stdin, flush=True)
            if line := child.stdout.readline():
                results[name].append(json.loads(line))
    for name, child in children.items():
        child.stdin.close()
        if child.wait():
            print(f"{name}: its process ended with {child.returncode}", file=sys.stderr)
    return results


def report(results: dict[str, list[dict[str, float]]]) -> None:
    """One line a contestant."""
    columns = ("", "tokens/s", "CPU us/token", "of the limit", "by CPU", "peak MB")
    print("{:18} {:>9} {:>13} {:>13} {:>8} {:>8}".format(*columns))
    for name, rounds in results.items():
        if not rounds:
            continue
        wall, cpu, peak = (np.array([r[key] for r in rounds]) for key in ("wall", "cpu", "peak"))
        ratios = ["", ""]
        bound = results.get(f"limit-{name.split('-')[-1]}")
        if bound and len(bound) == len(rounds):
            ratios = [
                f"{np.median(np.array([r[key] for r in bound]) / mine):.3f}"
                for key, mine in (("wall", wall), ("cpu", cpu))
            ]
        speed = f"{1 / np.median(wall):9.0f} {1e6 * np.median(cpu):13.1f}"
        print(f"{name:18} {speed} {ratios[0]:>13} {ratios[1]:>8} {peak.max():8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--characters", type=int, default=1200, help="length of each text")
    parser.add_argument("--file", type=Path, default=LICENCE, help="where the texts are cut from")
    parser.add_argument("--models", nargs=2, metavar=("WEAK", "STRONG"), help="GGUF files, else the embedded")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--work", choices=CONTESTANTS, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    texts = passages(wanted.file, wanted.texts, wanted.characters)
    if wanted.work:
        work(wanted.work, tuple(wanted.models) if wanted.models else None, texts)
        return
    arguments = [
        "--texts",
        str(wanted.texts),
        "--characters",
        str(wanted.characters),
        "--file",
        str(wanted.file),
    ]
    arguments += ["--models", *wanted.models] if wanted.models else []
    report(compete(wanted.only, wanted.rounds, arguments))


if __name__ == "__main__":
    main()
