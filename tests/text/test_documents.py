"""Documents of all kinds: told apart by what they hold, refused in one line, read in folders too."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import run
from office_files import CASES, par, word_bytes
from prose import passages

from ghostbuster.errors import InputError, SettingError
from ghostbuster.tables.registry import suffixes
from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.folder import documents_in
from ghostbuster.text.documents.kinds import SUFFIXES, TABLES, kind_of
from ghostbuster.text.documents.read import check_installed, document_text, read_document

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


def test_a_word_document_gives_its_paragraphs_and_with_whole_its_cells(tmp_path):
    write_docx(tmp_path / "a.docx", [PROSE, "Second."])
    assert document_text(tmp_path / "a.docx").text.split("\n") == [PROSE, "Second."]
    assert document_text(tmp_path / "a.docx", whole=True).text.split("\n") == [
        PROSE,
        "Second.",
        "left",
        "right",
    ]
    assert document_text(tmp_path / "a.docx").notes == (
        "not read: 2 of tables (words; prose alone is judged)",
    )


def test_a_pdf_gives_the_text_of_its_pages(tmp_path):
    (tmp_path / "a.pdf").write_bytes(a_pdf(PROSE))
    assert document_text(tmp_path / "a.pdf").text == PROSE


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_document_is_one_line_whatever_its_library_raises(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    for content in (b"", b"\x00\x01\x02" * 50, b"PK\x03\x04 no archive", b"%PDF-1.4 and no more"):
        path.write_bytes(content)
        try:
            read_document(path)
        except InputError as error:
            assert "\n" not in str(error).strip()  # noqa: PT017
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert suffix in {".html", ".htm", ".xhtml"}  # any bytes are a page


MAIL = b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\n\n" + PROSE.encode()
CONTENTS = {
    "text": PROSE.encode(),
    "word": word_bytes(par(PROSE)),
    "pdf": a_pdf(PROSE),
    "html": f"<!DOCTYPE html><p>{PROSE}</p>".encode(),
    "mail": MAIL,
    "rtf": b"{\\rtf1 " + PROSE.encode() + b"\\par}",
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize(
    "name", ["essay", "essay.doc", "essay.docm", "essay.odt", "essay.pages", "essay.TXT", "v1.2"]
)
def test_what_a_file_holds_says_how_it_is_read_whatever_its_name(tmp_path, kind, name):
    (tmp_path / name).write_bytes(CONTENTS[kind])
    assert document_text(tmp_path / name).text == PROSE


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.png", b"\x89PNG\r\n", "is a picture: expected words"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "is a picture: expected words"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"is an old office document .*save it as \.docx"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        ("a.gz", b"\x1f\x8b\x08", "packed archive: unpack it"),
        ("a.csv", b"text\nwords", "is a table, not one text: use `ghostbuster score-table"),
        ("a.parquet", b"PAR1", "is a table, not one text: use `ghostbuster score-table"),
        ("a.txt", b"", "is empty"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_document(tmp_path / name)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("Index/Document.iwa", "Apple's Pages: export it as Word or PDF"),
        ("xl/workbook.xml", "Excel workbook: save it as .csv"),
        ("ppt/presentation.xml", "PowerPoint"),
        ("essay.docx", "an archive: unpack it"),
    ],
)
def test_archives_of_other_programs_are_named(tmp_path, inside, message):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(inside, "x")
    with pytest.raises(InputError, match=message):
        read_document(tmp_path / "a.zip")


def test_source_code_named_as_text_is_text_and_a_page_is_never_source():
    assert kind_of(b"def f(x):\n    return x\n", "a.py")[0] == "text"
    assert kind_of(b"  <HTML><p>words", "a.txt")[0] == "html"
    assert kind_of(b"<p>words", "a.html")[0] == "html"


def test_a_document_without_words_says_that_a_scan_has_none(tmp_path):
    (tmp_path / "a.pdf").write_bytes(a_pdf(""))
    with pytest.raises(InputError, match=r"holds no text.*scanned"):
        read_document(tmp_path / "a.pdf")


def test_a_word_document_that_is_a_bomb_is_refused_unopened(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.text.documents.bounds.MOST_UNPACKED", 10**6)
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(2 * 10**6))
    with pytest.raises(InputError, match="unpacks to 2000000 bytes"):
        read_document(tmp_path / "a.docx")


def test_a_file_longer_than_any_document_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.text.documents.bounds.MOST_FILE", 10_000)
    (tmp_path / "a.pdf").write_bytes(a_pdf(PROSE) + b" " * 20_000)
    with pytest.raises(InputError, match=r"is longer than 0\.01 MB"):
        read_document(tmp_path / "a.pdf")


def test_a_locked_pdf_asks_for_a_copy_without_password(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    (tmp_path / "plain.pdf").write_bytes(a_pdf(PROSE))
    writer = pypdf.PdfWriter(clone_from=tmp_path / "plain.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(InputError, match="locked with a password"):
        read_document(tmp_path / "locked.pdf")


def test_files_of_a_folder_come_by_name_and_what_programs_leave_behind_is_counted(tmp_path):
    left = (".hidden.txt", ".git/x.txt", "a/~$say.docx", "__MACOSX/a/._c.MD", "Thumbs.db")
    for name in ("b.txt", "a/c.MD", "a/image.png", "a.d/z.html", "essay", *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("words")
    found, passed_over = documents_in(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["a/c.MD", "a/image.png", "a.d/z.html", "b.txt", "essay"]
    assert passed_over.startswith("passed over: ")
    for told in ("3 hidden files", "1 lock file of Word (~$...)", "1 file of macOS (__MACOSX)"):
        assert told in passed_over


def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.text.documents.read.find_spec", lambda _name: None)
    (tmp_path / "a.txt").write_text(PROSE)
    check_installed([tmp_path / "a.txt"])
    assert document_text(tmp_path / "a.txt").text == PROSE
    message = (
        r"reading Word \(\.docx, .*needs lxml, which is not installed: pip install 'ghostbuster\[documents\]'"
    )
    with pytest.raises(SettingError, match=message):
        check_installed([Path("a.docx")])
    (tmp_path / "b").write_bytes(word_bytes(par(PROSE)))
    with pytest.raises(SettingError, match=message):
        read_document(tmp_path / "b")


def test_a_folder_is_scored_document_by_document(capsys, detector_file, tmp_path):
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
    assert rows[0] == ["id", "probability", "label", "error", "notes"]
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
        assert PROSE in other.submit(document_text, path).result().text


def test_a_page_is_read_however_deeply_it_is_nested(tmp_path):
    (tmp_path / "a.html").write_text("<div>" * 20_000 + PROSE)
    assert document_text(tmp_path / "a.html").text == PROSE


def test_a_page_longer_than_any_page_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.text.documents.web.html.MOST_BYTES", 1000)
    path = tmp_path / "a.html"
    path.write_text(f"<p>{PROSE}</p>{' ' * 1000}")
    with pytest.raises(InputError, match=r"is longer than 0\.001 MB: save it as text"):
        read_document(path)


def test_score_file_reads_documents_as_score_table_reads_their_folder(capsys, detector_file, tmp_path):
    folder = tmp_path / "essays"
    folder.mkdir()
    write_docx(folder / "a.docx", passages(1, 60))
    (folder / "b.html").write_text("".join(f"<p>{text}</p>" for text in passages(2, 60)))
    (folder / "c.pages").write_text(passages(3, 60)[2])
    code, out, _ = run(capsys, "score-file", *sorted(folder.iterdir()), "-m", detector_file, "-f", "json")
    scored = {Path(row["path"]).name: row["probability"] for row in json.loads(out)}
    assert code == 0
    run(capsys, "score-table", folder, "-o", tmp_path / "out.jsonl", "-m", detector_file)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {row["id"]: row["probability"] for row in rows} == scored
    assert rows[0]["notes"] == "not read: 2 of tables (words; prose alone is judged)"


def test_parts_that_were_read_and_not_are_counted_in_json(capsys, detector_file, tmp_path):
    write_docx(tmp_path / "a.docx", passages(1, 60))
    _, out, _ = run(capsys, "score-file", tmp_path / "a.docx", "-m", detector_file, "-f", "json")
    row = json.loads(out)[0]
    assert row["parts"] == [
        {"part": "prose", "n_words": row["n_words"], "read": True},
        {"part": "tables", "n_words": 2, "read": False},
    ]
    _, out, _ = run(capsys, "score-file", tmp_path / "a.docx", "-m", detector_file, "-f", "json", "--whole")
    assert all(part["read"] for part in json.loads(out)[0]["parts"])


def test_hidden_words_are_a_suspicion_in_the_reasons_and_in_the_notes_of_a_folder(
    capsys, detector_file, tmp_path
):
    hidden = par("six words that nobody ever sees", "", "<w:vanish/>")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a.docx").write_bytes(word_bytes("".join(map(par, passages(1, 60))) + hidden))
    _, out, _ = run(capsys, "score-file", tmp_path / "f" / "a.docx", "-m", detector_file, "-f", "json")
    suspicion = "suspicious: 6 hidden words were left out; honest documents have none"
    assert suspicion in json.loads(out)[0]["reasons"]
    run(capsys, "score-table", tmp_path / "f", "-o", tmp_path / "out.csv", "-m", detector_file)
    assert suspicion in (tmp_path / "out.csv").read_text()


def test_a_text_without_prose_is_unsure_and_says_what_it_is(capsys, detector_file, tmp_path):
    entries = "\n".join(
        f"Smith, J. (20{n}). A book about boats and ice. London: Press." for n in range(10, 40)
    )
    (tmp_path / "a.txt").write_text(f"References\n{entries}")
    code, out, _ = run(capsys, "score-file", tmp_path / "a.txt", "-m", detector_file, "-f", "json")
    row = json.loads(out)[0]
    assert (code, row["label"], row["probability"]) == (0, "unsure", None)
    assert row["reasons"][0].startswith("no prose to judge: its words are 331 of references; --whole")


def test_a_table_given_to_score_file_is_refused_with_the_command_that_is_meant(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("text\nwords\n")
    code, _, err = run(capsys, "score-file", tmp_path / "a.csv")
    assert code == 2
    assert f"use `ghostbuster score-table {tmp_path / 'a.csv'} -o scored.csv`" in err


def test_a_bad_document_ends_no_calibration(capsys, detector_file, tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    for n, text in enumerate(passages(24, 120)):
        (folder / f"{n:02}.txt").write_text(text)
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 and no more")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
    (folder / "~$lock.docx").write_bytes(b"x")
    code, _, err = run(
        capsys, "calibrate", detector_file, folder, "-o", tmp_path / "new.joblib", "--max-fpr", "0.05"
    )
    assert code == 1
    assert (tmp_path / "new.joblib").exists()
    assert err.count("error: ") == 2
    assert "passed over: 1 lock file of Word" in err


@pytest.mark.skipif(CASES is None, reason="the folder of cases is not here")
def test_a_class_handed_in_is_read_whole_or_named(capsys, detector_file, tmp_path):
    code, _, err = run(
        capsys, "score-table", CASES / "folder" / "class", "-o", tmp_path / "out.jsonl", "-m", detector_file
    )
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert code == 1
    assert [row["id"] for row in rows if row.get("error")] == ["Zoe/empty.txt"]
    assert len(rows) == 13
    assert "passed over: 1 lock file of Word (~$...), 1 file of macOS (__MACOSX)" in err


def test_every_kind_of_table_is_known_as_one():
    assert set(suffixes()) == TABLES


def test_parts_know_whether_they_are_read(tmp_path):
    (tmp_path / "a.md").write_text(f"# Title\n\n{PROSE}\n")
    assert read_document(tmp_path / "a.md").words() == {Part.PROSE: 11, Part.HEADING: 2}
