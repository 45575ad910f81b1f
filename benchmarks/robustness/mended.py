"""What two steps of preparation do to verdicts: words joined at line ends, and ends cut that break off.

python -m benchmarks.robustness.mended --data FOLDER [--per-side 75] [--model lite] [--out docs]
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from benchmarks.accuracy.accuracy_tables import table
from benchmarks.documents.pages import broken_lines
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.artifact import load
from ghostbuster.detector.detector import Detector
from ghostbuster.errors import InputError
from ghostbuster.metrics.intervals import clopper_pearson
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.text import hyphenation, markup, prepare
from training.data.dataset import DEFAULT_FOLDER
from training.data.labelled import read_file

WORDS = (150, 500)
"""Of the texts: shorter ones are often unsure, longer ones cost time and lose little by one sentence."""
WIDTH = 48
"""Letters of a line of narrow columns."""
SIDES = ("people", "machines")
HEADING = """# What joining words and cutting ends does to verdicts

Made by `python -m benchmarks.robustness.mended`: labelled texts of {least} to {most} words, drawn by
chance, judged by `{model}`. The detector's training texts are among them, so the shares are no measure
of its accuracy; what counts is how they change. Intervals are Clopper and Pearson's, 95 %.
"""


def drawn(folder: Path, per_side: int, wanted: Callable[[str], bool], seed: int = 0) -> dict[str, list[str]]:
    """Texts by people and by machines that are wanted, as published."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found: dict[str, list[str]] = {side: [] for side in SIDES}
    for path in sorted(folder.glob("*.jsonl.xz")):
        rows = [one for one in read_file(path) if WORDS[0] <= len(one.text.split()) <= WORDS[1]]
        for row in chance.sample(rows, min(10 * per_side, len(rows))):
            text = row.raw or row.text
            if wanted(text):
                found[SIDES[row.label]].append(text)
    return {side: chance.sample(texts, min(per_side, len(texts))) for side, texts in found.items()}


@contextmanager
def without(step: Callable[[str], tuple[str, int]]) -> Iterator[None]:
    """Preparation without one of its steps."""
    kept = tuple(one for one in prepare.STEPS if one[0] is not step)
    with patch.object(prepare, "STEPS", kept):
        yield


def cut_words(text: str) -> int:
    """Words of the end of a text that are cut since they break off."""
    with without(markup.drop_unfinished_end):
        whole = prepare.prepare(text).text
    return markup.drop_unfinished_end(whole)[1]


def shares(verdicts: Sequence[Verdict]) -> list[str]:
    """Cells: how many are called machine, the interval of that share, how many are unsure."""
    labels = Counter(one.label for one in verdicts)
    found = clopper_pearson(labels["machine"], len(verdicts))
    return [
        f"{len(verdicts)}",
        f"{labels['machine']}",
        f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})",
        f"{labels['unsure']}",
    ]


def broken(detector: Detector, texts: dict[str, list[str]]) -> list[str]:
    """The section on words that were broken at line ends."""
    rows = []
    for side, listed in texts.items():
        flat = [" ".join(text.split()) for text in listed]
        lines = ["\n".join(broken_lines(text, WIDTH, hyphens=True)) for text in flat]
        whole = detector.judge(flat)
        with without(hyphenation.join_hyphenated):
            unmended = detector.judge(lines)
        mended = detector.judge(lines)
        print(side, [shares(one) for one in (whole, unmended, mended)], flush=True)
        for how, verdicts in (("whole", whole), ("broken", unmended), ("broken and joined", mended)):
            moved = sum(a.label != b.label for a, b in zip(whole, verdicts, strict=True))
            rows.append([side, how, *shares(verdicts), f"{moved}"])
    heads = ["texts by", "lines", "texts", "called machine", "share", "unsure", "another verdict than whole"]
    return [
        "## Words broken at line ends\n",
        f"Lines broken at {WIDTH} letters, with hyphens, as PDFs and narrow columns have them.\n",
        *table(heads, rows),
    ]


def unfinished(detector: Detector, texts: dict[str, list[str]]) -> list[str]:
    """The section on ends that break off."""
    rows = []
    for side, listed in texts.items():
        with_cut = detector.judge(listed)
        with without(markup.drop_unfinished_end):
            uncut = detector.judge(listed)
        print(side, [shares(one) for one in (with_cut, uncut)], flush=True)
        pairs = list(zip(uncut, with_cut, strict=True))
        moved = sum(a.label != b.label for a, b in pairs)
        far = max(abs(a.probability - b.probability) for a, b in pairs)
        rows += [
            [side, "left", *shares(uncut), "", ""],
            [side, "cut", *shares(with_cut), f"{moved}", f"{far:.2f}"],
        ]
    heads = ["texts by", "end", "texts", "called machine", "share", "unsure", "another verdict", "farthest"]
    n_words = sorted(cut_words(text) for listed in texts.values() for text in listed)
    return [
        "\n## Ends that break off\n",
        f"Texts whose last sentence breaks off: {n_words[len(n_words) // 2]} words are cut in the median,",
        f"{n_words[-1]} at most. *Farthest*: the largest change of a probability.\n",
        *table(heads, rows),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--per-side", type=int, default=75, help="texts by people, and by machines")
    parser.add_argument("--model", default="lite", help="the detector")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    detector = load(options.model)
    lines = [HEADING.format(least=WORDS[0], most=WORDS[1], model=options.model)]
    lines += broken(detector, drawn(options.data, options.per_side, lambda _text: True))
    lines += unfinished(detector, drawn(options.data, options.per_side, lambda text: cut_words(text) > 0))
    with atomic_write(options.out / "reliability" / "mended.md", InputError) as page:
        page.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
