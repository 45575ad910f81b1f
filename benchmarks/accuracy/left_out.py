"""Ask a detector that has not learned from some sources about texts of theirs that no held-out score is of.

    python -m benchmarks.accuracy.left_out HELD_OUT --corpus FOLDER --out FOLDER

Texts under the attacks of RAID, people's texts with noise, long texts, and texts put together from people's
and machine texts. About 75,000 tokens are read by the panel; what was read is kept in FOLDER, and so is the
detector: a run that was cut off goes on where it was. FOLDER/left-out.json goes into docs/accuracy.md
(``benchmarks.accuracy.report --more``).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.accuracy.left_out_parts.attacked import Reader, drawn, long_texts, under_attacks, under_noise
from benchmarks.accuracy.left_out_parts.detector import detector_without
from benchmarks.accuracy.left_out_parts.mixed import mixed_figures
from benchmarks.accuracy.report import logger
from benchmarks.accuracy.unseen import HeldOut
from benchmarks.results import write_figures
from ghostbuster.artifacts.shipped import shipped
from ghostbuster.detector.artifact import load
from training.data.dataset import DEFAULT_FOLDER as DATA
from training.data.material import read_corpus_material

LEFT_OUT = ("detectrl", "endings", "lastde", "uppsala")
OTHERS = ("comnets", "gede", "outfox", "wetbench")
"""Left out of a second detector, for mixed texts: sources that are harder."""
ATTACKED = ("endings", "lastde", "uppsala")


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    log = logger()
    held_out = HeldOut.open(options.held_out)
    like = load(options.like or shipped("standard"))
    log("opening the corpus")
    material = read_corpus_material(options.corpus, "standard", options.n_texts)
    detector = detector_without(LEFT_OUT, material, held_out, like, options.out, log)
    figures: dict[str, Any] = {"n_texts": len(material.texts), "left_out": list(LEFT_OUT)}
    log("noise")
    figures["noise"] = under_noise(detector, material)
    log("mixed texts")
    second = detector_without(OTHERS, material, held_out, like, options.out, log)
    figures["mixed"] = mixed_figures([(detector, LEFT_OUT), (second, OTHERS)], material)
    reader = Reader(detector.open_panel(), options.out, log)
    write_figures(options.out / "left-out.json", figures)
    texts = drawn(material.texts, ATTACKED, options.machines, options.people)
    figures["attacks"] = under_attacks(detector, texts, reader)
    write_figures(options.out / "left-out.json", figures)
    figures["long"] = long_texts(detector, options.data, options.long, reader)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held_out", type=Path, help="written by train_default --held-out")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is read and found")
    parser.add_argument("--n-texts", type=int, default=8000, help="of the corpus, to learn from")
    parser.add_argument("--like", type=Path, help="a detector whose make is taken, not the shipped one")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of *.jsonl.xz")
    parser.add_argument("--machines", type=int, default=24, help="machine texts to attack")
    parser.add_argument("--people", type=int, default=12, help="people's texts to attack")
    parser.add_argument("--long", type=int, default=12, help="long texts of a class and file")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_figures(options.out / "left-out.json", measured(options))
    print(f"wrote {options.out / 'left-out.json'}")


if __name__ == "__main__":
    main()
