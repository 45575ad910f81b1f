"""Web pages, e-mail and books: what a person sees of them."""

import zipfile
from io import BytesIO

import pytest
from office_files import CASES

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.read import document_text
from ghostbuster.text.documents.web.epub import read_epub
from ghostbuster.text.documents.web.html import read_html
from ghostbuster.text.documents.web.mail import read_mail

P = "The harbour was quiet that morning; nobody had asked for more."
SIX = "six words that nobody ever sees"


def page(source):
    return read_html(source.encode(), "a.html")


@pytest.mark.parametrize(
    "tag",
    ["p", "div", "section", "article", "main", "figure", "dd", "dt", "li", "td", "th", "caption", "legend",
     "figcaption", "summary", "address", "header", "aside", "h2", "center", "fieldset", "pre"],
)  # fmt: skip
def test_block_elements_part_words(tag):
    inner = f"<{tag}>Name</{tag}><{tag}>Group</{tag}>"
    whole = f"<table><tr>{inner}</tr></table>" if tag in {"td", "th", "caption"} else inner
    assert page(f"<body>{whole}").text(whole=True).split() == ["Name", "Group"]


def test_styles_make_blocks_of_spans_and_lines_of_blocks():
    made = page("<style>.b{display:block}</style><span class=b>One</span><span class=b>two</span>")
    assert made.text().split() == ["One", "two"]
    assert page("<p>un<b>break</b>able <em>words</em></p>").text() == "unbreakable words"
    assert page("<p>one<br>two</p>").text() == "one\ntwo"


HIDING = [
    'style="display:none"', 'style="DISPLAY : None"', 'style="visibility:hidden"', "hidden", 'style="font-size:0"',
    'style="font-size:1px"', 'style="font:0/0 a"', 'style="opacity:0"', 'style="color:#fff"', 'style="color:white"',
    'style="color:rgb(254,254,254)"', 'style="color:transparent"', 'style="color:rgba(0,0,0,.01)"',
    'style="position:absolute;left:-9999px"', 'style="position:fixed;top:-200em"', 'style="text-indent:-9999px"',
    'style="margin-left:-5000px"', 'style="transform:scale(0)"', 'style="transform:translateX(-9999px)"',
    'style="height:0;overflow:hidden"', 'style="width:1px;height:1px;overflow:hidden"',
    'style="position:absolute;clip:rect(0,0,0,0)"', 'style="clip-path:inset(50%)"', 'style="mso-hide:all"',
    'style="background:#123456;color:#123456"', 'style="-webkit-text-fill-color:transparent"',
    'style="--x:none;display:var(--x)"', 'class="a"', 'id="b"', 'class="c"', 'class="d"', 'class="imp" style="display:block"',
]  # fmt: skip
SHEET = (
    "<style>.a{display:none} #b{color:#fff} p.c{font-size:0.5pt} .imp{display:none!important}"
    "@media screen{.d{visibility:hidden}} @media print{.shown{display:none}}</style>"
)


@pytest.mark.parametrize("how", HIDING)
def test_what_a_page_hides_is_not_read_and_is_counted(how):
    made = page(f"{SHEET}<p>{P}</p><p {how}>{SIX}</p><p class=shown>{P}</p>")
    assert made.text(whole=True) == f"{P}\n{P}"
    assert made.words()[Part.HIDDEN] == 6
    assert "6 hidden words" in made.notes()[0]


@pytest.mark.parametrize(
    "shown",
    [
        f'<div style="visibility:hidden"><p style="visibility:visible">{P}</p></div>',
        f'<div style="background:#000"><p style="color:#fff">{P}</p></div>',
        f'<div style="background:url(x.png)"><p style="color:#fff">{P}</p></div>',
        f'<div style="font-size:0"><p style="font-size:12pt">{P}</p></div>',
        f'<p style="display:none" style2="" class=x></p><p>{P}</p>',
        f"<style>.x{{display:none}} p.x{{display:block}}</style><p class=x>{P}</p>",
        f'<table bgcolor="#000000"><tr><td><p><font color="#ffffff">{P} {P} {P}</font></p></td></tr></table>',
        f'<p style="opacity:.9;color:#555">{P}</p>',
    ],
)
def test_what_a_page_shows_is_read(shown):
    made = page(shown)
    assert P in made.text()
    assert Part.HIDDEN not in made.words()


def test_an_unclosed_paragraph_hides_nothing_but_itself():
    assert page(f'<p style="display:none">{SIX}<p>{P}').text() == P


@pytest.mark.parametrize(
    ("element", "part"),
    [
        ("<h2>Four words of it</h2>", Part.HEADING),
        ("<blockquote><p>Four words of it</p></blockquote>", Part.QUOTE),
        ("<pre>Four words of it</pre>", Part.CODE),
        ("<table><tr><td>Four words</td><td>of it</td></tr></table>", Part.TABLE),
        ("<figure><figcaption>Four words of it</figcaption></figure>", Part.CAPTION),
        ("<nav>Four words of it</nav>", Part.RUNNING),
        ('<p class="MsoCaption">Four words of it</p>', Part.CAPTION),
        ("<p class=MsoToc1>Four words of it</p>", Part.CONTENTS),
        ('<div class="gmail_quote">Four words of it</div>', Part.QUOTE),
        ('<div><p><a href="#ftnt_ref1">[1]</a> words of it</p></div>', Part.FOOTNOTE),
        ('<section role="doc-endnotes"><p>Four words of it</p></section>', Part.FOOTNOTE),
    ],
)
def test_elements_say_what_is_no_prose(element, part):
    made = page(f"<p>{P}</p>{element}")
    assert made.text() == P
    assert made.words()[part] == 4


