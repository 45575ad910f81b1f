"""What can be seen in Word: colours of the theme, painted tables, pictures before the text."""

import pytest
from office_files import par, run, word_bytes

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.office.word import read_word
from ghostbuster.text.documents.office.word_theme import shaded

P = "The harbour was quiet that morning; nobody had asked for more."
SIX = "six words that nobody ever sees"
NIGHT = (
    '<a:themeElements><a:clrScheme name="night"><a:dk1><a:sysClr val="windowText" lastClr="000000"/></a:dk1>'
    '<a:lt1><a:sysClr val="window" lastClr="FFFFFF"/></a:lt1><a:dk2><a:srgbClr val="101040"/></a:dk2>'
    '<a:lt2><a:srgbClr val="FDFDFD"/></a:lt2><a:accent1><a:srgbClr val="1F4E79"/></a:accent1>'
    "</a:clrScheme></a:themeElements>"
)
SWAPPED = '<w:clrSchemeMapping w:bg1="dark1" w:t1="light1" w:bg2="dark2" w:t2="light2"/>'


def cell(shade, look, table=""):
    inner = f"<w:tc><w:tcPr>{shade}</w:tcPr>{par(SIX, look=look)}</w:tc>"
    return f"<w:tbl><w:tblPr>{table}</w:tblPr><w:tr>{inner}</w:tr></w:tbl>"


WHITE = '<w:color w:val="FFFFFF"/>'


@pytest.mark.parametrize(
    "look",
    [
        '<w:color w:val="FFFFFF" w:themeColor="background1"/>',
        '<w:color w:val="000000" w:themeColor="background1"/>',
        '<w:color w:val="auto" w:themeColor="light1"/>',
        '<w:color w:themeColor="background2"/>',
        '<w:color w:themeColor="accent1" w:themeTint="05"/>',
        '<w14:textFill><w14:solidFill><w14:srgbClr w14:val="FFFFFF"/></w14:solidFill></w14:textFill>',
        '<w14:textFill><w14:solidFill><w14:schemeClr w14:val="bg1"/></w14:solidFill></w14:textFill>',
        '<w14:textFill><w14:solidFill><w14:srgbClr w14:val="000000"><w14:alpha w14:val="100000"/></w14:srgbClr>'
        "</w14:solidFill></w14:textFill>",
        '<w:shd w:val="clear" w:fill="auto" w:themeFill="accent1"/><w:color w:val="1F4E79"/>',
        '<w:shd w:val="solid" w:color="1F4E79"/><w:color w:themeColor="accent1"/>',
    ],
)
def test_letters_in_the_colour_of_what_is_behind_them_are_hidden(look):
    made = read_word(word_bytes(f"<w:p>{run(P)}</w:p><w:p>{run(SIX, look)}</w:p>", theme=NIGHT), "a.docx")
    assert made.text() == P
    assert made.words()[Part.HIDDEN] == 6


@pytest.mark.parametrize(
    "look",
    [
        '<w:color w:val="FFFFFF" w:themeColor="text1"/>',
        '<w:color w:themeColor="background1" w:themeShade="80"/>',
        '<w:color w:themeColor="accent1" w:themeTint="99"/>',
        '<w:color w:themeColor="unheardOf"/>',
        '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="auto" w:themeFill="accent1"/>',
        '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="auto" w:themeFill="unheardOf"/>',
        '<w:color w:val="FFFFFF"/><w14:textFill><w14:solidFill><w14:schemeClr w14:val="tx1"/></w14:solidFill>'
        "</w14:textFill>",
        '<w14:textFill><w14:solidFill><w14:srgbClr w14:val="000000"><w14:alpha w14:val="30000"/></w14:srgbClr>'
        "</w14:solidFill></w14:textFill>",
    ],
)
def test_letters_that_show_are_read(look):
    made = read_word(word_bytes(f"<w:p>{run(P)}{run(' ' + SIX, look)}</w:p>", theme=NIGHT), "a.docx")
    assert made.words() == {Part.PROSE: 17}


def test_the_settings_of_a_document_may_swap_text_and_background():
    body = par(P) + par(SIX, look='<w:color w:themeColor="background1"/>')
    made = read_word(word_bytes(body, theme=NIGHT, settings=SWAPPED), "a.docx")
    assert made.words() == {Part.PROSE: 17}


STYLE = (
    '<w:style w:type="table" w:styleId="Painted"><w:name w:val="Painted"/><w:tblStylePr w:type="firstRow">'
    '<w:rPr><w:color w:val="FFFFFF" w:themeColor="background1"/></w:rPr>'
    '<w:tcPr><w:shd w:val="clear" w:fill="1F4E79"/></w:tcPr></w:tblStylePr></w:style>'
)


@pytest.mark.parametrize(
    ("shade", "table"),
    [
        ('<w:shd w:val="clear" w:fill="1F4E79"/>', ""),
        ('<w:shd w:val="clear" w:fill="auto" w:themeFill="accent1"/>', ""),
        ('<w:shd w:val="clear" w:fill="auto" w:themeFill="text1" w:themeFillTint="BF"/>', ""),
        ('<w:shd w:val="pct50" w:color="000000" w:fill="FFFFFF"/>', ""),
        ("", '<w:tblStyle w:val="Painted"/>'),
    ],
)
def test_white_letters_in_a_painted_cell_are_seen(shade, table):
    body = par(P) + cell(shade, WHITE, table)
    made = read_word(word_bytes(body, theme=NIGHT, styles=STYLE), "a.docx")
    assert made.words() == {Part.PROSE: 11, Part.TABLE: 6}


