"""Word documents by ``python-docx``, some of them changed in their XML as programs change them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

from benchmarks.documents.material import Essay, Made, essay

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def styled(one: Essay) -> Made:
    """A document with every part, each in its own style."""
    import docx

    document = docx.Document()
    document.add_heading(one.title, 0)
    document.add_heading(one.heading, 1)
    for text in one.paragraphs[:3]:
        document.add_paragraph(text)
    document.add_paragraph(one.quote, style="Intense Quote")
    table = document.add_table(len(one.cells), 2)
    for row, cells in zip(table.rows, one.cells, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph(one.caption, style="Caption")
    for text in one.paragraphs[3:]:
        document.add_paragraph(text)
    document.add_heading("References", 1)
    for text in one.references:
        document.add_paragraph(text)
    document.sections[0].header.paragraphs[0].text = "Jane Doe"
    cells = " ".join(" ".join(row) for row in one.cells)
    seen = [
        one.title, one.heading, *one.paragraphs[:3], one.quote, cells, one.caption, *one.paragraphs[3:],
        "References", *one.references,
    ]  # fmt: skip
    return _made("parts in their styles", _saved(document), "\n".join(seen), "\n".join(one.paragraphs))


def _plain(one: Essay) -> bytes:
    import docx

    document = docx.Document()
    for text in one.paragraphs:
        document.add_paragraph(text)
    return _saved(document)


def _saved(document: object) -> bytes:
    made = BytesIO()
    document.save(made)  # type: ignore[attr-defined]
    return made.getvalue()


def _made(feature: str, data: bytes, seen: str, prose: str, maker: str = "python-docx") -> Made:
    return Made("", ".docx", maker, feature, data, seen, prose)


def changed(data: bytes, change: Callable[[str], str], part: str = "word/document.xml") -> bytes:
    """A document with one part changed."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            raw = old.read(entry)
            new.writestr(entry, change(raw.decode()).encode() if entry == part else raw)
    return made.getvalue()


_RUN = re.compile(r"<w:r>(?:(?!</w:r>).)*</w:r>", re.DOTALL)
_PARAGRAPH = re.compile(r"<w:p>(?:(?!</w:p>).)*</w:p>", re.DOTALL)
_HIDE = {"hidden": "<w:vanish/>", "white": '<w:color w:val="FFFFFF"/>', "of one point": '<w:sz w:val="2"/>'}
_BOX = (
    '<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
    '<mc:Choice Requires="wps"><w:drawing><wp:inline><a:graphic><a:graphicData uri="x"><wps:wsp><wps:txbx>'
    "<w:txbxContent>{0}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    '</mc:Choice><mc:Fallback><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox>'
    "<w:txbxContent>{0}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)
_OLD_BOX = (
    '<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox><w:txbxContent>{0}'
    "</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>"
)
_FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF x</w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r>{0}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
_GONE = '<w:del w:id="8" w:author="A"><w:r><w:delText>words that were deleted</w:delText></w:r></w:del>'

RUNS: dict[str, str] = {
    "tracked insertions": '<w:ins w:id="1" w:author="A">{0}</w:ins>' + _GONE,
    "tracked moves": '<w:moveTo w:id="1" w:author="A">{0}</w:moveTo>',
    "content controls, inline": "<w:sdt><w:sdtContent>{0}</w:sdtContent></w:sdt>",
    "custom XML": '<w:customXml w:uri="u" w:element="e">{0}</w:customXml>',
    "smart tags": '<w:smartTag w:uri="u" w:element="e">{0}</w:smartTag>',
    "simple fields": '<w:fldSimple w:instr="REF x">{0}</w:fldSimple>',
    "complex fields": _FIELD,
}
"""What is put around every other run."""
BLOCKS: dict[str, str] = {
    "content controls, block": "<w:sdt><w:sdtContent>{0}</w:sdtContent></w:sdt>",
    "text boxes, old": _OLD_BOX,
    "text boxes, modern": _BOX,
    "moved away": '{0}<w:p><w:moveFrom w:id="2" w:author="A"><w:r><w:t>words that moved away</w:t></w:r></w:moveFrom></w:p>',
    "nested tables": "<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc>{0}</w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr></w:tbl>",
    "merged cells": (
        '<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{0}'
        "</w:tc></w:tr></w:tbl>"
    ),
}
"""What is put around every other paragraph."""


def _every_other(pattern: re.Pattern[str], around: str) -> Callable[[str], str]:
    def change(xml: str) -> str:
        counter = iter(range(10_000))
        return pattern.sub(lambda m: m[0] if next(counter) % 2 else around.format(m[0]), xml)

    return change


def strict(data: bytes) -> bytes:
    """A document in the strict namespaces of ISO 29500."""

    def change(xml: str) -> str:
        return re.sub(
            r"http://schemas\.openxmlformats\.org/(\w+)/2006/", r"http://purl.oclc.org/ooxml/\1/", xml
        )

    return changed(changed(data, change), change, "_rels/.rels")


def word_documents(n_each: int, first: int = 0) -> Iterator[Made]:
    """Documents of every feature, ``n_each`` of each."""
    seed = first
    features = [("parts in their styles", None), *RUNS.items(), *BLOCKS.items()]
    features += [(f"words {how}", None) for how in _HIDE] + [("strict", None)]
    for feature, around in features:
        for _ in range(n_each):
            seed += 1
            one = essay(seed)
            text = "\n".join(one.paragraphs)
            if feature in RUNS:
                data = changed(_plain(one), _every_other(_RUN, str(around)))
            elif feature in BLOCKS:
                data = changed(_plain(one), _every_other(_PARAGRAPH, str(around)))
            elif feature == "strict":
                data = strict(_plain(one))
            elif feature.startswith("words "):
                look = _HIDE[feature.removeprefix("words ")]
                run = f"<w:p><w:r><w:rPr>{look}</w:rPr><w:t>{one.hidden}</w:t></w:r></w:p>"
                data = changed(
                    _plain(one), lambda xml, run=run: xml.replace("<w:sectPr", f"{run}<w:sectPr", 1)
                )  # type: ignore[misc]
            else:
                yield styled(one)
                continue
            yield _made(feature, data, text, text)
