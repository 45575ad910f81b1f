"""Share of attacked texts that canonicalisation restores or reports; no language model is loaded.

    python -m benchmarks.robustness.undone [--per-file 40] [--out docs]

Half of the benchmark of attacks: a text that comes back letter by letter gets the verdict that it had.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.accuracy_tables import table
from benchmarks.robustness.attacks import ATTACKS, attack
from ghostbuster.decision.novelty import MOST_LONE_LETTERS, share_of_lone_letters
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.text.prepare import PreparedText, prepare
from training.data.dataset import DEFAULT_FOLDER
from training.data.labelled import read_file

MIN_WORDS = 100
HEADING = """### What comes back

Made by `python -m benchmarks.robustness.undone`:
{n} labelled texts of {words} words or more, up to {per_file} of each
file, people's and machines'. *Undone*: canonicalisation brings the text back letter by letter, so
that its verdict is the one it had. *Named*: the verdict's reasons say what was found. *Refused*: no verdict,
because words are broken.
"""


def texts_of(folder: Path, per_file: int, seed: int = 0) -> list[str]:
    """Prepared texts, drawn by chance from each file."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found: list[str] = []
    for path in sorted(folder.glob("*.jsonl.xz")):
        long = [row.text for row in read_file(path) if len(row.text.split()) >= MIN_WORDS]
        found += [prepare(text).text for text in chance.sample(long, min(per_file, len(long)))]
    return found


def row_of(name: str, texts: Sequence[str]) -> list[str]:
    """Counts of one attack, for the table."""
    pairs = [(prepare(text), attacked) for text in texts if (attacked := attack(name, text)) != text]
    after = [(before, prepare(attacked)) for before, attacked in pairs]
    undone = sum(made.text == before.text for before, made in after)
    refused = sum(_is_broken(made) for _, made in after)
    named = sum(made.notes != before.notes or _is_broken(made) for before, made in after)
    counts = [len(after), undone, named, refused]
    return [name, f"{ATTACKS[name].share:.0%}", *(f"{n:,}" for n in counts)]


def _is_broken(made: PreparedText) -> bool:
    return share_of_lone_letters(made) >= MOST_LONE_LETTERS


def report(texts: Sequence[str], per_file: int) -> str:
    """The section."""
    untouched = sum(_is_broken(prepare(text)) for text in texts)
    rows = [["none", "", f"{len(texts):,}", "", "", f"{untouched:,}"]]
    rows += [row_of(name, texts) for name in ATTACKS]
    heads = ["attack", "places", "texts touched", "undone", "named", "refused"]
    heading = HEADING.format(n=len(texts), words=MIN_WORDS, per_file=per_file)
    return "\n".join([heading, *table(heads, rows), ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--per-file", type=int, default=40, help="texts of each file")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    made = report(texts_of(options.data, options.per_file), options.per_file)
    page = options.out / "reliability" / "attacks-undone.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(page, InputError) as unfinished:
        unfinished.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
