"""Block quotations that only their place marks; and what stands further in for other reasons."""

import pytest
from office_files import odt, par, rtf, style, word_bytes

from ghostbuster.text.documents.document import Block, Part
from ghostbuster.text.documents.indents import mark_indented
from ghostbuster.text.documents.office.opendocument import read_opendocument
from ghostbuster.text.documents.office.word import read_word
from ghostbuster.text.documents.rtf import read_rtf
from ghostbuster.text.documents.web.html import read_html

OWN = "I read the letter twice before I understood what she had asked of me, and why it came so late. "
QUOTED = (
    "Of all the things that a man may lose at sea the least is his hat, and yet he mourns it longest of all. "
)


def word(indent, *, first="", own=""):
    body = par(OWN * 2, own) + par(QUOTED, f"<w:ind {indent}/>{first}") + par(OWN * 2, own)
    return read_word(word_bytes(body), "a.docx")


def web(source, sheet=""):
    made = f"<style>{sheet}</style><p>{OWN * 2}</p>{source}<p>{OWN * 2}</p>"
    return read_html(made.encode(), "a.html")


def kinds():
    yield "word", word('w:left="720"')
    yield "word, as strict files have it", word('w:start="720" w:end="720"')
    yield "word, beside an indented text", word('w:left="1440"', own='<w:ind w:left="720"/>')
    yield "a page", web(f'<p style="margin-left:36pt">{QUOTED}</p>')
    yield "a page, by all margins", web(f'<div style="margin:0 40px"><p>{QUOTED}</p></div>')
    yield "a page, by its sheet", web(f'<p class="q">{QUOTED}</p>', ".q {padding-left: .5in}")
    yield (
        "opendocument",
        read_opendocument(
            odt(
                f'<text:p text:style-name="O">{OWN * 4}</text:p><text:p text:style-name="Q">{QUOTED}</text:p>',
                style("O") + style("Q", paragraph='fo:margin-left="1.27cm"'),
            ),
            "a.odt",
        ),
    )
    yield (
        "rich text",
        read_rtf(rtf(rf"\pard {OWN * 2}\par\pard\li720\ri720 {QUOTED}\par\pard {OWN * 2}\par"), "a.rtf"),
    )


@pytest.mark.parametrize(("kind", "made"), [pytest.param(*one, id=one[0]) for one in kinds()])
def test_a_paragraph_further_in_than_the_others_is_a_quotation(kind, made):
    assert made.words() == {Part.PROSE: len((OWN * 4).split()), Part.QUOTE: len(QUOTED.split())}, kind


def others():
    yield "a first line alone", word('w:firstLine="720"')
    yield "an item of a list", word('w:left="720"', first='<w:numPr><w:numId w:val="1"/></w:numPr>')
    yield (
        "an item whose mark was typed",
        read_word(
            word_bytes(par(OWN * 2) + par("1. " + QUOTED, '<w:ind w:left="720"/>') + par(OWN)), "a.docx"
        ),
    )
    yield (
        "a few words",
        read_word(word_bytes(par(OWN) + par("Yours, Ann", '<w:ind w:left="5000"/>')), "a.docx"),
    )
    yield "all of it", read_word(word_bytes(par(OWN + QUOTED, '<w:ind w:left="720"/>')), "a.docx")
    yield (
        "much of it",
        read_word(word_bytes(par(OWN * 2) + par(QUOTED * 2, '<w:ind w:left="720"/>')), "a.docx"),
    )
    yield "items of a page", web(f'<ul style="margin-left:40px"><li>{QUOTED}</li></ul>')
    yield "a page in the middle", web(f'<div style="margin:0 auto">{QUOTED}</div>')


@pytest.mark.parametrize("made", [pytest.param(one, id=name) for name, one in others()])
def test_what_stands_further_in_for_other_reasons_is_prose(made):
    assert set(made.words()) == {Part.PROSE}


def test_neighbouring_lines_of_verse_are_one_quotation():
    lines = [Block(Part.PROSE, "Shall I compare thee to a summer's day?", 36.0)] * 4
    marked = mark_indented([Block(Part.PROSE, OWN * 4), *lines, Block(Part.PROSE, OWN)])
    assert [block.part for block in marked] == [Part.PROSE, *[Part.QUOTE] * 4, Part.PROSE]
