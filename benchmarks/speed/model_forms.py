"""How fast SmolLM2 is in each form, and how far from its weights computed in float32 by PyTorch.

    python -m benchmarks.speed.model_forms --data FOLDER [--texts 12]

Writes ``docs/data/model-forms.json`` and prints the table of docs/performance.md. Speed is by CPU time on one
thread, so that other programs cost nothing; every form reads the same tokens. ``Q4_0`` and ``Q4_K_M`` are
forms that the package does not use: the table shows why.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.speed.gguf_in_torch import load as load_in_torch
from benchmarks.speed.gguf_in_torch import statistics
from ghostbuster.models.backend.devices import Placement
from ghostbuster.models.backend.library import start
from ghostbuster.models.hub.locate import model_file
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.prepared.forms import FORMS
from training.data.dataset import DEFAULT_FOLDER, Plan, load

TYPES = {name: form.file_type for name, form in FORMS.items()} | {"Q4_0": 2, "Q4_K_M": 15}
CHARACTERS = 1000  # of each text: some 220 tokens
ROUNDS = 2
OUT = Path(__file__).parents[2] / "docs" / "data" / "model-forms.json"
Row = dict[str, Any]


def convert(source: Path, folder: Path) -> dict[str, Path]:
    """The file in every form."""
    llama = start()
    files = {"as it comes": source}
    for name, file_type in TYPES.items():
        settings = llama.llama_model_quantize_default_params()
        settings.ftype, settings.allow_requantize = file_type, True
        files[name] = folder / f"{name}.gguf"
        paths = os.fsencode(source), os.fsencode(files[name])
        if llama.llama_model_quantize(*paths, ctypes.byref(settings)):
            raise SystemExit(f"{name}: not converted")
    return files


def reference(source: Path, texts: Sequence[str]) -> list[np.ndarray]:
    """Log-probs of every text's tokens by the dequantised weights in float32."""
    model = LlamaLM(source, "strong", wanted=Placement(device="cpu", cpu_path="safe"))
    tokens = model.weights.tokenise(texts)
    network = load_in_torch(source, torch.float32)
    bounds = zip(tokens.offsets, tokens.offsets[1:], strict=False)
    return [statistics(network, [tokens.ids[a:b]], model.file.begin)[0][0] for a, b in bounds]


def measured(
    files: Mapping[str, Path], texts: Sequence[str], path: str
) -> dict[str, tuple[np.ndarray, float]]:
    """Log-probs and tokens a CPU second of each form; the forms take turns in each round."""
    models = {
        name: LlamaLM(file, "strong", n_threads=1, wanted=Placement(device="cpu", cpu_path=path))
        for name, file in files.items()
    }
    found: dict[str, tuple[np.ndarray, float]] = {}
    for _ in range(ROUNDS):
        for name, model in models.items():
            started = time.process_time()
            logprob = model.score(texts).channels["logprob"]
            speed = logprob.size / (time.process_time() - started)
            found[name] = logprob, max(speed, found.get(name, (logprob, 0.0))[1])
    for model in models.values():
        model.close()
    return found


def distances(logprobs: np.ndarray, wanted: Sequence[np.ndarray]) -> Row:
    """Of texts' means and of tokens, in nats."""
    bounds = np.cumsum([one.size for one in wanted])[:-1]
    apart = [a - b for a, b in zip(np.split(logprobs, bounds), wanted, strict=True)]
    every = np.abs(np.concatenate(apart))
    texts = np.array([one.mean() for one in apart])
    return {
        "bias": float(texts.mean()),
        "text_mean": float(np.abs(texts).mean()),
        "text_worst": float(np.abs(texts).max()),
        "token_mean": float(every.mean()),
        "token_worst": float(every.max()),
    }


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    titles = (
        "form",
        "MB",
        "tokens/s of one core",
        "mean log-prob",
        "a text's mean moves by, at worst",
        "a token moves by, at worst",
    )
    lines = [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for row in rows:
        far = row["from_float32"]
        lines.append(
            f"| {row['form']} | {row['megabytes']:.0f} | {row['tokens_per_cpu_second']:.0f} "
            f"| {row['mean_logprob']:.4f} | {far['text_mean']:.4f}, {far['text_worst']:.4f} "
            f"| {far['token_mean']:.3f}, {far['token_worst']:.2f} |"
        )
    return "\n".join(lines)


def sample(folder: Path, n_texts: int) -> list[str]:
    """Beginnings of texts of both classes and all files, the same at every run."""
    texts = [one.text for one in load(folder, Plan(per_class=20), log=lambda _: None)]
    long = sorted(text for text in texts if len(text) >= CHARACTERS)
    chosen = np.random.default_rng(0).choice(len(long), n_texts, replace=False)
    return [long[i][:CHARACTERS] for i in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--texts", type=int, default=12)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    texts = sample(options.data, options.texts)
    source = model_file("smollm2-135m")
    wanted = reference(source, texts)
    with tempfile.TemporaryDirectory() as folder:
        files = convert(source, Path(folder))
        found = measured(files, texts, "safe")
        fast = {name: file for name, file in files.items() if name in {"as it comes", "Q8_0"}}
        found |= {f"{name}, fast path": row for name, row in measured(fast, texts, "fast").items()}
        sizes = {name: file.stat().st_size for name, file in files.items()}
    original = np.split(found["as it comes"][0], np.cumsum([one.size for one in wanted])[:-1])
    rows = [
        {
            "form": name,
            "megabytes": sizes[name.removesuffix(", fast path")] / 1e6,
            "tokens_per_cpu_second": speed,
            "mean_logprob": float(logprobs.mean()),
            "from_float32": distances(logprobs, wanted),
            "from_the_file": distances(logprobs, original),
        }
        for name, (logprobs, speed) in found.items()
    ]
    content = {"texts": len(texts), "tokens": int(sum(one.size for one in wanted)), "forms": rows}
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
