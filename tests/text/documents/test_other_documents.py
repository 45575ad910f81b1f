"""Plain text, OpenDocument, RTF, notebooks, LaTeX: prose, and what is none."""

import json

import pytest
from office_files import SPACES, odt, rtf, style

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.kinds import kind_of
from ghostbuster.text.documents.notebook import read_notebook
from ghostbuster.text.documents.office.opendocument import read_flat, read_opendocument
from ghostbuster.text.documents.plain import plain_document
from ghostbuster.text.documents.rtf import read_rtf
from ghostbuster.text.documents.tex import tex_document

P = "The harbour was quiet that morning; nobody had asked for more."
SIX = "six words that nobody ever sees"
REFERENCES = (
    "Smith, J. (2010). A book about boats. London: Press.\n\n"
    "Jones, K., & Brown, A. B. (2011). Ice and bread. Journal of Harbours, 3(2), 1-9. https://doi.org/10.1/x\n\n"
    "[3] Winter Society. (n.d.). Seven weeks. Retrieved from http://example.org/weeks"
)


@pytest.mark.parametrize(
    "title", ["References", "REFERENCES:", "Works Cited", "# Bibliography", "7. References"]
)
def test_a_list_of_references_at_the_end_is_apart(title):
    made = plain_document(f"{P}\n\n{title}\n\n{REFERENCES}\n")
    assert made.text() == P
    assert made.text(whole=True).endswith(REFERENCES)


def test_a_list_of_references_without_a_title_is_apart():
    entries = "\n".join(f"Smith, J. (20{n}). A book about boats. London: Press." for n in (10, 11, 12))
    assert plain_document(f"{P}\n\n{entries}").text() == P


@pytest.mark.parametrize(
    "text",
    [
        f"{P}\nReferences\nIn this section I explain why people who refer to others do so, and what they gain by it.",
        f"{P}\nSmith, J. wrote in 2010 that boats are fine.",
        f"{P}\n```\nnever closed, so no code",
        f"Sources\n{P}",
        f"> {P}",
        f"```\n{P}\n```",
    ],
)
def test_prose_that_only_looks_like_something_else_is_read(text):
    assert plain_document(text).text().split() == [
        word for word in text.split() if not (word == "```" and text.startswith("```"))
    ]


def test_text_behind_the_references_is_read():
    made = plain_document(f"{P}\n\nReferences\n\n{REFERENCES}\n\nAppendix A\n\n{P}")
    assert made.text().split("\n")[-1] == P


def test_code_between_fences_and_quoted_answers_are_apart():
    made = plain_document(f"{P}\n```python\nx = 1\n```\n> What did you say?\n{P}")
    assert made.text() == f"{P}\n{P}"
    assert made.words() == {Part.PROSE: 22, Part.QUOTE: 5, Part.CODE: 5}


def test_a_text_of_prose_alone_is_read_to_the_letter():
    text = f"{P}\n\n\t{P}  {P}\n - {P}"
    assert plain_document(text).text() == text


def test_markdown_has_headings_tables_and_notes():
    made = plain_document(f"# Title\n\n{P}[^1]\n\n| a | b |\n|---|---|\n\n[^1]: See there.", markdown=True)
    assert made.text().strip() == P
    assert set(made.words()) == {Part.PROSE, Part.HEADING, Part.TABLE, Part.FOOTNOTE}


def test_an_opendocument_text_is_read_as_it_is_shown():
    body = (
        f"<text:tracked-changes><text:p>deleted words</text:p></text:tracked-changes>"
        f"<text:section><text:p>The<text:s text:c='1'/>harbour <text:span>was quiet</text:span> that morning; nobody"
        f"<text:tab/>had asked for more.<text:note><text:note-citation>1</text:note-citation>"
        f"<text:note-body><text:p>See there.</text:p></text:note-body></text:note></text:p></text:section>"
        f"<text:h>A heading</text:h><text:list><text:list-item><text:p>{P}</text:p></text:list-item></text:list>"
        f"<text:p><draw:frame><draw:text-box><text:p>{P}</text:p></draw:text-box></draw:frame></text:p>"
        f"<text:table-of-content><text:p>A heading</text:p></text:table-of-content>"
    )
    made = read_opendocument(odt(body), "a.odt")
    assert made.text().replace("\t", " ") == f"{P}\n{P}\n{P}"
    assert made.words() == {Part.PROSE: 33, Part.HEADING: 2, Part.FOOTNOTE: 2, Part.CONTENTS: 2}


