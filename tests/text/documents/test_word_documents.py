"""Word documents: what Word shows is read, once, and nothing else."""

import pytest
from office_files import CASES, par, run, word_bytes, zipped_again

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.office.word import read_word
from ghostbuster.text.documents.read import document_text

P = "The harbour was quiet that morning; nobody had asked for more."
BOX = f"<w:txbxContent>{par(P)}</w:txbxContent>"

SHOWN = {
    "an inserted run": f'<w:p><w:ins w:id="1">{run(P)}</w:ins></w:p>',
    "an inserted paragraph": f'<w:ins w:id="1">{par(P)}</w:ins>',
    "a run moved here": f'<w:p><w:moveTo w:id="1">{run(P)}</w:moveTo></w:p>',
    "moved here, and where it was": (
        f'<w:p><w:moveFrom w:id="1">{run(P)}</w:moveFrom></w:p><w:p><w:moveTo w:id="1">{run(P)}</w:moveTo></w:p>'
    ),
    "beside deleted words": (
        f'<w:p>{run(P)}<w:del w:id="1"><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>'
    ),
    "beside a deleted row": (
        f'{par(P)}<w:tbl><w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc>{par(P)}</w:tc></w:tr></w:tbl>'
    ),
    "an inline content control": f"<w:p><w:sdt><w:sdtPr/><w:sdtContent>{run(P)}</w:sdtContent></w:sdt></w:p>",
    "a content control round paragraphs": f"<w:sdt><w:sdtContent>{par(P)}</w:sdtContent></w:sdt>",
    "controls in controls": (
        f"<w:sdt><w:sdtContent><w:sdt><w:sdtContent>{par(P)}</w:sdtContent></w:sdt></w:sdtContent></w:sdt>"
    ),
    "custom XML": f'<w:customXml w:element="x"><w:p><w:customXml>{run(P)}</w:customXml></w:p></w:customXml>',
    "a smart tag": f"<w:p><w:smartTag><w:smartTag>{run(P)}</w:smartTag></w:smartTag></w:p>",
    "a link": f'<w:p><w:hyperlink r:id="x">{run(P)}</w:hyperlink></w:p>',
    "a simple field": f'<w:p><w:fldSimple w:instr="DOCPROPERTY x">{run(P)}</w:fldSimple></w:p>',
    "a complex field": (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF x</w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(P)}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    ),
    "fields in the instruction of a field": (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f'{run("7")}<w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f'{run(P)}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    ),
    "an old text box": f"<w:p><w:r><w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict></w:r></w:p>",
    "a modern text box with its copy for old readers": (
        '<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><a:graphic><a:graphicData>'
        f"<wps:wsp><wps:txbx>{BOX}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    ),
    "an alternative that no program has": (
        f'<w:p><mc:AlternateContent><mc:Choice Requires="x">{run("never shown")}</mc:Choice>'
        f"<mc:Fallback>{run(P)}</mc:Fallback></mc:AlternateContent></w:p>"
    ),
    "beside elements of another vocabulary": f"<w:p>{run(P)}<x:r><x:t>never shown</x:t></x:r></w:p>",
    "a deleted end of a paragraph": (
        f"<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{run(P[:20])}</w:p><w:p>{run(P[20:])}</w:p>"
    ),
    "letters in two directions": f"<w:p><w:bdo>{run(P)}</w:bdo></w:p>",
    "white on black": par(P, '<w:shd w:val="clear" w:fill="000000"/>', '<w:color w:val="FFFFFF"/>'),
    "white on a marker": par(P, "", '<w:color w:val="FFFFFF"/><w:highlight w:val="black"/>'),
    "a switch turned off": par(P, "", '<w:vanish w:val="0"/>'),
    "small print": par(P, "", '<w:sz w:val="10"/>'),
}


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("strict", [False, True])
def test_what_word_shows_is_read_once(kind, strict):
    made = read_word(word_bytes(SHOWN[kind], strict=strict), "a.docx")
    assert made.text() == P
    assert Part.HIDDEN not in made.words()


LONG = " ".join([P] * 4)


