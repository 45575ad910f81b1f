"""Text formats of verdicts: table, JSON, JSON lines, CSV. To add one, add its row to ``VERDICT_FORMATS``."""

from __future__ import annotations

import json
import math
import shutil
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from ghostbuster.registry import lookup
from ghostbuster.report.wording import from_where, percent, share_in_words
from ghostbuster.system.printable import printable

if TYPE_CHECKING:
    from ghostbuster.detector.passages import Passages
    from ghostbuster.report.report import Report

Format = Callable[["Report"], str]

CSV_COLUMNS = ("path", "probability", "label", "reasons", "n_tokens", "n_words", "model", "device")
"""Columns of the CSV format; several reasons stand in one cell, parted by ``; ``."""


WIDEST = 110
"""Columns used at most, however wide the terminal."""
NARROWEST = 60

_LABELS = {"machine": "machine-written", "human": "human-written", "unsure": "unsure"}


def render_json(report: Report) -> str:
    """An array of objects, one a text."""
    return json.dumps(report.records(), ensure_ascii=False, indent=2, allow_nan=False)


def render_jsonl(report: Report) -> str:
    """One object a line, one line a text."""
    return "\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in report.records())


def render_csv(report: Report) -> str:
    """One line a text below a line of names; ``evidence`` and ``passages`` are left to the JSON formats."""
    from ghostbuster.tables.kinds.delimited import csv_line

    rows = [
        [_cell({**record, "reasons": "; ".join(record["reasons"])}[name]) for name in CSV_COLUMNS]
        for record in report.records()
    ]
    return "".join(csv_line(row) for row in [CSV_COLUMNS, *rows]).rstrip("\n")


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def render_table(report: Report) -> str:
    """A line a text (file, verdict, probability, words), its reasons below it, and the promise at the end."""
    width = min(max(shutil.get_terminal_size((100, 24)).columns, NARROWEST), WIDEST)
    paths = [printable(path) for path in report.paths]
    first = min(max([len("file"), *map(_width, paths)]), width - 46)
    lines = [_line("file", "verdict", "probability", "words", first), "-" * (first + 42)]
    along: list[tuple[Passages, ...]] = [(one,) for one in report.passages] or [()] * len(paths)
    for path, verdict, passages in zip(paths, report.verdicts, along, strict=True):
        probability = "-" if math.isnan(verdict.probability) else f"{verdict.probability:.3f}"
        words = f"{verdict.n_words:,}"
        lines.append(_line(_fit(path, first), _LABELS[verdict.label], probability, words, first))
        shares = [share_in_words(one).rstrip(".").replace("\u00a0", " ") for one in passages]
        said = [*verdict.reasons, *shares]
        lines += [line for reason in said for line in _wrap(reason, width, "  - ")]
    return "\n".join([*lines, "", *_wrap(_promise(report), width)])


def _promise(report: Report) -> str:
    """What the verdicts mean, and how often they are wrong about people."""
    promise, fpr = report.threshold, report.threshold.fpr
    return (
        "Probability: that a machine wrote the text, were machine and human texts equally common. A text is "
        f"called machine-written from {from_where(promise)}: {_percent(fpr.value)} of "
        f"{promise.n_human:,} texts by people, held out of training, scored that high (95 % interval "
        f"{_percent(fpr.low)} to {_percent(fpr.high)}). A verdict is a reason to look closer, not evidence "
        f"by itself. Detector: {report.model}."
    )


def _percent(share: float) -> str:
    return percent(share).replace("\u00a0", " ")


def _line(path: str, verdict: str, probability: str, words: str, first: int) -> str:
    padding = " " * (first - _width(path))
    return f"{path}{padding}  {verdict:<15}  {probability:>11}  {words:>10}".rstrip()


def _wrap(text: str, width: int, bullet: str = "") -> list[str]:
    return textwrap.wrap(printable(text), width, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _fit(path: str, width: int) -> str:
    """``path`` in at most ``width`` columns; a long one keeps its end, where files differ."""
    shown = path
    while _width(shown) > width:
        shown = "..." + shown[4:]
    return shown


def _width(text: str) -> int:
    """Terminal columns of ``text``: wide East Asian characters take two, combining marks none."""
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


VERDICT_FORMATS: dict[str, Format] = {
    "table": render_table,
    "json": render_json,
    "jsonl": render_jsonl,
    "csv": render_csv,
}


def verdict_format(name: str) -> Format:
    """The function that formats a report, by its name in ``VERDICT_FORMATS``.

    Raises
    ------
    SettingError
        When there is none; it names the nearest.
    """
    return lookup(VERDICT_FORMATS, name, "form")