@pytest.mark.parametrize(
    ("styles", "unseen"),
    [
        (
            style("x", 'text:display="none"'),
            f'<text:p><text:span text:style-name="x">{SIX}</text:span></text:p>',
        ),
        (style("X", 'fo:color="#ffffff"'), f'<text:p text:style-name="X">{SIX}</text:p>'),
        (style("X", 'fo:font-size="1pt"'), f'<text:p text:style-name="X">{SIX}</text:p>'),
        (
            style("Y", 'fo:font-size="1pt"') + style("X", parent="Y"),
            f'<text:p text:style-name="X">{SIX}</text:p>',
        ),
        ("", f'<text:section text:display="none"><text:p>{SIX}</text:p></text:section>'),
        ("", f"<text:p><text:hidden-text>{SIX}</text:hidden-text></text:p>"),
        (
            "",
            f'<text:p><draw:frame svg:x="90cm"><draw:text-box><text:p>{SIX}</text:p></draw:text-box></draw:frame></text:p>',
        ),
    ],
)
def test_what_an_opendocument_text_hides_is_not_read_and_is_counted(styles, unseen):
    made = read_opendocument(odt(f"<text:p>{P}</text:p>{unseen}", styles), "a.odt")
    assert made.text(whole=True) == P
    assert made.words()[Part.HIDDEN] == 6


def test_a_locked_opendocument_text_asks_for_a_copy():
    with pytest.raises(InputError, match="locked with a password"):
        read_opendocument(odt("", manifest="<encryption-data/>"), "a.odt")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"\\pard {P}\\par", P),
        (
            "\\pard caf\\'e9 \\u8220?quoted\\u8221? \\emdash  \\u-10179?\\u-8704?\\par",
            "caf\u00e9 \u201cquoted\u201d \u2014 \U0001f600",
        ),
        (f"\\pard {P}\\par{{\\header \\pard Jane Doe\\par}}", P),
        (f"\\pard {{\\field{{\\*\\fldinst HYPERLINK x}}{{\\fldrslt {P}}}}}\\par", P),
        (f"\\pard {P}{{\\deleted  gone}}{{\\*\\unknown gone}}\\par", P),
        (f"\\pard {{\\shp{{\\*\\shpinst{{\\sp{{\\sn a}}{{\\sv b}}}}{{\\shptxt \\pard {P}\\par}}}}}}\\par", P),
        (f"\\pard {P[:11]}\n{P[11:]}\\par", P),
    ],
)
def test_rich_text_is_read_as_it_is_shown(body, expected):
    assert read_rtf(rtf(body), "a.rtf").text() == expected


@pytest.mark.parametrize("look", ["\\v", "\\cf1", "\\fs2"])
def test_what_rich_text_hides_is_not_read_and_is_counted(look):
    made = read_rtf(rtf(f"\\pard {P}\\par{{{look} {SIX}\\par}}"), "a.rtf")
    assert made.text(whole=True) == P
    assert made.words()[Part.HIDDEN] == 6


def test_styles_and_notes_of_rich_text_are_told_apart():
    body = f"\\pard\\s1 A heading\\par\\pard {P}{{\\footnote \\pard See there.}}\\par\\pard\\s2 Four words of it\\par"
    assert read_rtf(rtf(body), "a").words() == {
        Part.PROSE: 11, Part.HEADING: 2, Part.QUOTE: 4, Part.FOOTNOTE: 2,
    }  # fmt: skip