def test_white_letters_in_a_white_cell_are_hidden():
    made = read_word(
        word_bytes(par(P) + cell('<w:shd w:val="clear" w:themeFill="background1"/>', WHITE)), "a"
    )
    assert made.words() == {Part.PROSE: 11, Part.HIDDEN: 6}


@pytest.mark.parametrize(
    ("colour", "tint", "shade", "expected"),
    [  # what Word 365 writes beside these in its own gallery of theme colours
        ("4472C4", "99", None, "8EAADB"),
        ("4472C4", "33", None, "D9E2F3"),
        ("4472C4", None, "BF", "2F5496"),
        ("FFFFFF", None, "F2", "F2F2F2"),
        ("000000", "80", None, "7F7F7F"),
    ],
)
def test_lighter_and_darker_colours_are_those_that_word_writes_out(colour, tint, shade, expected):
    given, wanted = (tuple(int(one[i : i + 2], 16) for i in (0, 2, 4)) for one in (colour, expected))
    made = shaded(
        tuple(c / 255 for c in given), *(None if one is None else int(one, 16) / 255 for one in (tint, shade))
    )
    assert [round(c * 255) for c in made] == pytest.approx(list(wanted), abs=1)


# pictures

LINES = " ".join([P] * 12)
"""132 words: some ten lines of 11 points on a page of 468."""
EMU = 12_700


def picture(height, width=468, down=0, of="paragraph", wrap="wrapNone", behind="0", inner="", kind="picture"):
    uri = f"http://schemas.openxmlformats.org/drawingml/2006/{kind}"
    return (
        f'<w:p><w:r><w:drawing><wp:anchor behindDoc="{behind}"><wp:positionH relativeFrom="column"><wp:posOffset>0'
        f'</wp:posOffset></wp:positionH><wp:positionV relativeFrom="{of}"><wp:posOffset>{down * EMU}</wp:posOffset>'
        f'</wp:positionV><wp:extent cx="{width * EMU}" cy="{height * EMU}"/><wp:{wrap}/><a:graphic>'
        f'<a:graphicData uri="{uri}">{inner}</a:graphicData></a:graphic></wp:anchor></w:drawing></w:r></w:p>'
    )


def under(*body):
    return read_word(word_bytes("".join(body)), "a.docx").words()


def test_paragraphs_under_a_picture_are_hidden_and_those_below_it_are_not():
    assert under(par(P), picture(300), par(LINES), *[par("")] * 12, par(P)) == {
        Part.PROSE: 22,
        Part.HIDDEN: 132,
    }


def test_a_picture_placed_by_its_page_hides_what_lies_there():
    assert under(par(LINES), par(P), picture(130, of="margin")) == {Part.PROSE: 11, Part.HIDDEN: 132}
    assert under(par(LINES), par(P), picture(130, down=72, of="page")) == {Part.PROSE: 11, Part.HIDDEN: 132}


def test_a_picture_on_the_next_page_hides_nothing_of_this_one():
    turn = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    assert under(par(LINES), turn, picture(300, of="margin"), par(P)) == {Part.PROSE: 143}


@pytest.mark.parametrize(
    "honest",
    [
        picture(300, behind="1"),
        picture(300, wrap="wrapSquare"),
        picture(300, width=200),
        picture(300, down=-320),
        picture(20),
        picture(300, inner='<a:blip><a:alphaModFix amt="30000"/></a:blip>'),
        picture(300, kind="chart"),
    ],
    ids=["behind", "beside", "narrow", "above", "flat", "faint", "chart"],
)
def test_pictures_that_cover_no_paragraph_hide_nothing(honest):
    assert under(par(P), honest, par(LINES)) == {Part.PROSE: 143}


def test_a_picture_over_blank_lines_hides_nothing():
    assert under(par(P), picture(160), *[par("")] * 9, par(P), par(LINES)) == {Part.PROSE: 154}


# shapes of letters, frames, boxes


def frame(properties):
    return par(P) + par(SIX, f"<w:framePr {properties}/>")


def box(extent, inner=""):
    text = f"<wps:txbx><w:txbxContent>{par(SIX)}</w:txbxContent></wps:txbx>"
    return par(P) + (
        f'<w:p><w:r><w:drawing><wp:anchor behindDoc="0">{extent}<a:graphic><a:graphicData><wps:wsp>{text}'
        f"<wps:bodyPr>{inner}</wps:bodyPr></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></w:r></w:p>"
    )


TINY = '<wp:extent cx="635" cy="635"/>'


@pytest.mark.parametrize(
    "body",
    [
        par(P) + par(SIX, look='<w:w w:val="1"/>'),
        par(P) + par(SIX, look='<w:spacing w:val="-200"/>'),
        frame('w:w="1" w:h="1" w:hRule="exact"'),
        frame('w:x="-20000" w:hAnchor="page"'),
        frame('w:y="90000"'),
        box(TINY),
    ],
)
def test_letters_squeezed_or_set_where_nobody_looks_are_hidden(body):
    assert read_word(word_bytes(body), "a.docx").words() == {Part.PROSE: 11, Part.HIDDEN: 6}


@pytest.mark.parametrize(
    "body",
    [
        par(P) + par(SIX, look='<w:w w:val="66"/>'),
        par(P) + par(SIX, look='<w:spacing w:val="-20"/>'),
        par(P) + par(SIX, look="<w:webHidden/>"),
        frame('w:w="2000" w:x="1000" w:y="1000" w:hRule="atLeast" w:h="1"'),
        box(TINY, "<a:spAutoFit/>"),
        box('<wp:extent cx="1270000" cy="635000"/>'),
        box(""),
    ],
)
def test_letters_that_are_set_closely_or_in_frames_are_read(body):
    assert read_word(word_bytes(body), "a.docx").words() == {Part.PROSE: 17}
