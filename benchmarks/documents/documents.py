"""How much of documents is read, by this package and by others; writes ``docs/reliability/documents.md``.

    python -m benchmarks.documents.documents [--each N] [--data FOLDER]

Makes documents (python-docx, LibreOffice, pandoc, Chromium, reportlab) of known words and lets every reader read
them. Needs `pip install '.[documents,documents-benchmark]'`, and Debian's packages `libreoffice-writer-nogui`,
`chromium` and `wordnet-base`.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.documents.conversions import converted, exported
from benchmarks.documents.hyphens import hyphens, whole_texts
from benchmarks.documents.material import ROOT, Made, words
from benchmarks.documents.page import PROSE, WHOLE, page
from benchmarks.documents.pages import printed, typeset, web_pages
from benchmarks.documents.readers import READERS, ours
from benchmarks.documents.word_files import word_documents

DATA = ROOT / "docs" / "data" / "documents.json"
PAGE = ROOT / "docs" / "reliability" / "documents.md"


def made(n_each: int) -> Iterator[Made]:
    """All documents."""
    yield from word_documents(n_each)
    yield from web_pages(n_each)
    yield from typeset(n_each)
    yield from printed(n_each)
    yield from exported(2 * n_each)
    yield from converted(2 * n_each)


def compared(expected: str, found: str) -> dict[str, float]:
    """Shares of the expected words: recovered, added, and of those recovered in another order."""
    gold, got = words(expected), words(found)
    n_common = sum((Counter(gold) & Counter(got)).values())
    in_order = sum(
        size for _, _, size in SequenceMatcher(None, gold, got, autojunk=False).get_matching_blocks()
    )
    return {
        "recovered": n_common / len(gold),
        "added": (len(got) - n_common) / len(gold),
        "reordered": 1 - in_order / n_common if n_common else 0.0,
    }


def measured(documents: Iterable[Made]) -> tuple[list[dict[str, Any]], dict[str, list[int]]]:
    """A row for each kind, maker, feature and reader; documents in all, and those that are suspected."""
    found: dict[tuple[str, str, str, str], list[dict[str, float]]] = defaultdict(list)
    suspected: Counter[tuple[str, bool]] = Counter()
    for one in documents:
        key = (one.kind, one.maker, one.feature)
        prose, whole, n_hidden = ours(one.data, one.kind)
        found[(*key, PROSE)].append(compared(one.prose, prose))
        found[(*key, WHOLE)].append(compared(one.seen, whole))
        suspected["hide words" if one.feature.startswith("words ") else "hide none", n_hidden > 0] += 1
        for name, read in READERS.get(one.kind, {}).items():
            try:
                text = read(one.data)
            except Exception:  # noqa: BLE001 - a reader that fails has read nothing
                text = ""
            found[(*key, name)].append(compared(one.seen, text))
    rows = [
        {
            "kind": kind, "maker": maker, "feature": feature, "reader": reader, "n": len(values),
            **{name: fmean(value[name] for value in values) for name in ("recovered", "added", "reordered")},
        }
        for (kind, maker, feature, reader), values in found.items()
    ]  # fmt: skip
    counts = {
        what: [suspected[what, True] + suspected[what, False], suspected[what, True]]
        for what in ("hide words", "hide none")
    }
    return rows, counts


def main() -> None:
    """Measure, keep the figures, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=6, help="documents of each feature")
    parser.add_argument("--data", type=Path, help="labelled texts, for words broken in running text")
    parser.add_argument("--page", action="store_true", help="write the page anew from figures that are there")
    given = parser.parse_args()
    if not given.page:
        warnings.simplefilter("ignore")
        rows, counts = measured(made(given.each))
        report = {"documents": counts, "rows": rows, "hyphens": hyphens(given.data)}
        if given.data is not None:
            report["broken_texts"] = whole_texts(given.data)
        DATA.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(json.loads(DATA.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
