"""Web pages and PDF files: exports as offices write them, pages as printers and typesetters lay them out."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path

from benchmarks.documents.material import Essay, Made, essay

HIDING = {
    "display:none": "display:none",
    "font-size:0": "font-size:0",
    "white": "color:#fff",
    "off screen": "position:absolute;left:-9999px",
    "visibility": "visibility:hidden",
}


def _page(one: Essay, style: str = "", paragraph: str = "<p>{}</p>", extra: str = "") -> str:
    body = "".join(paragraph.format(escape(text)) for text in one.paragraphs)
    return f"<!DOCTYPE html><html><head><meta charset=utf-8><style>{style}</style></head><body>{body}{extra}</body></html>"


def web_pages(n_each: int, first: int = 1000) -> Iterator[Made]:
    """Pages as Google Docs, Word and Moodle export them, and pages that hide words."""
    rules = "".join(f".c{i}{{color:#000;font-size:11pt;font-family:Arial}}" for i in range(40))
    ways = {
        "as Google Docs exports": _shape(rules, '<p class="c1"><span class="c2">{}</span></p>'),
        "as Word exports": _shape(
            ".MsoNormal{margin:0}", "<p class=MsoNormal><span lang=EN-US>{}<o:p></o:p></span></p>"
        ),
        "as Moodle stores": _shape("", '<p dir="ltr" style="text-align:left;">{}<br></p>'),
        "blocks without spaces": _shape("", "<section>{}</section>"),
    }
    seed = first
    for feature, (style, paragraph) in ways.items():
        for _ in range(n_each):
            seed += 1
            one = essay(seed)
            yield _made(".html", "by hand", feature, _page(one, style, paragraph).encode(), one)
    for how, style in HIDING.items():
        for _ in range(n_each):
            seed += 1
            one = essay(seed)
            page = _page(one, f".h{{{style}}}", extra=f'<div class="h">{one.hidden}</div>')
            yield _made(".html", "by hand", f"words hidden by {how}", page.encode(), one)


def _shape(style: str, paragraph: str) -> tuple[str, str]:
    return style, paragraph


def _made(kind: str, maker: str, feature: str, data: bytes, one: Essay) -> Made:
    text = "\n".join(one.paragraphs)
    return Made("", kind, maker, feature, data, text, text)


def printed(n_each: int, first: int = 2000) -> Iterator[Made]:
    """Pages that Chromium prints to PDF."""
    ways = {
        "one column": "body{font:12pt serif}",
        "two columns": "body{columns:2;font:10pt serif;text-align:justify;hyphens:auto}",
        "hyphenated": "body{width:9cm;hyphens:auto;text-align:justify;font:12pt serif}",
    }
    seed = first
    for feature, style in ways.items():
        for _ in range(n_each):
            seed += 1
            one = essay(seed)
            source = _page(one, style).replace("<html>", '<html lang="en">')
            yield _made(".pdf", "Chromium", feature, chromium(source), one)


def chromium(source: str) -> bytes:
    """A page printed to PDF."""
    with tempfile.TemporaryDirectory() as folder:
        page, out = Path(folder) / "a.html", Path(folder) / "a.pdf"
        page.write_text(source, "utf-8")
        subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                f"--print-to-pdf={out}",
                f"--user-data-dir={folder}/profile",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return out.read_bytes()


def typeset(n_each: int, first: int = 3000) -> Iterator[Made]:
    """Pages drawn line by line with ``reportlab``."""
    ways = {
        "lines broken with hyphens": {"hyphens": True, "width": 48},
        "two columns, drawn line by line": {"columns": True, "width": 42},
        "running heads and page numbers": {"heads": True, "width": 80},
        "numbered lines": {"numbers": True, "width": 80},
        "words invisible (render mode 3)": {"hide": "mode", "width": 80},
        "words white": {"hide": "white", "width": 80},
        "words outside the page": {"hide": "away", "width": 80},
        "words under a white area": {"hide": "under", "width": 80},
    }
    seed = first
    for feature, options in ways.items():
        for _ in range(n_each):
            seed += 1
            one = essay(seed)
            yield _made(".pdf", "reportlab", feature, _drawn(one, **options), one)  # type: ignore[arg-type]


def broken_lines(text: str, width: int, *, hyphens: bool) -> list[str]:
    """Lines of at most so many letters; with hyphens, words are broken where they do not fit."""
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) + 1 <= width:
            line = f"{line} {word}".strip()
            continue
        room = width - len(line) - 2
        if hyphens and word.isalpha() and len(word) >= 6 and 2 <= room <= len(word) - 3:
            lines.append(f"{line} {word[:room]}-")
            line = word[room:]
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def _drawn(
    one: Essay,
    width: int,
    *,
    hyphens: bool = False,
    columns: bool = False,
    heads: bool = False,
    numbers: bool = False,
    hide: str = "",
) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    made = BytesIO()
    page = Canvas(made, pagesize=(595, 842))
    lines = [line for text in one.paragraphs for line in (*broken_lines(text, width, hyphens=hyphens), "")]
    rows = 20 if heads else 60
    half = (len(lines) + 1) // 2
    for start in range(0, half if columns else len(lines), rows):
        page.setFont("Times-Roman", 10)
        for i in range(start, min(start + rows, half if columns else len(lines))):
            y = 780 - 12 * (i - start)
            if numbers:
                page.drawString(40, y, str(i + 1))
            page.drawString(72, y, lines[i])
            if columns and i + half < len(lines):
                page.drawString(320, y, lines[i + half])
        if heads:
            page.drawString(72, 815, "Jane Doe, Essay on harbours")
            page.drawString(300, 30, str(start // rows + 1))
        if hide and start == 0:
            _hide(page, one.hidden, hide)
        page.showPage()
    page.save()
    return made.getvalue()


def _hide(page: object, text: str, how: str) -> None:
    canvas = page
    for i, line in enumerate(broken_lines(text, 80, hyphens=False)):
        y = 60 - 10 * i
        if how == "mode":
            canvas.drawString(72, y, line, mode=3)  # type: ignore[attr-defined]
        elif how == "away":
            canvas.drawString(72, y - 900, line)  # type: ignore[attr-defined]
        else:
            if how == "white":
                canvas.setFillColorRGB(1, 1, 1)  # type: ignore[attr-defined]
            canvas.drawString(72, y, line)  # type: ignore[attr-defined]
    if how == "under":
        canvas.setFillColorRGB(1, 1, 1)  # type: ignore[attr-defined]
        canvas.rect(0, 0, 595, 72, stroke=0, fill=1)  # type: ignore[attr-defined]