def test_marks_of_notes_and_lists_are_nobodys_words():
    made = page(f'<p>{P}<sup><a href="#f">[1]</a></sup></p><p><span style="mso-list:Ignore">3.</span>{P}</p>')
    assert made.text() == f"{P}\n{P}"


def test_labels_for_reading_aloud_are_no_suspicion():
    made = page(f'<p>{P}</p><span class="sr-only" style="font-size:0">Skip to content</span>')
    assert made.words() == {Part.PROSE: 11}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('<meta charset="latin-1"><p>Straße</p>'.encode("latin-1"), "Straße"),
        ("<p>Straße</p>".encode(), "Straße"),
        ("<p>Straße</p>".encode("utf-16"), "Straße"),
        ("<p>don\u2019t</p>".encode("cp1252"), "don\u2019t"),
        (b'<?xml version="1.0" encoding="iso-8859-2"?><html><p>\xb3</p></html>', "\u0142"),
    ],
)
def test_a_page_is_read_in_its_encoding(data, expected):
    assert read_html(data, "a").text() == expected


def test_a_page_with_large_pictures_inside_is_read():
    picture = "A" * 11_000_000
    assert page(f'<img src="data:image/png;base64,{picture}"><p>{P}</p>').text() == P


def mail(*parts):
    body = "".join(f"--X\r\n{head}\r\n\r\n{text}\r\n" for head, text in parts)
    start = (
        'From: a@b.c\r\nSubject: Not read\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="X"'
    )
    return f"{start}\r\n\r\n{body}--X--\r\n".encode()


def test_a_message_is_read_as_a_mail_program_shows_it():
    plain, html = ("Content-Type: text/plain", "other words"), ("Content-Type: text/html", f"<p>{P}</p>")
    carried = ("Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt", "carried words")
    made = read_mail(mail(plain, html, carried), "a.eml")
    assert made.text() == P
    assert made.remarks == ("1 attachment not read",)


def test_a_saved_page_is_seen_with_the_style_sheets_saved_beside_it():
    page = ("Content-Type: text/html", f"<p>{P}</p><p class=h>{SIX}</p>")
    made = read_mail(mail(page, ("Content-Type: text/css", ".h{display:none}")), "a.mhtml")
    assert made.text() == P
    assert made.words()[Part.HIDDEN] == 6


def test_what_an_answer_quotes_is_apart():
    text = f"{P}\r\n\r\nOn Monday, 3 May 2021, Jane Doe wrote:\r\n> What do you think?\r\n> Jane\r\n"
    made = read_mail(f"From: a@b.c\r\nSubject: x\r\n\r\n{text}".encode(), "a.eml")
    assert made.text() == P
    assert made.words()[Part.QUOTE] == 15


def test_a_message_without_words_is_named():
    with pytest.raises(InputError, match="message without a text"):
        read_mail(mail(("Content-Type: image/png", "AAAA")), "a.eml")


def book(chapters, sheet="", locked=""):
    made = BytesIO()
    items = "".join(f'<item id="c{i}" href="c{i}.xhtml" media-type="x"/>' for i in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in reversed(range(len(chapters))))
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", '<container><rootfile full-path="OPS/b.opf"/></container>')
        if locked:
            archive.writestr("META-INF/encryption.xml", f'<x URI="{locked}"/>')
        archive.writestr(
            "OPS/b.opf",
            f'<package><manifest>{items}<item id="s" href="s.css" media-type="text/css"/></manifest>'
            f"<spine>{spine}</spine></package>",
        )
        archive.writestr("OPS/s.css", sheet)
        for i, chapter in enumerate(chapters):
            archive.writestr(f"OPS/c{i}.xhtml", chapter)
    return made.getvalue()


def test_chapters_are_read_in_the_order_of_the_spine_with_the_books_styles():
    data = book([f"<html><p>{P}</p></html>", f"<p>First.</p><p class=h>{SIX}</p>"], ".h{display:none}")
    made = read_epub(data, "a.epub")
    assert made.text() == f"First.\n{P}"
    assert made.words()[Part.HIDDEN] == 6


def test_a_book_that_its_shop_locked_is_named():
    with pytest.raises(InputError, match="locked by its shop"):
        read_epub(book(["<p>x</p>"], locked="OPS/c0.xhtml"), "a.epub")


@pytest.mark.skipif(CASES is None, reason="the folder of cases is not here")
@pytest.mark.parametrize(
    ("name", "n_words", "n_hidden"),
    [("html/gdocs_export", 313, 0), ("html/word_filtered", 313, 0), ("html/plain_p", 313, 0),
     ("hidden/display_none", 313, 2880), ("hidden/font0", 313, 2880)],
)  # fmt: skip
def test_pages_that_were_misread_keep_all_their_words(name, n_words, n_hidden):
    read = document_text(CASES / f"{name}.html")
    assert len(read.text.split()) == n_words
    assert sum(one["n_words"] for one in read.parts if one["part"] == "hidden") == n_hidden