@pytest.mark.parametrize(
    ("rows", "n"),
    [
        (f'<w:tr><w:tc><w:tcPr><w:gridSpan w:val="4"/></w:tcPr>{par(LONG)}</w:tc></w:tr>', 1),
        (f"<w:tr><w:tc><w:tbl><w:tr><w:tc>{par(LONG)}</w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr>", 1),
        (
            f"<w:sdt><w:sdtContent><w:tr><w:tc>{par(LONG)}</w:tc><w:tc>{par(LONG)}</w:tc></w:tr></w:sdtContent></w:sdt>",
            2,
        ),
    ],
)
def test_prose_in_the_cells_of_a_layout_is_read_once_a_cell(rows, n):
    assert read_word(word_bytes(f"<w:tbl>{rows}</w:tbl>"), "a").text() == "\n".join([LONG] * n)


def test_short_cells_are_a_table_and_no_prose():
    table = f"<w:tbl><w:tr><w:tc>{par('Year')}</w:tc><w:tc>{par('1999')}</w:tc></w:tr></w:tbl>"
    made = read_word(word_bytes(par(P) + table), "a")
    assert made.words() == {Part.PROSE: 11, Part.TABLE: 2}
    assert made.text(whole=True) == f"{P}\nYear\n1999"


def test_what_a_merged_cell_covers_is_hidden():
    top = f'<w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{par(LONG)}</w:tc></w:tr>'
    below = f"<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr>{par('never shown')}</w:tc></w:tr>"
    made = read_word(word_bytes(f"<w:tbl>{top}{below}</w:tbl>"), "a")
    assert made.text() == LONG
    assert made.words()[Part.HIDDEN] == 2


SIX = "six words that nobody ever sees"
STYLES = (
    '<w:style w:type="paragraph" w:styleId="Secret"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Child"><w:name w:val="x"/><w:basedOn w:val="Secret"/></w:style>'
    '<w:style w:type="character" w:styleId="Tiny"><w:name w:val="t"/><w:rPr><w:sz w:val="2"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="H"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="Mein Titel"/><w:basedOn w:val="H"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Q"><w:name w:val="Intense Quote"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="C"><w:name w:val="caption"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="toc 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="B"><w:name w:val="Bibliography"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="S"><w:name w:val="Source Code"/></w:style>'
)


@pytest.mark.parametrize(
    "unseen",
    [
        par(SIX, "", "<w:vanish/>"),
        par(SIX, "", '<w:color w:val="FFFFFF"/>'),
        par(SIX, "", '<w:color w:val="FEFEFD"/>'),
        par(SIX, "", '<w:color w:themeColor="background1"/>'),
        par(SIX, "", '<w:sz w:val="2"/>'),
        par(SIX, '<w:pStyle w:val="Secret"/>'),
        par(SIX, '<w:pStyle w:val="Child"/>'),
        par(SIX, "", '<w:rStyle w:val="Tiny"/>'),
        par(
            SIX,
            '<w:shd w:val="clear" w:fill="000080"/>',
            '<w:color w:val="000080"/>',
        ),
        par(SIX, '<w:ind w:left="40000"/>'),
        par(SIX, '<w:spacing w:line="20" w:lineRule="exact"/>'),
        "<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc>" + par(SIX) + "</w:tc></w:tr></w:tbl>",
        '<w:tbl><w:tr><w:trPr><w:trHeight w:val="20" w:hRule="exact"/></w:trPr><w:tc>'
        + par(SIX)
        + "</w:tc></w:tr></w:tbl>",
        '<w:p><w:r><w:drawing><wp:anchor><wp:positionH relativeFrom="page"><wp:posOffset>90000000</wp:posOffset>'
        "</wp:positionH><wps:wsp><wps:txbx><w:txbxContent>"
        + par(SIX)
        + "</w:txbxContent></wps:txbx></wps:wsp></wp:anchor></w:drawing></w:r></w:p>",
        '<w:p><w:r><w:pict><v:shape style="visibility:hidden"><v:textbox><w:txbxContent>'
        + par(SIX)
        + "</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>",
        "<w:p><w:r><w:rPr><w14:textFill><w14:noFill/></w14:textFill></w:rPr>"
        "<w:t>six words that nobody ever sees</w:t></w:r></w:p>",
    ],
)
def test_what_nobody_sees_is_not_read_and_is_counted(unseen):
    made = read_word(word_bytes(par(P) + unseen, styles=STYLES), "a")
    assert made.text(whole=True) == P
    assert made.words()[Part.HIDDEN] == 6
    assert made.notes()[0] == "suspicious: 6 hidden words were left out; honest documents have none"


