"""Word 97 to 2003: read where a library for it is installed, named with what to do elsewhere."""

import shutil
import subprocess

import pytest
from office_files import rtf

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.office import old_word
from ghostbuster.text.documents.read import read_document

P = " ".join(["The harbour was quiet that morning; nobody had asked for more."] * 3)
SIX = "six words that nobody ever sees"
OFFICE = shutil.which("soffice")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A document as LibreOffice writes it for Word 97: a heading, prose, hidden words, a table."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed: nothing else writes such files")
    folder = tmp_path_factory.mktemp("old")
    table = r"\trowd\cellx3000\cellx6000\pard\intbl one cell\cell another\cell\row"
    made = rtf(rf"\pard {P}{{\v {SIX}}}\par {table}\pard {P}\par")
    (folder / "a.rtf").write_bytes(made)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [OFFICE, profile, "--headless", "--convert-to", "doc", "--outdir", folder, folder / "a.rtf"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "a.doc"


@pytest.mark.skipif(not old_word.is_installed(), reason="Aspose.Words FOSS is not installed")
def test_an_old_document_is_read_like_one_of_today(old):
    assert read_document(old).words() == {Part.PROSE: 66, Part.TABLE: 3, Part.HIDDEN: 6}


@pytest.mark.skipif(not old_word.is_installed(), reason="Aspose.Words FOSS is not installed")
def test_a_damaged_old_document_is_one_error(old, tmp_path):
    data = bytearray(old.read_bytes())
    data[1536:3000] = bytes(1464)
    (tmp_path / "a.doc").write_bytes(data)
    with pytest.raises(
        InputError, match=r"a\.doc (cannot be read as Word 97 to 2003|holds no text|is an old)"
    ):
        read_document(tmp_path / "a.doc")


def test_without_the_library_an_old_document_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(old_word, "is_installed", lambda: False)
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "WordDocument".encode("utf-16-le") + bytes(500)
    (tmp_path / "a.doc").write_bytes(start)
    with pytest.raises(InputError, match=r"Word 97 to 2003\): save it as \.docx or \.pdf, or pip install"):
        read_document(tmp_path / "a.doc")
