"""PDF: words in reading order, whole, without what pages carry beside them, and none that nobody sees."""

from io import BytesIO

import pytest
from office_files import CASES

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.pdf.blocks import document_of
from ghostbuster.text.documents.read import document_text

canvas = pytest.importorskip("reportlab.pdfgen.canvas")
PROSE = [
    "The",
    "harbour",
    "was",
    "quiet",
    "that",
    "morning",
    "and",
    "nobody",
    "had",
    "asked",
    "for",
    "more",
    "than",
    "a",
    "cup",
    "of",
    "tea,",
    "so",
    "the",
    "old",
    "keeper",
    "sat",
    "down",
    "by",
    "the",
    "window,",
    "looked",
    "out",
    "over",
    "the",
    "grey",
    "water,",
    "and",
    "began",
    "to",
    "tell",
    "the",
    "story",
    "of",
    "the",
    "winter",
    "when",
    "the",
    "ice",
    "had",
    "come",
    "so",
    "far",
    "south",
    "that",
    "the",
    "boats",
    "could",
    "not",
    "leave",
    "for",
    "seven",
    "weeks",
    "and",
    "the",
    "bread",
    "ran",
    "out.",
]
SIX = "six words that nobody ever sees"


def lines(words, n):
    return [" ".join(words[i : i + n]) for i in range(0, len(words), n)]


def pdf(draw, n_pages=1):
    made = BytesIO()
    page = canvas.Canvas(made, pagesize=(595, 842), pageCompression=0)
    for number in range(1, n_pages + 1):
        page.setFont("Times-Roman", 11)
        draw(page, number)
        page.showPage()
    page.save()
    return document_of(made.getvalue())


def put(page, rows, x=72, y=700, step=14):
    for row in rows:
        page.drawString(x, y, row)
        y -= step
    return y


def test_two_columns_are_read_one_after_the_other_in_whatever_order_they_were_drawn():
    left, right = lines(PROSE[:30], 5), lines(PROSE[30:], 5)

    def draw(page, _):
        page.drawString(
            72, 740, "A title that stands across both of the columns below it, in one line of text"
        )
        for i in range(max(len(left), len(right))):
            for x, column in ((72, left), (320, right)):
                if i < len(column):
                    page.drawString(x, 700 - 14 * i, column[i])

    assert pdf(draw).text().split()[-len(PROSE) :] == PROSE


def test_columns_whose_lines_are_not_level_are_read_one_after_the_other():
    left, right = lines(PROSE[:30], 5), lines(PROSE[30:], 5)

    def draw(page, _):
        put(page, right, x=320, y=707)
        put(page, left)

    assert pdf(draw).text().split() == PROSE


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (("they under-", "stand"), "they understand"),
        (("a well-", "known man"), "a well-known man"),
        (("the state-", "of-the-art"), "the state-of-the-art"),
        (("an Anglo-", "Saxon word"), "an Anglo-Saxon word"),
        (("the govern-", "ment said"), "the government said"),
        (("in 1914-", "1918 they"), "in 1914- 1918 they"),
    ],
)
def test_words_broken_at_the_end_of_a_line_are_whole(broken, whole):
    assert pdf(lambda page, _: put(page, broken)).text() == whole


def test_a_word_broken_by_the_end_of_a_page_is_whole():
    made = pdf(lambda page, n: put(page, ["we under-" if n == 1 else "stand it."], y=400), n_pages=2)
    assert made.text() == "we understand it."


def test_running_heads_and_page_numbers_go():
    def draw(page, n):
        page.drawString(72, 800, f"Jane Doe, Essay {n}")
        put(page, [" ".join(PROSE[:12]) + f" {['one', 'two', 'three'][n - 1]}."], y=600)
        page.drawString(290, 30, f"- {n} -")

    made = pdf(draw, n_pages=3)
    assert made.text().split("\n") == [" ".join(PROSE[:12]) + f" {n}." for n in ("one", "two", "three")]
    assert made.words()[Part.RUNNING] == 3 * 4 + 3 * 3


@pytest.mark.parametrize("x", [30, 55, 550])
def test_numbers_of_lines_go(x):
    rows = lines(PROSE, 8)

    def draw(page, _):
        for i, row in enumerate(rows):
            page.drawString(x, 700 - 14 * i, str(i + 1))
            page.drawString(72, 700 - 14 * i, row)

    assert pdf(draw).text().split() == PROSE


def test_years_at_the_beginning_of_lines_stay():
    rows = ["1999 was the year when", "2004 followed and then", "1914 had been long ago"]
    assert pdf(lambda page, _: put(page, rows)).text().split() == " ".join(rows).split()


HIDDEN = {
    "render mode 3": lambda page: page.drawString(72, 300, SIX, mode=3),
    "white": lambda page: (page.setFillColorRGB(1, 1, 1), page.drawString(72, 300, SIX)),
    "nearly white": lambda page: (page.setFillColorRGB(0.98, 0.98, 0.98), page.drawString(72, 300, SIX)),
    "one point": lambda page: (page.setFont("Times-Roman", 1), page.drawString(72, 300, SIX)),
    "outside the page": lambda page: page.drawString(700, 300, SIX),
    "below the page": lambda page: page.drawString(72, -40, SIX),
    "transparent": lambda page: (page.setFillAlpha(0), page.drawString(72, 300, SIX)),
    "under a white area": lambda page: (
        page.drawString(72, 300, SIX),
        page.setFillColorRGB(1, 1, 1),
        page.rect(60, 290, 400, 30, stroke=0, fill=1),
    ),
    "under a picture": lambda page: (
        page.drawString(72, 300, SIX),
        page.drawImage(picture(), 60, 290, 400, 30),
    ),
    "white on top of other words": lambda page: (
        page.drawString(72, 300, " ".join(PROSE[:6])),
        page.setFillColorRGB(1, 1, 1),
        page.drawString(72, 300, SIX),
    ),
    "of the colour of its area": lambda page: (
        page.setFillColorRGB(0, 0, 0.5),
        page.rect(60, 290, 400, 30, stroke=0, fill=1),
        page.drawString(72, 300, SIX),
    ),
}