@pytest.mark.parametrize(
    ("properties", "part"),
    [
        ('<w:pStyle w:val="H"/>', Part.HEADING),
        ('<w:pStyle w:val="Mine"/>', Part.HEADING),
        ('<w:outlineLvl w:val="1"/>', Part.HEADING),
        ('<w:pStyle w:val="Q"/>', Part.QUOTE),
        ('<w:pStyle w:val="C"/>', Part.CAPTION),
        ('<w:pStyle w:val="T"/>', Part.CONTENTS),
        ('<w:pStyle w:val="B"/>', Part.REFERENCES),
        ('<w:pStyle w:val="S"/>', Part.CODE),
    ],
)
def test_styles_say_what_is_no_prose(properties, part):
    made = read_word(word_bytes(par(P) + par("Four words of it", properties), styles=STYLES), "a")
    assert made.words() == {Part.PROSE: 11, part: 4}
    assert made.text() == P
    assert made.text(whole=True) == f"{P}\nFour words of it"


def test_a_whole_paragraph_in_the_style_of_headings_is_prose():
    made = read_word(word_bytes(par(LONG, '<w:pStyle w:val="H"/>'), styles=STYLES), "a")
    assert made.text() == LONG


def test_notes_and_headers_are_told_apart():
    body = f'<w:p>{run(P)}<w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = f'<w:footnote w:id="2">{par("See the map.")}</w:footnote><w:footnote w:id="3">{par("unused")}</w:footnote>'
    made = read_word(word_bytes(body, footnotes=notes, header=par("Jane Doe")), "a")
    assert made.words() == {Part.PROSE: 11, Part.FOOTNOTE: 3, Part.RUNNING: 2}
    assert made.text(whole=True) == f"{P}\nSee the map."


@pytest.mark.parametrize(
    "instruction", ["TOC \\o", "ADDIN ZOTERO_BIBL {}", "ADDIN EN.REFLIST", "BIBLIOGRAPHY"]
)
def test_results_of_fields_that_list_are_no_prose_over_paragraphs(instruction):
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    begin = (
        mark.format("begin")
        + f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"
        + mark.format("separate")
    )
    listed = (
        f"<w:p>{begin}{run('One entry of it')}</w:p>{par('another one of it')}<w:p>{mark.format('end')}</w:p>"
    )
    made = read_word(word_bytes(par(P) + listed + par(P)), "a")
    assert made.text() == f"{P}\n{P}"


def test_a_document_type_is_refused_as_word_refuses_it():
    made = zipped_again(word_bytes(par(P)), "word/document.xml", lambda text: b"<!DOCTYPE d []>" + text)
    with pytest.raises(InputError, match="has a document type"):
        read_word(made, "a.docx")


@pytest.mark.skipif(CASES is None, reason="the folder of cases is not here")
@pytest.mark.parametrize(
    ("name", "n_words", "n_hidden"),
    [
        ("content_control_block", 314, 0),
        ("content_control_inline", 313, 0),
        ("hidden_text", 313, 325),
        ("merged_cells", 313, 0),
        ("moved_from", 313, 0),
        ("moved_to", 313, 0),
        ("nested_table", 313, 0),
        ("plain_human", 325, 0),
        ("plain_machine", 313, 0),
        ("sdt_only_half", 638, 0),
        ("smarttag", 313, 0),
        ("textbox", 313, 0),
        ("tracked_half", 313, 0),
        ("tracked_words", 325, 0),
    ],
)
def test_cases_that_were_misread_keep_all_their_words(name, n_words, n_hidden):
    read = document_text(CASES / "docx" / f"{name}.docx")
    assert len(read.text.split()) == n_words
    assert sum(one["n_words"] for one in read.parts if one["part"] == "hidden") == n_hidden
