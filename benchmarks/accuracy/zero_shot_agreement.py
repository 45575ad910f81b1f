"""SmolLM2 by llama.cpp in each form, against PyTorch's float32 on the dequantised weights of the original.

    python -m benchmarks.accuracy.zero_shot_agreement --data FOLDER --original GGUF --out FILE

On 50 texts: log-probs token by token, means of layers' outputs, and zero-shot statistics, which on PyTorch's
side are those of DetectZoo (log-likelihood, log-rank, LRR, entropy, Fast-DetectGPT, Lastde), an independent
implementation. transformers reads the original GGUF by a reader of its own. ``--forms`` are the other forms
(``ghostbuster models prepare``, or llama.cpp's quantiser). Needs ``pip install torch transformers gguf
accelerate`` and ``pip install --no-deps detectzoo``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ghostbuster.arrays import TokenScores
from ghostbuster.features.align import align
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.panels import SMOLLM2_LAYERS
from ghostbuster.text.prepare import prepare
from training.data.labelled import read_file
from training.data.lengths import cut_to

FILES = ("biscope.dev", "detectrl.multi_domain_test", "l2r.dev_domains", "lastde.matched", "outfox.valid")
TEXTS_A_FILE, WORDS = 10, 50
BEGIN = 1  # <|im_start|>, the begin token that the file names
STATISTICS = {  # DetectZoo's name, the sign of its score, ours
    "log_likelihood": (1, "stat-loglikelihood"),
    "log_rank": (-1, "stat-logrank"),
    "lrr": (1, "stat-lrr"),
    "entropy": (-1, "stat-entropy"),
    "fast_detect_gpt": (1, "stat-fast-detectgpt"),
    "lastde": (1, "stat-lastde"),
}


def texts_of(folder: Path) -> list[str]:
    """The first texts of some files that are long enough, prepared and cut."""
    chosen = []
    for name in FILES:
        rows = read_file(folder / f"{name}.jsonl.xz")
        prepared = (prepare(row.text).text for row in rows if len(row.text.split()) >= WORDS // 2)
        chosen += [cut_to(text, WORDS) for text, _ in zip(prepared, range(TEXTS_A_FILE), strict=False)]
    return chosen


class Pytorch:
    """The original GGUF in transformers, float32, behind the begin token; runs once a text."""

    def __init__(self, original: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder, name = original.parent, original.name
        self.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
        self.network = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32
        ).eval()
        self._known: dict[str, Any] = {}

    @torch.no_grad()
    def read(self, text: str) -> Any:
        """Ids with the begin token, logits and hidden states of a text."""
        if text not in self._known:
            ids = [BEGIN, *self.tokenizer(text, add_special_tokens=False)["input_ids"]]
            out = self.network(torch.tensor([ids]), output_hidden_states=True)
            self._known = {text: (ids, out.logits, out.hidden_states)}
        return self._known[text]


def detectzoo(pytorch: Pytorch) -> dict[str, Any]:
    """DetectZoo's detectors over that network; the package's image and audio parts are left out."""
    root = Path(importlib.util.find_spec("detectzoo").submodule_search_locations[0])  # type: ignore[union-attr,index]
    for name in ("detectzoo", "detectzoo.datasets", "detectzoo.detectors", "detectzoo.detectors.text"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    made = {}
    for name in STATISTICS:
        module = importlib.import_module(f"detectzoo.detectors.text.{name}")
        kind = next(v for k, v in vars(module).items() if k.endswith("Detector") and k != "BaseTextDetector")
        detector = kind(model_name="smollm2")
        vars(detector).update(_model=_Answers(pytorch), _tokenizer=_Asks(pytorch))
        vars(detector).update(reference_model_name=detector.model_name)  # where there could be another
        made[name] = detector
    return made


class _Asks:
    """A tokenizer that puts the begin token first."""

    def __init__(self, pytorch: Pytorch) -> None:
        self._pytorch = pytorch

    def __call__(self, text: str, **_: object) -> Any:
        made = _Batch(input_ids=torch.tensor([self._pytorch.read(text)[0]]))
        made.text = text
        self._pytorch.last = text  # type: ignore[attr-defined]
        return made


class _Batch(dict[str, Any]):
    def to(self, _device: object) -> _Batch:
        return self


class _Answers:
    """A network that gives the logits of the text that was tokenised last."""

    def __init__(self, pytorch: Pytorch) -> None:
        self._pytorch = pytorch

    def __call__(self, **_: object) -> Any:
        return types.SimpleNamespace(logits=self._pytorch.read(self._pytorch.last)[1])  # type: ignore[attr-defined]


def reference(original: Path, texts: Sequence[str]) -> dict[str, Any]:
    """Log-probs, states and statistics of every text by PyTorch and DetectZoo."""
    pytorch = Pytorch(original)
    detectors = detectzoo(pytorch)
    made: dict[str, Any] = {"ids": [], "logprob": [], "states": [], **{name: [] for name in STATISTICS}}
    for text in texts:
        ids, logits, states = pytorch.read(text)
        logp = logits[0, :-1].log_softmax(-1)
        made["ids"].append(ids[1:])
        made["logprob"].append(logp.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].numpy())
        # hidden_states[0] is the embedding; the last one stands behind the final norm
        made["states"].append([states[layer + 1][0, 1:-1].mean(0).numpy() for layer in SMOLLM2_LAYERS])
        for name, (sign, _) in STATISTICS.items():
            made[name].append(sign * detectors[name].predict(text).score)
    return made


def statistics_of(scores: TokenScores, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Our zero-shot statistics on the model's own tokens."""
    known = [(name, Feature.parse(f"{ours} strong")) for name, (_, ours) in STATISTICS.items()]
    vectors = align({"strong": scores}, texts, "token")
    matrix = evaluate_all([feature for _, feature in known], vectors)
    return {name: matrix[:, i] for i, (name, _) in enumerate(known)}


