"""Small files that complaints were tried on: each is read as its reader sees it, and none is forgotten."""

import pytest
from office_files import CASES

from ghostbuster.tables.labelled import Columns, read_labelled
from ghostbuster.text.documents.read import document_text, read_document
from ghostbuster.text.prepare import prepare_or_refuse

pytestmark = pytest.mark.skipif(CASES is None, reason="the folder of cases is not here")

MACHINES = {
    "docx": "content_control_inline hidden_text merged_cells moved_from moved_to nested_table plain_machine "
    "smarttag textbox tracked_half",
    "hidden": "control display_none font0 rendermode3 vanish white",
    "html": "gdocs_export plain_p word_filtered",
    "pdf": "hyph_machine plain_machine",
    "texts": "inv_comma_u201a inv_dotless inv_u2800_in_words",
}
"""Files, by folder, that are the machine's text to the letter, whatever was done to it."""
PEOPLES = {"docx": "plain_human tracked_words", "pdf": "hyph_human plain_human"}
OTHER_WORDS = {"docx/content_control_block": 314, "docx/sdt_only_half": 638, "texts/bullets_end": 526,
               "texts/half_dropped": 593}  # fmt: skip
"""Files that hold something else, and words of them that are judged."""
NO_PROSE = {"texts/code_c": "program code", "texts/machine_code": "program code"}
GLUED = {"dl": "Hypothesis Plants grow faster Method We watered them", "table": "Name Group alpha beta",
         "section": "Introduction The river code Fig"}  # fmt: skip
TABLES = "bom json_array semicolon sep_line utf16"
LABELS = {"bool": {0, 1}, "float": {0, 1}, "single_class": {0}, "words": {0, 1}}
ELSEWHERE = {"texts/code_py", "texts/bibliography"}
"""Files with a test of their own below; ``folder`` has its in ``test_documents.py``."""


def listed(table):
    return [f"{folder}/{name}" for folder, names in table.items() for name in names.split()]


def place(name):
    (found,) = (CASES / name).parent.glob(f"{(CASES / name).name}.*")
    return found


def judged(path):
    return prepare_or_refuse(document_text(path).text)


@pytest.mark.parametrize("name", listed(MACHINES))
def test_the_machines_text_is_read_to_the_letter(name):
    assert judged(place(name)).text == judged(place("docx/plain_machine")).text


@pytest.mark.parametrize("name", listed(PEOPLES))
def test_the_persons_text_is_read_to_the_letter(name):
    assert judged(place(name)).text == judged(place("docx/plain_human")).text


@pytest.mark.parametrize(("name", "n_words"), OTHER_WORDS.items())
def test_no_word_is_lost(name, n_words):
    made = judged(place(name))
    assert (made.n_words, made.unlike) == (n_words, "")


@pytest.mark.parametrize(("name", "called"), NO_PROSE.items())
def test_code_is_no_prose(name, called):
    assert judged(place(name)).unlike.startswith(called)


def test_an_essay_in_a_docstring_is_prose_and_a_bibliography_is_none():
    assert (
        judged(place("texts/code_py")).unlike == ""
    )  # 607 words of English that a person wrote, and no code
    assert (
        "no prose to judge: its words are 139 of references"
        in document_text(place("texts/bibliography")).refusal
    )


@pytest.mark.parametrize(("name", "words"), GLUED.items())
def test_blocks_part_words(name, words):
    assert document_text(place(f"glue/{name}"), whole=True).text.split() == words.split()


@pytest.mark.parametrize("name", [name for name in listed(MACHINES) if name.startswith("hidden/")])
def test_hidden_words_are_counted(name):
    notes = read_document(place(name)).notes()
    assert notes == () if name == "hidden/control" else "suspicious: 2,880 hidden words" in notes[0]


@pytest.mark.parametrize("name", TABLES.split())
def test_every_way_to_write_a_table_holds_the_same_texts(name):
    found = read_labelled(place(f"tables/{name}"), Columns(label=None))
    texts = [prepare_or_refuse(text).text for text in found.texts]
    assert found.n_faults == 0
    assert texts[:2] == [judged(place(f"docx/plain_{one}")).text for one in ("human", "machine")]


@pytest.mark.parametrize(("name", "sides"), LABELS.items())
def test_every_way_to_write_labels_is_read(name, sides):
    found = read_labelled(place(f"labels/{name}"), Columns())
    assert (set(found.hard_labels), found.n_faults) == (sides, 0)


def test_no_case_is_left_out():
    known = {
        *listed(MACHINES), *listed(PEOPLES), *OTHER_WORDS, *NO_PROSE, *ELSEWHERE,
        *(f"glue/{name}" for name in GLUED), *(f"tables/{name}" for name in TABLES.split()),
        *(f"labels/{name}" for name in LABELS),
    }  # fmt: skip
    there = {
        path.relative_to(CASES).with_suffix("").as_posix()
        for path in CASES.rglob("*")
        if path.is_file() and "folder" not in path.relative_to(CASES).parts
    }
    assert known == there
