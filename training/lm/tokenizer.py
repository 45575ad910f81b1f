"""Train the SentencePiece tokenizer that both language models and the n-grams share.

python training/lm/tokenizer.py --runs RUNS [--pieces 8192 --mix whole]
"""

import argparse
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import sentencepiece
from mix import MIXES

SAMPLE_CHARACTERS = 30_000_000


def sample(corpus: Path, weights: Mapping[str, float], n_characters: int) -> Iterator[str]:
    """Draw paragraphs of every source, in proportion to its tokens in the mix."""
    draw = random.Random(0)  # noqa: S311 (a sample, no secret)
    sizes = {name: (corpus / f"{name}.txt").stat().st_size * weights[name] for name in weights}
    total = sum(sizes.values())
    for name, weight in weights.items():
        fraction = min(1.0, weight * n_characters / total)
        with (corpus / f"{name}.txt").open(encoding="utf-8") as lines:
            for line in lines:
                if len(line) > 1 and draw.random() < fraction:
                    yield line.rstrip("\n")


def train(lines: Iterator[str], out: Path, n_pieces: int) -> None:
    """Write ``tokenizer.model`` and ``tokenizer.vocab`` into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_prefix=str(out / "tokenizer"),
        model_type="bpe",
        vocab_size=n_pieces,
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
    parser.add_argument("--out", type=Path, help="RUNS/tokenizer if not given")
    parser.add_argument("--pieces", type=int, default=4096)
    parser.add_argument("--mix", choices=MIXES, default="part")
    parser.add_argument("--characters", type=int, default=SAMPLE_CHARACTERS, help="read of the corpus")
    options = parser.parse_args()
    lines = sample(options.runs / "corpus", MIXES[options.mix], options.characters)
    train(lines, options.out or options.runs / "tokenizer", options.pieces)


if __name__ == "__main__":
    main()
