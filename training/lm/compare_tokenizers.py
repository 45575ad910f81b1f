"""Check that llama.cpp and SentencePiece tokenise every paragraph of some files alike.

python training/lm/compare_tokenizers.py RUNS/tokenizer/tokenizer.model MODEL.gguf FILE...
"""

import argparse
import sys
from pathlib import Path

import sentencepiece

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
from reading_gguf import Reader


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=10**9, help="paragraphs a file")
    options = parser.parse_args()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(options.tokenizer))
    n = different = 0
    with Reader(options.gguf) as reader:
        for path in options.files:
            for text in path.read_text(encoding="utf-8").splitlines()[: options.limit]:
                n += 1
                if text and processor.encode(text) != reader.tokenise(text):
                    different += 1
                    print(f"{path}: {text[:200]!r}", file=sys.stderr)
    print(f"{n} paragraphs, {different} cut differently")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
