"""Record what PyTorch reads with SmolLM2's weights, for tests/data/golden_smollm2.json.

    python -m training.lm.make_golden_smollm2 --original SmolLM2-135M-Instruct.Q4_1.gguf --out FILE

transformers dequantises the GGUF file by a reader of its own and computes in float32. Needs
``pip install torch transformers gguf accelerate``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BEGIN = 1  # <|im_start|>, the begin token that the file names
LAYERS = (0, 10, 18, 26)
SENTENCES = (
    # Jane Austen, Pride and Prejudice (1813): public domain
    (
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be "
        "in want of a wife. However little known the feelings or views of such a man may be on his first "
        "entering a neighbourhood, this truth is so well fixed in the minds of the surrounding families, "
        "that he is considered as the rightful property of some one or other of their daughters."
    ),
    # written for this test
    'On 17 March 1998 she asked, "Why 3.5 percent?" - nobody answered; the WHOLE café was silent.',
    "Zażółć gęślą jaźń \u2603 \U0001f600 naïve <|im_end|> a_b @user #1 x=y*z",
    "ok",
)


@torch.no_grad()
def golden(original: Path) -> dict[str, Any]:
    """By text: ids, log-prob and entropy (nats), rank; mean outputs of some layers, without begin token."""
    folder, name = original.parent, original.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    network = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    records = []
    for text in SENTENCES:
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        out = network(torch.tensor([[BEGIN, *ids]]), output_hidden_states=True)
        logp = out.logits[0, :-1].log_softmax(-1)
        chosen = logp.gather(1, torch.tensor(ids)[:, None])
        record: dict[str, Any] = {
            "text": text,
            "ids": ids,
            "logprob": [round(value, 5) for value in chosen[:, 0].tolist()],
            "entropy": [round(value, 5) for value in (-(logp.exp() * logp).sum(1)).tolist()],
            "rank": (1 + (logp > chosen).sum(1)).tolist(),
        }
        if len(ids) > 1:  # hidden_states[0] is the embedding; the last token is never read in scoring
            means = [out.hidden_states[layer + 1][0, 1:-1].mean(0).tolist() for layer in LAYERS]
            record["states"] = [[round(value, 3) for value in mean] for mean in means]
        records.append(record)
    return {"layers": LAYERS, "texts": records}


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--original", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(json.dumps(golden(options.original), ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