def compared(path: Path, texts: Sequence[str], expected: dict[str, Any]) -> dict[str, Any]:
    """Distances of one form from PyTorch."""
    layers = SMOLLM2_LAYERS
    model = LlamaLM(path, "strong", outputs=Outputs(state_layers=layers))
    scores = model.score(texts)
    tokens = model.weights.tokenise(texts)
    if tokens.ids.tolist() != [token for ids in expected["ids"] for token in ids]:
        raise SystemExit(f"{path}: other tokens than transformers'")
    apart = scores.channels["logprob"] - np.concatenate(expected["logprob"])
    a_text = np.add.reduceat(apart, scores.offsets[:-1]) / np.diff(scores.offsets)
    states = np.array(expected["states"])
    means = np.zeros_like(states) if scores.states is None else scores.states.means.astype(np.float64)
    differing = means - states
    relative = np.linalg.norm(differing, axis=2) / np.linalg.norm(states, axis=2)
    return {
        "tokens": int(apart.size),
        "logprob": {
            "largest": float(np.abs(apart).max()),
            "mean": float(np.abs(apart).mean()),
            "text": float(np.abs(a_text).max()),
        },
        "states": {"largest": float(relative.max()), "mean": float(relative.mean())},
        "statistics": {
            name: {
                "largest": float(np.abs(values - expected[name]).max()),
                "spread": float(np.std(expected[name])),
            }
            for name, values in statistics_of(scores, texts).items()
        },
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of *.jsonl.xz")
    parser.add_argument("--original", type=Path, required=True, help="SmolLM2's GGUF as it comes, Q4_1")
    parser.add_argument("--forms", type=Path, nargs="*", default=[], help="GGUF files of the other forms")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    texts = texts_of(options.data)
    expected = reference(options.original, texts)
    made = {}
    for path in (options.original, *options.forms):
        made[path.name] = compared(path, texts, expected)
        print(path.name, json.dumps(made[path.name]), flush=True)
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
