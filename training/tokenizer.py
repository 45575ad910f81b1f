"""Train the SentencePiece tokenizer that both language models and the n-grams share.

python training/tokenizer.py --runs RUNS
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
from mix import WEIGHTS

N_PIECES = 4096
SAMPLE_CHARACTERS = 30_000_000


def sample(corpus: Path, n_characters: int) -> Iterator[str]:
    """Draw paragraphs of every source, in proportion to its tokens in the mix."""
    draw = random.Random(0)  # noqa: S311 (a sample, no secret)
    sizes = {name: (corpus / f"{name}.txt").stat().st_size * WEIGHTS[name] for name in WEIGHTS}
    total = sum(sizes.values())
    for name, weight in WEIGHTS.items():
        fraction = min(1.0, weight * n_characters / total)
        with (corpus / f"{name}.txt").open(encoding="utf-8") as lines:
            for line in lines:
                if len(line) > 1 and draw.random() < fraction:
                    yield line.rstrip("\n")


def train(corpus: Path, out: Path) -> None:
    """Write ``tokenizer.model`` and ``tokenizer.vocab`` into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sample(corpus, SAMPLE_CHARACTERS),
        model_prefix=str(out / "tokenizer"),
        model_type="bpe",
        vocab_size=N_PIECES,
        character_coverage=0.9996,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        add_dummy_prefix=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        max_sentence_length=20_000,
        num_threads=2,
        minloglevel=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="holds corpus/; gets tokenizer/")
    options = parser.parse_args()
    train(options.runs / "corpus", options.runs / "tokenizer")


if __name__ == "__main__":
    main()
