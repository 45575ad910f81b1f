"""The section of README.md on accuracy, between its marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.accuracy.report_parts.answers import ALL, TFIDF
from benchmarks.accuracy.report_parts.cells import in_words, number, percent, plain_share, table
from benchmarks.accuracy.report_parts.kinds import SOURCES
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
Figures = Mapping[str, Any]

INTRO = """On texts of sources that training has not seen: each row is the standard detector, trained on all
the other sources and asked about this one, beside a plain TF-IDF classifier trained on the same texts
({n_texts:,} texts of {n_sources} sources; 95 % intervals; `python -m benchmarks.accuracy.report`)."""
SAID = """Said plainly: over the {n} sources with both classes its mean AUROC is {auroc:.2f}, that of TF-IDF
{tfidf:.2f}; where 1 % was promised it finds {found} and accuses {accused}. In the worst source of {many}
people or more ({worst_source}) it was {worst}; who writes unlike the others is accused more often. If your
writers are of one kind, `ghostbuster calibrate` on texts of theirs first."""


def readme_section(found: Figures) -> str:
    """Table and what it says, in Markdown."""
    ours, baseline = found["readers"][ALL], found["readers"][TFIDF]
    promised = found["promises"][str(found["promise"])]
    rows = [
        [
            SOURCES.get(name, name),
            number(one.get("auroc"), 2),
            number((baseline["sources"][name].get("auroc") or {}).get("value"), 2),
            plain_share(one.get("found")),
            plain_share(one.get("accused")),
        ]
        for name, one in ours["sources"].items()
        if "auroc" in one or "found" in one
    ]
    heads = ["asked about", "AUROC", "TF-IDF's", "machine texts found", "people accused"]
    worst = promised["worst"]
    said = SAID.format(
        n=ours["mean"]["auroc"]["n_sources"],
        auroc=ours["mean"]["auroc"]["value"],
        tfidf=baseline["mean"]["auroc"]["value"],
        found=in_words(promised["found"], "machine texts"),
        accused=in_words(promised["all"], "texts by people"),
        many=promised["people_or_more"],
        worst_source=SOURCES.get(promised["worst_source"], promised["worst_source"]),
        worst=percent(worst["value"]) if worst else "not measured",
    )
    intro = INTRO.format(n_texts=found["n_texts"], n_sources=len(ours["sources"]))
    return "\n\n".join([intro, table(heads, rows), said])


def write_section(path: Path, section: str) -> None:
    """Put ``section`` between the marks of a page.

    Raises
    ------
    InputError
        When the page lacks the marks.
    """
    page = path.read_text("utf-8")
    marks = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not marks.search(page):
        raise InputError(f"{path} has no {BEGIN} ... {END}: put the marks where the section belongs")
    made = marks.sub(lambda _: f"{BEGIN}\n{section}\n{END}", page)
    with atomic_write(path, InputError) as unfinished:
        unfinished.write_text(made, encoding="utf-8")