def picture():
    """Stripes, so that something is drawn everywhere."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    made = Image.new("RGB", (40, 40))
    made.putdata([(255 * (i // 7 % 2), 90, 120) for i in range(1600)])
    return ImageReader(made)


@pytest.mark.parametrize("how", HIDDEN)
def test_what_nobody_sees_on_a_page_is_not_read_and_is_counted(how):
    made = pdf(lambda page, _: (put(page, lines(PROSE, 10)), HIDDEN[how](page)))
    assert SIX.split()[1] not in made.text(whole=True).replace("that the", "").split()[len(PROSE) :]
    assert made.text(whole=True).split()[: len(PROSE)] == PROSE
    assert made.words()[Part.HIDDEN] >= 5


SEEN = {
    "white on black": lambda page: (
        page.rect(60, 290, 400, 30, stroke=0, fill=1),
        page.setFillColorRGB(1, 1, 1),
        page.drawString(72, 300, SIX),
    ),
    "on a picture": lambda page: (page.drawImage(picture(), 60, 290, 400, 30), page.drawString(72, 300, SIX)),
    "small print": lambda page: (page.setFont("Times-Roman", 5), page.drawString(72, 300, SIX)),
    "outlined": lambda page: page.drawString(72, 300, SIX, mode=1),
    "grey": lambda page: (page.setFillColorRGB(0.6, 0.6, 0.6), page.drawString(72, 300, SIX)),
}


@pytest.mark.parametrize("how", SEEN)
def test_what_shows_on_a_page_is_read(how):
    made = pdf(lambda page, _: (put(page, lines(PROSE, 10)), SEEN[how](page)))
    assert made.text(whole=True).split()[-6:] == SIX.split()
    assert Part.HIDDEN not in made.words()


def test_a_scanned_page_says_so_and_its_invisible_layer_is_no_suspicion():
    def draw(page, n):
        if n == 1:
            put(page, lines(PROSE, 10))
        else:
            page.drawImage(picture(), 0, 0, 595, 842)
            page.drawString(72, 300, SIX, mode=3)

    made = pdf(draw, n_pages=2)
    assert made.text().split() == PROSE
    assert made.remarks == (
        "1 of 2 pages is a picture (scanned), with an invisible layer of 6 words that was not read",
    )
    assert Part.HIDDEN not in made.words()


def test_headings_captions_code_and_notes_are_told_by_their_looks():
    def draw(page, _):
        page.setFont("Times-Bold", 16)
        page.drawString(72, 760, "A heading of five words")
        page.setFont("Times-Roman", 11)
        put(page, lines(PROSE, 10))
        page.drawString(72, 500, "Figure 2. The harbour in winter")
        page.setFont("Courier", 10)
        put(page, ["for i in range(3):", "    print(i)"], y=450)
        page.setFont("Times-Roman", 8)
        page.drawString(72, 60, "1 See the map in the museum.")

    made = pdf(draw)
    assert made.text().split() == PROSE
    words = made.words()
    assert (words[Part.HEADING], words[Part.CAPTION], words[Part.CODE], words[Part.FOOTNOTE]) == (5, 6, 5, 7)


def test_the_number_of_a_note_is_no_word():
    def draw(page, _):
        page.drawString(72, 700, "The keeper sat down")
        width = page.stringWidth("The keeper sat down", "Times-Roman", 11)
        page.setFont("Times-Roman", 6)
        page.drawString(72 + width, 704, "12")
        page.setFont("Times-Roman", 11)
        page.drawString(72 + width + 7, 700, " by the window.")

    assert pdf(draw).text() == "The keeper sat down by the window."


def test_a_page_on_its_side_is_read():
    def draw(page, _):
        page.translate(0, 842)
        page.rotate(-90)
        put(page, lines(PROSE, 10), x=72, y=500)

    assert pdf(draw).text().split() == PROSE


@pytest.mark.skipif(CASES is None, reason="the folder of cases is not here")
@pytest.mark.parametrize(
    ("name", "n_words"),
    [("hyph_human", 325), ("hyph_machine", 313), ("plain_human", 325), ("plain_machine", 313)],
)
def test_a_text_broken_at_line_ends_is_that_of_the_text_that_was_not(name, n_words):
    read = document_text(CASES / "pdf" / f"{name}.pdf")
    whole = document_text(CASES / "docx" / f"{name.replace('hyph', 'plain')}.docx")
    assert read.text.split() == whole.text.split()
    assert len(read.text.split()) == n_words


def test_words_under_a_picture_that_lets_them_through_are_read():
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    stamp = Image.new("RGBA", (40, 40), (200, 0, 0, 40))

    def draw(page, _):
        put(page, lines(PROSE, 10))
        page.drawImage(ImageReader(stamp), 60, 500, 400, 300, mask="auto")

    made = pdf(draw)
    assert made.text().split() == PROSE
    assert Part.HIDDEN not in made.words()
