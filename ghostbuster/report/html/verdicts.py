"""The HTML report of verdicts, for teachers; it needs no network and runs no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ghostbuster import __version__
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Evidence, Verdict
from ghostbuster.detector.passages import Passage
from ghostbuster.folds import MACHINE_FROM
from ghostbuster.report.html.detail import Detail, Sentence
from ghostbuster.report.html.page import render
from ghostbuster.report.html.passage_chart import passage_chart
from ghostbuster.report.html.shading import LEVELS, shaded, table_of
from ghostbuster.report.report import Report
from ghostbuster.report.wording import (
    LABELS,
    decimals,
    evidence_in_words,
    in_a_class,
    other_shares,
    promise,
    share_in_words,
    without_notes,
)

_BEGINNING = 48
"""Characters of a window that tell which it is."""


def verdicts_page(
    report: Report,
    details: Sequence[Detail],
    models: Sequence[dict[str, Any]],
    unit: str = "token",
    *,
    links: Sequence[tuple[str, str]] = (),
    unread: Sequence[tuple[str, str]] = (),
) -> str:
    """One page with every text in turn.

    Parameters
    ----------
    report : Report
    details : sequence of Detail, one a text of the report
    models : sequence of dict
        Facts about each weak model: ``role``, ``file``, ``digest``.
    unit : {"token", "word"}
        What the models' statistics are given for.
    links : sequence of (str, str)
        Names and addresses of pages that stand beside this one; none in a file.
    unread : sequence of (str, str)
        Names of texts that could not be read, and why.

    Returns
    -------
    str
        HTML.
    """
    rows = zip(report.paths, report.verdicts, details, strict=True)
    texts = [
        _text(f"t{i}", path, verdict, detail, report.threshold)
        for i, (path, verdict, detail) in enumerate(rows, start=1)
    ]
    heading = "Verdict on a text" if len(texts) == 1 else f"Verdicts on {len(texts):,} texts"
    title = f"{texts[0]['name']}: {texts[0]['says']}" if len(texts) == 1 else heading
    return render(
        "verdicts.html",
        version=__version__,
        title=title,
        heading=heading,
        texts=texts,
        promise=promise(report.threshold),
        in_a_class=in_a_class(report.threshold),
        levels=[says for _, says in LEVELS],
        unit=unit,
        model=report.model,
        device=report.device,
        models=models,
        links=links,
        unread=unread,
    )


def _text(key: str, path: str, verdict: Verdict, detail: Detail, threshold: Threshold) -> dict[str, Any]:
    """What the template shows of one text."""
    judged = not math.isnan(verdict.probability)
    passages = detail.passages
    return {
        "key": key,
        "name": "standard input" if path == "-" else path,
        "label": verdict.label,
        "says": LABELS[verdict.label],
        "probability": decimals(verdict.probability) if judged else "",
        "at": f"{100 * verdict.probability:.2f}" if judged else "",
        "zones": _zones(threshold.for_length(verdict.n_tokens)),
        "shares": other_shares(verdict.probability) if judged else [],
        "reasons": without_notes(verdict.reasons, detail.notes),
        "notes": detail.notes,
        "n_words": f"{verdict.n_words:,}",
        "n_tokens": f"{verdict.n_tokens:,}",
        "drawing": passage_chart(passages, passages.sentences[-1].last) if passages.windows else "",
        "no_passages": passages.reason,
        "share": share_in_words(passages),
        "window": passages.windows[0].last - passages.windows[0].first if passages.windows else 0,
        "has_doubts": any(window.doubts for window in passages.windows),
        "windows": [_window(window, detail.text) for window in passages.windows],
        "shaded": shaded(detail, key),
        "sentences": [_sentence(sentence, detail) for sentence in detail.sentences],
        "parts": _scaled([Evidence("", 0.0, adds, name) for name, adds in detail.parts]) if judged else [],
        "evidence": _scaled(verdict.evidence),
    }


def _zones(threshold: Threshold) -> list[dict[str, str]]:
    """What each stretch of the scale from 0 to 1 is called."""
    machine = min(threshold.probability, 1.0)
    human = min(MACHINE_FROM, machine)
    bounds = [("human", 0.0, human), ("unsure", human, machine), ("machine", machine, 1.0)]
    return [
        {
            "label": label,
            "says": LABELS[label],
            "range": f"{low:.3g} to {high:.3g}",
            "x": f"{100 * low:.2f}",
            "width": f"{100 * (high - low):.2f}",
        }
        for label, low, high in bounds
        if high > low
    ]


def _window(window: Passage, text: str) -> dict[str, Any]:
    return {
        "span": f"{window.first + 1:,} to {window.last:,}",
        "begins": _first_words(text, window),
        "probability": decimals(window.probability),
        "doubts": window.doubts,
    }


def _first_words(text: str, window: Passage) -> str:
    """The beginning of a window by whole words: a token may begin or end inside one."""
    start = text.rfind(" ", 0, window.start + 1) + 1
    kept = text[start : window.end][:_BEGINNING]
    return kept.rpartition(" ")[0] or kept


def _sentence(sentence: Sentence, detail: Detail) -> dict[str, Any]:
    p = sentence.probability
    return {
        "text": sentence.text,
        "probability": "" if p is None else f"{p:.2f}",
        "side": "m" if p is not None and p >= MACHINE_FROM else "h",
        "rows": table_of(sentence, detail.pieces),
    }


def _scaled(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Pieces of evidence with the lengths of their bars, in percent of half the drawing."""
    longest = max((abs(one.contribution) for one in evidence), default=1.0) or 1.0
    made = []
    for one in evidence:
        name, expression = evidence_in_words(one)
        width = 50 * abs(one.contribution) / longest
        made.append(
            {
                "name": name,
                "expression": expression,
                "value": f"{one.value:.3g}".replace("-", "\u2212"),
                "adds": f"{one.contribution:+.3f}".replace("-", "\u2212"),
                "side": "m" if one.contribution > 0 else "h",
                "x": "50" if one.contribution > 0 else f"{50 - width:.1f}",
                "width": f"{width:.1f}",
            }
        )
    return made
