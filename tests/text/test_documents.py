"""Texts of documents, made here by other programs' means where there are any."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import run

from ghostbuster.errors import InputError, SettingError
from ghostbuster.text.documents import DOCUMENTS, document_text, documents_in

PROSE = "The harbour was quiet that morning; nobody had asked for more."


def a_pdf(text):
    """A PDF of one page by hand: five objects, a table of where they begin, a trailer."""
    stream = f"BT /F1 12 Tf 20 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def write_docx(path, paragraphs):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    document.save(str(path))


def test_a_word_document_gives_its_paragraphs_and_cells_in_order(tmp_path):
    write_docx(tmp_path / "a.docx", [PROSE, "Second."])
    assert document_text(tmp_path / "a.docx").split("\n") == [PROSE, "Second.", "left\tright"]


def test_a_pdf_gives_the_text_of_its_pages(tmp_path):
    pytest.importorskip("pypdf")
    (tmp_path / "a.pdf").write_bytes(a_pdf(PROSE))
    assert document_text(tmp_path / "a.pdf").strip() == PROSE


def test_a_web_page_gives_what_a_reader_sees(tmp_path):
    pytest.importorskip("bs4")
    page = (
        "<html><head><title>Not this</title><style>p {}</style></head><body><nav>Menu</nav>"
        "<script>alert('no')</script><h1>Title</h1><p>One &amp; <b>two</b>.</p><p>Three<br>four</p>"
        "</body></html>"
    )
    (tmp_path / "a.html").write_text(page)
    assert document_text(tmp_path / "a.html").split("\n") == ["Title", "One & two.", "Three", "four", ""]


def test_a_page_in_another_encoding_that_says_so_is_read_in_it(tmp_path):
    pytest.importorskip("bs4")
    page = '<meta charset="latin-1"><p>Straße</p>'
    (tmp_path / "a.htm").write_bytes(page.encode("latin-1"))
    assert document_text(tmp_path / "a.htm").strip() == "Straße"


@pytest.mark.parametrize("suffix", DOCUMENTS)
def test_a_damaged_document_is_one_line_whatever_its_library_raises(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    for content in (b"", b"\x00\x01\x02" * 50, b"PK\x03\x04 no archive", b"%PDF-1.4 and no more"):
        path.write_bytes(content)
        try:
            document_text(path)
        except InputError as error:
            assert "\n" not in str(error).strip()  # noqa: PT017
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert suffix in {".html", ".htm"}  # any bytes are a page


def test_a_document_without_words_says_that_a_scan_has_none(tmp_path):
    pytest.importorskip("pypdf")
    (tmp_path / "a.pdf").write_bytes(a_pdf(""))
    with pytest.raises(InputError, match=r"holds no text.*scanned"):
        document_text(tmp_path / "a.pdf")


def test_a_word_document_that_is_a_bomb_is_refused_unopened(tmp_path, monkeypatch):
    pytest.importorskip("docx")
    monkeypatch.setattr("ghostbuster.text.documents.MOST_UNPACKED", 10**6)
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(2 * 10**6))
    with pytest.raises(InputError, match="unpacks to 2000000 bytes"):
        document_text(tmp_path / "a.docx")


def test_a_locked_pdf_asks_for_a_copy_without_password(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    (tmp_path / "plain.pdf").write_bytes(a_pdf(PROSE))
    writer = pypdf.PdfWriter(clone_from=tmp_path / "plain.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(InputError, match="locked with a password"):
        document_text(tmp_path / "locked.pdf")


def test_documents_of_a_folder_come_by_name_hidden_and_unknown_ones_left_out(tmp_path):
    for name in ("b.txt", "a/c.MD", ".hidden.txt", ".git/x.txt", "a/image.png", "a.d/z.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("words")
    found = [path.relative_to(tmp_path).as_posix() for path in documents_in(tmp_path)]
    assert found == ["a/c.MD", "a.d/z.html", "b.txt"]


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch):
    from ghostbuster.text.documents import check_installed

    monkeypatch.setattr("ghostbuster.text.documents.find_spec", lambda _name: None)
    check_installed([Path("a.txt")])
    with pytest.raises(
        SettingError, match=r"\.docx needs python-docx.*pip install 'ghostbuster\[documents\]'"
    ):
        check_installed([Path("a.docx")])


def test_a_folder_is_scored_document_by_document(capsys, detector_file, tmp_path):
    from prose import passages

    folder = tmp_path / "essays"
    (folder / "more").mkdir(parents=True)
    write_docx(folder / "a.docx", passages(1, 60))
    (folder / "b.txt").write_bytes(b"")
    (folder / "more" / "c.txt").write_text(passages(2, 60)[1])
    command = ["score-table", folder, "-o", tmp_path / "out.csv", "-m", detector_file]
    code, _, err = run(capsys, *command)
    rows = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert code == 1
    assert err.count("\n") == 1
    assert "row 2 of" in err
    assert "b.txt is empty" in err
    assert rows[0] == ["id", "probability", "label", "error"]
    assert [row[0] for row in rows[1:]] == ["a.docx", "b.txt", "more/c.txt"]
    assert [bool(row[1]) for row in rows[1:]] == [True, False, True]


def test_a_folder_without_documents_is_refused(capsys, tmp_path):
    code, _, err = run(capsys, "score-table", tmp_path, "-o", tmp_path / "out.csv")
    assert code == 2
    assert "holds no document" in err


@pytest.mark.parametrize("suffix", [".docx", ".html"])
def test_a_document_is_read_in_any_thread(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".docx":
        write_docx(path, [PROSE])
    else:
        path.write_text(f"<p>{PROSE}</p>")
    with ThreadPoolExecutor(1) as other:
        assert PROSE in other.submit(document_text, path).result()


def test_a_page_is_read_however_deeply_it_is_nested(tmp_path):
    (tmp_path / "a.html").write_text("<div>" * 20_000 + PROSE)
    assert document_text(tmp_path / "a.html").strip() == PROSE


def test_a_page_longer_than_any_page_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.text.documents.MOST_BYTES", 1000)
    path = tmp_path / "a.html"
    path.write_text(f"<p>{PROSE}</p>{' ' * 1000}")
    with pytest.raises(InputError, match=r"is longer than 0\.001 MB: save it as text"):
        document_text(path)
