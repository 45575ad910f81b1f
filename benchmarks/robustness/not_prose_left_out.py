"""What the check for prose does to sources and kinds that it was not learned from; and to other prose.

    python -m benchmarks.robustness.not_prose_left_out --data FOLDER --corpora FOLDER [--out docs]

For each labelled file the table of `ghostbuster/text/oddness.py` and its bound are learned anew without that
file, and its texts are looked at with these; likewise for each kind of what is no prose. Passages of corpora,
which were never learned from, are looked at with the table that ships.
"""

from __future__ import annotations

import argparse
import lzma
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.accuracy.accuracy_tables import table
from benchmarks.robustness.not_prose import (
    KEPT,
    Table,
    known_samples,
    learned,
    odd,
    oriented,
    prose,
    sample_weights,
)
from ghostbuster.errors import InputError
from ghostbuster.metrics.intervals import clopper_pearson
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.text import oddness as of_texts
from ghostbuster.text import prose as of_prose
from ghostbuster.text.prose import FEWEST_CHARACTERS, assess
from ghostbuster.text.surface import look
from training.data.dataset import DEFAULT_FOLDER

PASSAGE = 300
"""Words of a passage of a corpus, up to the end of its paragraph."""
PASSAGES = 1000
"""Passages of each corpus at most, evenly spread."""
PREVALENCES = (0.5, 0.1, 0.01)
"""Shares of what is no prose among texts handed in, for which precision is stated."""
HEADING = f"""# What is no prose: sources left out

Made by `python -m benchmarks.robustness.not_prose_left_out`. [not-prose.md](not-prose.md) looks at the
texts that the check was learned from. Here, for each file of labelled texts and for each kind of what is
no prose, the table and its bound ({1 - KEPT:.2%} of the prose that is left) are learned anew without it,
and it is looked at with these. The three rules beside the table (references, loose lines, lines of code)
were set by hand and stay. Intervals are Clopper and Pearson's, 95 %.
"""


def passages(path: Path) -> Iterator[str]:
    """Runs of whole paragraphs of about ``PASSAGE`` words, evenly spread over a corpus."""
    found: list[str] = []
    gathered: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            gathered.append(line.rstrip("\n").replace("\f", ""))
            if (not line.strip() and sum(len(one.split()) for one in gathered) >= PASSAGE) or "\f" in line:
                found.append("\n".join(gathered).strip())
                gathered = []
    long = [one for one in found if len(one.split()) >= PASSAGE // 2]
    yield from islice(long[:: max(len(long) // PASSAGES, 1)], PASSAGES)


@contextmanager
def with_table(made: Table) -> Iterator[None]:
    """The check with another table and bound."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(of_texts, "BASE", made.base))
        stack.enter_context(patch.object(of_texts, "SEGMENTS", made.segments))
        stack.enter_context(patch.object(of_prose, "LEAST_ODD", made.least_odd))
        yield


def refused(texts: Sequence[str]) -> int:
    """How many are called no prose."""
    return sum(bool(assess(text).unlike) for text in texts)


def share(k: int, n: int) -> list[str]:
    """Cells of a share: how many, of how many, the share, and its interval."""
    found = clopper_pearson(k, n)
    return [f"{n:,}", f"{k:,}", f"{found.value:.2%}", f"{found.low:.2%} to {found.high:.2%}"]


def left_out(
    texts: Mapping[str, list[str]], samples: Mapping[str, list[str]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Texts called no prose, of each file of prose and of each kind that is none."""
    kinds = known_samples(1)
    strange = oriented([look(text) for _, text in kinds])
    usual = {
        file: oriented([look(text) for text in listed if len(text) >= FEWEST_CHARACTERS])
        for file, listed in texts.items()
    }
    people = {}
    for file, listed in texts.items():
        rest = np.vstack([one for other, one in usual.items() if other != file and len(one)])
        with with_table(learned(rest, strange, sample_weights([kind for kind, _ in kinds]))):
            people[file] = refused(listed)
        print(file, people[file], len(listed), flush=True)
    every = np.vstack([one for one in usual.values() if len(one)])
    others = {}
    for group in dict.fromkeys(kind.split(":")[0] for kind in samples):
        rows = [i for i, (kind, _) in enumerate(kinds) if kind != group]
        weights = sample_weights([kinds[i][0] for i in rows])
        with with_table(learned(every, strange[rows], weights)):
            for kind, listed in samples.items():
                if kind.split(":")[0] == group:
                    others[kind] = refused(listed)
                    print(kind, others[kind], len(listed), flush=True)
    return people, others


def report(folder: Path, corpora: Path) -> str:
    """The page."""
    texts: dict[str, list[str]] = {}
    for file, text in prose(folder):
        texts.setdefault(file, []).append(text)
    samples: dict[str, list[str]] = {}
    for kind, text in odd(2):
        samples.setdefault(kind, []).append(text)
    people, others = left_out(texts, samples)
    lines = [HEADING, "## Prose called no prose\n"]
    heads = ["file left out", "texts", "called no prose", "share", "interval"]
    rows = [[file, *share(people[file], len(listed))] for file, listed in texts.items()]
    n, k = sum(map(len, texts.values())), sum(people.values())
    lines += table(heads, [*rows, ["all", *share(k, n)]])
    lines += ["\n## Kinds that are no prose, called so\n"]
    rows = [[kind, *share(others[kind], len(listed))] for kind, listed in samples.items()]
    found, drawn = sum(others.values()), sum(map(len, samples.values()))
    lines += table(["kind left out", *heads[1:]], [*rows, ["all", *share(found, drawn)]])
    lines += [
        "\nAll code is left out at once. Some code is left to its prose: see [not-prose.md](not-prose.md).\n",
        "## Precision\n",
        "Of the texts called no prose, how many are none, by how many of all texts handed in are none.\n",
    ]
    precise = [
        [f"{p:.0%}", f"{p * found / drawn / (p * found / drawn + (1 - p) * k / n):.1%}"] for p in PREVALENCES
    ]
    lines += table(["are no prose", "precision"], precise)
    lines += [
        "\n## Other prose\n",
        f"Passages of about {PASSAGE} words of corpora that nothing was learned from, with the table that",
        "ships: books, transcripts, speeches, textbooks, web pages, older than any language model. Some hold",
        "what is no prose: lists of answers and glossaries of textbooks, tables of encyclopaedias, verse.\n",
    ]
    rows = []
    for path in sorted(corpora.glob("*.txt.xz")):
        drawn_ones = list(passages(path))
        rows.append([path.name.removesuffix(".txt.xz"), *share(refused(drawn_ones), len(drawn_ones))])
        print(rows[-1], flush=True)
    lines += table(["corpus", "passages", *heads[2:]], rows)
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--corpora", type=Path, required=True, help="folder of *.txt.xz")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    page = options.out / "reliability" / "not-prose-left-out.md"
    with atomic_write(page, InputError) as unfinished:
        unfinished.write_text(report(options.data, options.corpora), encoding="utf-8")


if __name__ == "__main__":
    main()