def test_a_notebook_is_its_markdown():
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", P]},
        {"cell_type": "code", "source": "x = 1", "outputs": [{"text": ["1\n"]}]},
    ]
    made = read_notebook(json.dumps({"cells": cells, "nbformat": 4}).encode(), "a.ipynb")
    assert made.text() == P
    assert made.words()[Part.CODE] == 4


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"cells": 3}', b'{"cells": [3, {"cell_type": "markdown"}]}'])
def test_what_is_no_notebook_is_an_error_or_empty(data):
    try:
        assert read_notebook(data, "a.ipynb").words() == {}
    except InputError as error:
        assert "no notebook" in str(error)  # noqa: PT017


TEX = r"""
\documentclass{article}\title{On Harbours}
\begin{document}\maketitle % a comment
\section{Five words} The harbour was \emph{quiet} that morning;\footnote{See there.} nobody~had asked for more.

\iffalse hidden words \fi
\begin{quote}Four words of it\end{quote}
\begin{verbatim}x = 1\end{verbatim}
\begin{figure}\includegraphics{a}\caption{A picture of it}\end{figure}
\textcolor{white}{six words that nobody ever sees}
\begin{thebibliography}{9}\bibitem{a} Smith, J. (2010). A book.\end{thebibliography}
\end{document}
"""


def test_latex_is_read_as_it_is_set():
    made = tex_document(TEX)
    assert made.text() == P
    words = made.words()
    assert words[Part.HEADING] == 4
    assert (words[Part.QUOTE], words[Part.CAPTION], words[Part.FOOTNOTE], words[Part.HIDDEN]) == (4, 4, 2, 6)
    assert Part.REFERENCES in words


@pytest.mark.parametrize(
    ("body", "n_hidden"),
    [
        (f'<text:section text:display="none"><text:p>{SIX}</text:p></text:section>', 6),
        (
            '<text:section text:display="condition" text:condition="ooow:Solution==0" text:is-hidden="true">'
            f"<text:p>{SIX}</text:p></text:section>",
            6,
        ),
        (
            '<text:section text:display="condition" text:condition="ooow:1==1">'
            f"<text:p>{SIX}</text:p></text:section>",
            6,
        ),
        (f'<text:section text:display="condition"><text:p>{SIX}</text:p></text:section>', 0),
        (f'<text:p><text:hidden-paragraph text:is-hidden="true"/>{SIX}</text:p>', 6),
        (f'<text:p><text:hidden-paragraph text:is-hidden="false"/>{SIX}</text:p>', 0),
    ],
)
def test_sections_and_paragraphs_with_conditions_are_hidden_as_they_are_shown(body, n_hidden):
    made = read_opendocument(odt(f"<text:p>{P}</text:p>{body}"), "a.odt")
    assert made.words().get(Part.HIDDEN, 0) == n_hidden
    assert made.words()[Part.PROSE] == 17 - n_hidden


HIDDEN_STYLE = style("t", 'text:display="none"')


def test_an_opendocument_text_in_one_file_is_read_like_one_in_an_archive():
    made = (
        f'<?xml version="1.0"?>\n<office:document {SPACES} office:mimetype="application/vnd.oasis.opendocument.text">'
        f"<office:automatic-styles>{HIDDEN_STYLE}</office:automatic-styles><office:body>"
        f'<office:text><text:p>{P}<text:span text:style-name="t">{SIX}</text:span></text:p></office:text>'
        "</office:body></office:document>"
    )
    for name in ("a.fodt", "a.xml", "a"):
        kind, refusal = kind_of(made.encode(), name)
        assert (kind, refusal) == ("flat opendocument", "")
    assert read_flat(made.encode(), "a.fodt").words() == {Part.PROSE: 11, Part.HIDDEN: 6}


@pytest.mark.parametrize(
    "start", [b'<?mso-application progid="Word.Document"?><w:wordDocument/>', b"<pkg:package/>"]
)
def test_word_as_xml_is_named_with_what_to_do(start):
    kind, refusal = kind_of(b'<?xml version="1.0"?>' + start, "a.xml")
    assert (kind, refusal) == ("", "a document of Word as XML: save it as .docx or .pdf")
