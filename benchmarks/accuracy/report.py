"""Make docs/accuracy.md and its figures anew, of the detector whose held-out scores are given.

    python -m training.detector.train_default --panel standard --corpus CORPUS --held-out HELD_OUT
    python -m training.detector.train_default --panel lite --corpus CORPUS --held-out LITE_HELD_OUT
    python -m benchmarks.accuracy.report HELD_OUT --lite LITE_HELD_OUT --corpus CORPUS -o docs/accuracy.md

What is slow (TF-IDF, zero-shot statistics, texts that are read for it) is kept in ``--results``: a run that
was cut off goes on where it was. ``--readme README.md`` makes the marked section of that page too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.accuracy.report_parts.answers import LITE, asked_of, contenders, lite_answers
from benchmarks.accuracy.report_parts.figures import everything
from benchmarks.accuracy.report_parts.hard import hard_examples
from benchmarks.accuracy.report_parts.page import page
from benchmarks.accuracy.report_parts.readme import readme_section, write_section
from benchmarks.accuracy.report_parts.statistics import zero_shot
from benchmarks.accuracy.unseen import HeldOut
from benchmarks.results import DEFAULT_FOLDER, Results, data_of, write_page
from training.data.read_corpus import Corpus

NEWER = "newer-features"


def logger() -> Callable[[str], None]:
    """Tells on standard error what is being done, and when."""
    begun = time.monotonic()
    return lambda line: print(f"{time.monotonic() - begun:6.0f} s  {line}", file=sys.stderr, flush=True)


def measured(options: argparse.Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """All figures."""
    results = Results(options.results)
    held_out = HeldOut.open(options.held_out)
    corpus = Corpus.open(options.corpus)
    asked = asked_of(corpus, held_out)
    statistics = zero_shot(corpus, held_out.rows["key"].tolist(), results, log)
    told = contenders(held_out, asked, statistics, results, log)
    if options.lite is not None:
        told[LITE] = lite_answers(options.lite, held_out)
    found = everything(asked, told, log, results)
    found["hard"] = hard_examples(asked, told)
    if options.more is not None:
        found["more"] = json.loads(options.more.read_text("utf-8"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("held_out", type=Path, help="written by train_default --held-out")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--lite", type=Path, help="held-out scores of lite, of the same corpus")
    parser.add_argument("--more", type=Path, help="figures of benchmarks.accuracy.left_out")
    parser.add_argument("--readme", type=Path, help="a page whose marked section is made too")
    parser.add_argument("--results", type=Path, default=DEFAULT_FOLDER, help="where slow results are kept")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/accuracy.md"))
    options = parser.parse_args()
    found = measured(options, logger())
    docs = options.out.parent
    newer = data_of(docs, NEWER)
    known = json.loads(newer.read_text("utf-8")) if newer.is_file() else None
    write_page(docs, options.out.stem, found, page(found, known))
    print(f"wrote {options.out}")
    if options.readme is not None:
        write_section(options.readme, readme_section(found))
        print(f"wrote the section of {options.readme}")


if __name__ == "__main__":
    main()
