"""Time and peak memory of text preparation by length: CPU seconds, each size in its own process.

python -m benchmarks.speed.linearity --sizes 1,10 [--shapes prose,word]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import tracemalloc

PROSE = "It was a quiet day, and nobody in the village knew why the old mill had stopped. "

SHAPES = {
    "prose in one line": PROSE,
    "short lines": "word\n",
    "one word": "a",
    "one token repeated": " the",
    "white space": " \n\t",
    "end marks": "!",
    "markdown": "- **[a](http://b)** `c` > # ",
    "tags": "<p><b>",
    "entities": "&amp;",
    "nested entities": "#38;",
    "accents on one letter": "\u0301",
    "accents of other scripts": "\u05b0\u05bc",
    "bidirectional marks": "\u202eab",
    "homoglyphs": "\u0430pple ",
    "mojibake": "\u00c3\u00a9 ",
    "chained mojibake": "\u00c2",
    "lone surrogates": "\ud800",
    "NULs": "\x00",
    "right to left": "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 ",
    "CJK": "\u6f22\u5b57",
    "emoji sequences": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "special tokens": "<s>[INST]</s><|im_end|>",
}
"""What is repeated until the text has its size in characters."""


def text_of(shape: str, n_characters: int) -> str:
    """A text of that shape; nested entities hang on one ampersand, chained mojibake on its last sign."""
    piece = SHAPES[shape]
    body = (piece * (n_characters // len(piece) + 1))[:n_characters]
    if shape == "nested entities":
        return "&" + body
    return body + "\u00a9" if shape == "chained mojibake" else body


def measure(shape: str, megabytes: float) -> tuple[float, float]:
    """CPU seconds, and peak megabytes allocated in a second call."""
    from ghostbuster.text.prepare import prepare

    prepare("caf\u00e9 \u0430pple")  # tables are loaded once
    text = text_of(shape, int(megabytes * 1e6))
    started = time.process_time()
    prepare(text)
    seconds = time.process_time() - started
    tracemalloc.start()
    prepare(text)
    return seconds, tracemalloc.get_traced_memory()[1] / 1e6


def main() -> None:
    """Print a row a shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1,10", help="million characters")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--one", nargs=2, metavar=("SHAPE", "SIZE"), help="measure one, in this process")
    chosen = parser.parse_args()
    if chosen.one:
        print(*measure(chosen.one[0], float(chosen.one[1])))
        return
    sizes = chosen.sizes.split(",")
    print("| shape | " + " | ".join(f"{size} M: s, MB" for size in sizes) + " | time ratio | memory ratio |")
    print("|---|" + "---|" * (len(sizes) + 2))
    for shape in chosen.shapes.split(","):
        found = []
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.speed.linearity", "--one", shape, size]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            found.append((float(answer[0]), float(answer[1])))
        cells = " | ".join(f"{seconds:.2f}, {memory:.0f}" for seconds, memory in found)
        ratios = [found[-1][i] / max(found[0][i], 1e-9) for i in (0, 1)]
        print(f"| {shape} | {cells} | {ratios[0]:.1f} | {ratios[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
