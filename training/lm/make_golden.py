"""Record PyTorch's float32 log-probs of a few sentences, the reference values of tests/data/golden.json.

python training/lm/make_golden.py --runs RUNS --out tests/data/golden.json
"""

import argparse
import json
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from model import Llama, Shape

MODELS = ("embedded-weak", "embedded-strong")
SENTENCES = (
    # Jane Austen, Pride and Prejudice (1813): public domain
    (
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be "
        "in want of a wife. However little known the feelings or views of such a man may be on his first "
        "entering a neighbourhood, this truth is so well fixed in the minds of the surrounding families, "
        "that he is considered as the rightful property of some one or other of their daughters."
    ),
    # written for this test: digits, quotes, capitals, a dash, letters and signs outside the vocabulary
    'On 17 March 1998 she asked, "Why 3.5 percent?" - nobody answered; the WHOLE café was silent.',
    "Zażółć gęślą jaźń \u2603 \U0001f600 naïve <s> </s> <unk> a_b @user #1 x=y*z",
    "ok",
)


@torch.no_grad()
def record(model: Llama, ids: list[int], bos: int) -> dict[str, list[float] | list[int]]:
    """Log-prob (nats), rank (1 is the likeliest) and entropy (nats) of every token."""
    logprobs = model(torch.tensor([[bos, *ids[:-1]]]))[0].log_softmax(-1)
    chosen = logprobs.gather(1, torch.tensor(ids)[:, None])
    return {
        "logprob": [round(value, 6) for value in chosen[:, 0].tolist()],
        "rank": (1 + (logprobs > chosen).sum(1)).tolist(),
        "entropy": [round(value, 6) for value in (-(logprobs.exp() * logprobs).sum(1)).tolist()],
    }


def golden(runs: Path) -> list[dict[str, Any]]:
    """One record a sentence: text, ids, and the figures of each model."""
    tokenizer = runs / "tokenizer" / "tokenizer.model"
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    models = {}
    for name in MODELS:
        state = torch.load(runs / name / "final.pt", map_location="cpu", weights_only=True)
        models[name] = Llama(Shape(**state["config"]["model"]))
        models[name].load_state_dict(state["model"])
    records = []
    for text in SENTENCES:
        ids = processor.encode(text)
        figures = {name: record(model, ids, processor.bos_id()) for name, model in models.items()}
        records.append({"text": text, "ids": ids, "models": figures})
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    text = json.dumps(golden(options.runs), ensure_ascii=True)
    options.out.write_text(text.replace('{"text"', '\n{"text"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
