"""The forms a report can take. To add one, add its row to ``FORMS``."""

from __future__ import annotations

import json
from collections.abc import Callable

from ghostbuster.registry import lookup
from ghostbuster.report.formats.verdict_table import render_table
from ghostbuster.report.report import Report

Form = Callable[[Report], str]

CSV_COLUMNS = ("path", "probability", "label", "reasons", "n_tokens", "n_words", "model", "device")
"""Columns of the CSV form; several reasons stand in one cell, parted by ``; ``."""


def render_json(report: Report) -> str:
    """An array of objects, one a text."""
    return json.dumps(report.records(), ensure_ascii=False, indent=2, allow_nan=False)


def render_jsonl(report: Report) -> str:
    """One object a line, one line a text."""
    return "\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in report.records())


def render_csv(report: Report) -> str:
    """One line a text below a line of column names; ``evidence`` is left to the JSON forms."""
    from ghostbuster.tables.kinds.delimited import csv_line

    rows = [
        [_cell({**record, "reasons": "; ".join(record["reasons"])}[name]) for name in CSV_COLUMNS]
        for record in report.records()
    ]
    return "".join(csv_line(row) for row in [CSV_COLUMNS, *rows]).rstrip("\n")


def _cell(value: object) -> str:
    return "" if value is None else str(value)


FORMS: dict[str, Form] = {
    "table": render_table,
    "json": render_json,
    "jsonl": render_jsonl,
    "csv": render_csv,
}


def form(name: str) -> Form:
    """The renderer of that name.

    Raises
    ------
    SettingError
        When there is none; it names the nearest.
    """
    return lookup(FORMS, name, "form")
