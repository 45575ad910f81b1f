"""How many texts break off at their end, and how long what breaks off is, in each source.

python -m benchmarks.robustness.unfinished --data FOLDER [--out docs]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.accuracy.accuracy_tables import table
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.text import markup
from ghostbuster.text.prepare import MOST_PASSES, STEPS
from training.data.dataset import DEFAULT_FOLDER
from training.data.labelled import read_file

HEADING = """# Sentences that break off

Made by `python -m benchmarks.robustness.unfinished`. In some sources machines' texts were cut at a length,
in others people leave out the last full stop: whether a text ends in one says where it comes from, not who
wrote it. So a last sentence that breaks off is left out before anything is measured, in training as in
scoring, if two sentences and half of the text stay, and the verdict says how many words that were.

What is longer than {longest} words is no sentence that breaks off, but a list or a text without full stops,
and stays: {kept:,} of the {n:,} endings below, which were cut before the rule had that bound (up to {most:,}
words, half of a text). Of the endings {quantiles}.

What it does to verdicts: [mended.md](mended.md).

*AUROC*: of the lack of a last full stop alone, for machine; .5 says nothing.
"""
SHARES = (0.5, 0.9, 0.95, 0.99)


def ending(text: str) -> tuple[bool, int]:
    """Whether a text ends in no full stop, and how many words an unbounded rule would cut."""
    steps = [change for change, _ in STEPS if change is not markup.drop_unfinished_end]
    for _ in range(MOST_PASSES):
        before = text
        for change in steps:
            text, _n = change(text)
        if text == before:
            break
    bound, markup.LONGEST_CUT = markup.LONGEST_CUT, len(text)
    try:
        cut = markup.drop_unfinished_end(text)[1]
    finally:
        markup.LONGEST_CUT = bound
    return not text.rstrip("\"')]").endswith((".", "!", "?")), cut


def report(folder: Path) -> str:
    """The page."""
    found: dict[str, list[tuple[int, bool, int]]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl.xz")):
        name = path.name.removesuffix(".jsonl.xz")
        found[name] = [(row.label, *ending(row.raw)) for row in read_file(path)]
    rows = []
    for name, texts in found.items():
        open_ends = [[is_open for label, is_open, _ in texts if label == side] for side in (0, 1)]
        shares = [float(np.mean(ends)) if ends else float("nan") for ends in open_ends]
        area = f"{0.5 + (shares[1] - shares[0]) / 2:.2f}" if all(open_ends) else ""
        cells = ["" if np.isnan(share) else f"{share:.1%}" for share in shares]
        longer = sum(cut > markup.LONGEST_CUT for _, _, cut in texts)
        rows.append([name, *cells, area, f"{max(cut for _, _, cut in texts):,}", f"{longer:,}"])
    cuts = np.array([cut for texts in found.values() for _, _, cut in texts if cut])
    quantiles = ", ".join(
        f"{share:.0%} have at most {n:.0f} words"
        for share, n in zip(SHARES, np.quantile(cuts, SHARES), strict=True)
    )
    heading = HEADING.format(
        longest=markup.LONGEST_CUT,
        kept=int(np.sum(cuts > markup.LONGEST_CUT)),
        n=cuts.size,
        most=cuts.max(),
        quantiles=quantiles,
    )
    heads = ["file", "people's without a last stop", "machines'", "AUROC", "most words behind", "kept now"]
    return "\n".join([heading, *table(heads, rows), ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    page = options.out / "reliability" / "unfinished.md"
    with atomic_write(page, InputError) as unfinished:
        unfinished.write_text(report(options.data), encoding="utf-8")


if __name__ == "__main__":
    main()
