"""The page that says how much of documents is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PROSE, WHOLE = "ghostbuster, prose", "ghostbuster --whole"

INTRODUCTION = """# Documents

What is read of each kind of document, what is left out, and how much of it arrives. The figures are made by
`python -m benchmarks.documents.documents --data FOLDER`; the words of {n:,} documents that it makes are known.

## What is read, what is left out, what is said

| kind | read | left out | said |
|---|---|---|---|
| plain text, markdown | everything that is prose | a list of references at the end, code between fences, quoted answers (`>`, or all below the head of an earlier message); of markdown also headings, tables, notes | how many words of what |
| Word `.docx` `.docm` `.dotx` | what Word shows: tracked insertions and moves, content controls, custom XML, smart tags, text boxes once, fields, nested tables, merged cells once, strict files, imported chunks | deletions, what was moved away; headings, quotations, references, short cells of tables, captions, code, notes, tables of contents, headers and footers, by their styles, fields and controls; quotations also by their place alone (see below) | hidden words (`vanish`, in the colour behind them by number or by the theme, 2 points or less, squeezed, beside the page, in rows, lines, frames or boxes too small for a letter, under a picture as wide as the lines): their number, as suspicious |
| OpenDocument `.odt` `.fodt`, RTF | the same, as LibreOffice shows it; hidden sections and paragraphs by their conditions | the same, by styles and by place | the same; a password |
| Word 97 to 2003 `.doc`, with `pip install 'ghostbuster[doc]'` | made `.docx` by Aspose.Words FOSS, and read like one | the same | the same |
| PDF | pages as they are laid out: columns one after the other, words broken at line ends whole | running heads, page numbers, line numbers, marks of notes; headings, captions, tables, code, notes, references, by their looks | words that are drawn invisible, in the colour behind them, outside the page, under a picture or an area; pages that are pictures; a password |
| web pages, `.mhtml`, `.eml`, EPUB | what a browser shows by the page's own styles; the body of a message as mail programs choose it | headings, quotations (also by their place alone, and all below the head of an earlier message), code, tables, captions, notes, navigation; attachments | words hidden by style sheets, attributes or position: their number, as suspicious |
| notebooks, LaTeX | cells of markdown; words between commands | code, headings, quotations, tables, captions, notes, references | how many words of what |
| Word 97 to 2003 without that library, Word as XML, Pages, Excel, PowerPoint, pictures, archives | nothing | | what it is and what to do, as an error of that file alone |

A cell of a table with 25 words or more is prose: tables lay out pages, too. A *heading* of more than 30 words is prose.
`--whole` judges all that is seen but running heads. A document whose words are none of them prose is `unsure`.

**By their place alone**: neighbouring paragraphs of 20 words or more that begin 17 points or more further in than most of
the prose (`w:ind`, `margin-left`, `\\li`), no items of a list, and not more than two fifths of the prose, are quotations:
nothing else marks what the styles of MLA, APA and Chicago set off. **Under a picture**: where lines fall in Word is
reckoned from the number of their letters, not set; what lies well inside an opaque picture or shape before the text, with
20 words or more, is hidden. A picture narrower than the lines, behind the text or faint hides nothing.

## How much arrives

**Recovered**: share of the words that a person sees which the reader finds. **Added**: words it finds beyond them
(deleted, hidden, repeated), as a share of those seen. **Reordered**: share of the recovered words that stand in
another order. Other readers are compared with `--whole`, since they do not tell prose from the rest; the rows *prose*
compare what is judged with the paragraphs that were written as prose.
"""

LIBRARIES = """
## Which libraries

No library reads all that Word shows and nothing else (tables above), so the XML is walked here, on `lxml`. Web pages
are parsed by `lxml`, their styles by `tinycss2` and `cssselect2`. PDF is read by PDFium (`pypdfium2`), in a process of
its own that may crash or compute for ever without harm; whether a word shows is asked of the page as PDFium draws it.
LaTeX is parsed by `pylatexenc`. Together they are 21 MB, under BSD, MIT and Apache licences. pandoc reads most kinds as
well, but its wheel unpacks to 162 MB under the GPL, and it reads what is hidden.

Of what PyPI has for `.doc` (looked at in November 2026) Aspose.Words FOSS is the one library in Python that is kept (MIT,
2026, Python 3.11 and 3.12): of five documents that LibreOffice wrote as `.doc` it kept every word, hidden ones as hidden;
a paragraph right before a table it puts into that. `doc2txt-antiword` wraps a program of 2005, `textract`, Tika and
LibreOffice need programs beside Python (seen, not tried). For Pages the index has `iwork-studio` (2026), a server by which
agents edit documents (not tried), and no plain reader: Pages are named, with *export it as Word or PDF*.
"""


def page(report: Mapping[str, Any]) -> str:
    """The page, in markdown."""
    parts = [
        _introduction(report["documents"]),
        *_tables(report["rows"]),
        LIBRARIES,
        _hyphens(report["hyphens"]),
    ]
    if "broken_texts" in report:
        parts.append("\n" + _broken(report["broken_texts"]))
    return "\n".join(parts).strip() + "\n"


def _introduction(counts: Mapping[str, Sequence[int]]) -> str:
    """What is read, and how the figures come about."""
    (n_hide, n_found), (n_none, n_wrong) = counts["hide words"], counts["hide none"]
    said = (
        f"Of {n_hide:,} documents that hide words {n_found:,} are called suspicious, of {n_none:,} that hide none "
        f"{n_wrong:,}."
    )
    return INTRODUCTION.format(n=n_hide + n_none) + f"\n{said}"


def _tables(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_kind[row["kind"]].append(row)
    for kind, found in by_kind.items():
        yield f"\n### `{kind}`\n"
        yield "| made by | with | documents | reader | recovered | added | reordered |"
        yield "|---|---|---:|---|---:|---:|---:|"
        for row in found:
            figures = " | ".join(_percent(row[name]) for name in ("recovered", "added", "reordered"))
            reader = f"**{row['reader']}**" if row["reader"] in {PROSE, WHOLE} else row["reader"]
            yield f"| {row['maker']} | {row['feature']} | {row['n']} | {reader} | {figures} |"


def _hyphens(found: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "\n## Words broken at line ends\n",
        "Each word of six letters or more is broken at a random place, each compound at its hyphen. *Joined*: words that",
        "are whole again. *Kept*: compounds that keep their hyphen.\n",
        "| of | words | joined | compounds | kept |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in found.items():
        lines.append(
            f"| {name} | {row['n_words']:,} | {_percent(row['joined'])} | {row['n_compounds']:,} | "
            f"{_percent(row['kept'])} |"
        )
    lines += [
        "",
        "The commonest compounds of running text that are joined (*e-mail*, *co-worker*, *non-linear*) are words that are",
        "spelled both ways.",
    ]
    return "\n".join(lines)


def _broken(found: Mapping[str, float]) -> str:
    return (
        f"Of {found['n_texts']:,.0f} labelled texts whose lines were broken at 48 letters, as narrow columns break them, "
        f"{100 * found['words']:.2f} % of the\nwords are read as they were, and {_percent(found['same'])} of the texts are "
        "the same to the letter."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
