import json
import shutil

import numpy as np
import pandas as pd
import pytest
from command_line import one_line, run
from prose import labelled

from ghostbuster.detector.artifact import load
from ghostbuster.errors import InputError
from ghostbuster.tables.labelled import Columns, read_labelled
from ghostbuster.tables.registry import suffixes
from ghostbuster.tables.table import write_table

WORDS = "A few words that make a text."
SMALL = ["--space", "zeroshot", "--max-features", "2", "--min-tokens", "20"]


def table_of(path, labels, texts=None):
    """A table of texts with these labels, of the kind that the path names."""
    texts = texts or [f"{WORDS} {i}" for i in range(len(labels))]
    rows = pd.DataFrame({"text": pd.Series(texts, dtype=object), "label": pd.Series(labels, dtype=object)})
    write_table(rows, path)
    return path


@pytest.mark.parametrize("suffix", suffixes())
@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        (["0", "1"], [0, 1]),
        (["0.0", "1.0"], [0, 1]),
        (["False", "TRUE"], [False, True]),
        ([" Human ", "MACHINE"], ["Human", "MACHINE"]),
        (["human-written", "AI-generated"], ["human-written", "AI-generated"]),
        (["student essay", "0.75"], None),
        (["human essays", "AI essays"], ["human essays", "AI essays"]),
        (["0.25", "0.75"], [0.25, 0.75]),
    ],
)
def test_labels_of_every_kind_of_table_are_the_words_or_numbers_given(tmp_path, suffix, labels, kept):
    found = read_labelled(table_of(tmp_path / f"t{suffix}", labels), Columns())
    if kept is None:
        assert (found.labels, found.n_faults) == ([0.75], 1)
        return
    assert found.labels == kept
    assert [type(one) for one in found.labels] == [type(one) for one in kept]
    assert found.hard_labels == [0, 1]
    assert found.label_array.dtype == object


@pytest.mark.parametrize("labels", [[0, 1], [False, True], [0.0, 1.0]])
def test_tables_that_name_types_keep_those_of_their_labels(tmp_path, labels):
    pd.DataFrame({"text": [WORDS, WORDS], "label": labels}).to_parquet(tmp_path / "t.parquet")
    assert read_labelled(tmp_path / "t.parquet", Columns()).labels == labels


@pytest.mark.parametrize("value", ["2", "not human", "yes", "nan", "", None, 2, float("nan"), [1], {"a": 1}])
def test_a_row_with_another_label_is_named_and_left_out(tmp_path, value):
    path = tmp_path / "t.jsonl"
    rows = [{"text": WORDS, "label": one} for one in ("human", value, "ai")]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_labelled(path, Columns())
    assert (found.labels, found.rows, found.n_rows, found.n_faults) == (["human", "ai"], [1, 3], 3, 1)
    assert found.faults[0][0] == 2
    assert found.faults[0][1].startswith("column 'label' holds")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (None, "column 'text' holds nothing"),
        (3, "column 'text' holds int"),
        (" \n", "column 'text' is blank"),
        ("\u200b\u2060", "column 'text' holds no word"),
        ("<p></p>", "column 'text' holds no word"),
    ],
)
def test_a_row_without_words_is_named_and_left_out_unless_it_may_be_blank(tmp_path, cell, told):
    path = tmp_path / "t.jsonl"
    rows = [{"text": WORDS, "label": 0}, {"text": cell, "label": 1}, {"text": WORDS, "label": 1}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_labelled(path, Columns())
    assert found.faults[0][1].startswith(told)
    assert found.labels == [0, 1]
    assert read_labelled(path, Columns(blank_texts=True)).n_faults == (not isinstance(cell, str))


def test_rows_that_are_no_rows_do_not_end_the_others(tmp_path):
    csv, lines, array = (tmp_path / f"t.{kind}" for kind in ("csv", "jsonl", "json"))
    csv.write_text("text,label\na b,0\na,b,0,1\nb c,1\n")
    lines.write_text('{"text": "a b", "label": 0}\n{"text": \n{"text": "b c", "label": 1}\n')
    array.write_text('[{"text": "a b", "label": 0}, 3, {"text": "b c", "label": 1}]')
    for path in (csv, lines, array):
        found = read_labelled(path, Columns())
        assert (found.texts, found.labels, found.faults[0][0]) == (["a b", "b c"], [0, 1], 2)


def test_a_table_of_which_no_row_can_be_used_is_refused_with_the_first_reason(tmp_path):
    path = table_of(tmp_path / "t.csv", ["A", "B"])
    with pytest.raises(
        InputError, match=r"none of the 2 rows of .* row 1: column 'label' holds 'A'; expected 0, false"
    ):
        read_labelled(path, Columns())


def test_columns_that_are_not_there_are_an_error_of_the_table(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a b", "label": 0}\n{"text": "c d", "Label": 1}\n')
    (number, told), *others = read_labelled(path, Columns()).faults
    assert (number, told.partition(";")[0], others) == (2, "no column 'label' in this row", [])
    for wanted, name in ((Columns(label="lable"), "lable"), (Columns(others=("prompt",)), "prompt")):
        with pytest.raises(InputError, match=f"'{name}'"):
            read_labelled(path, wanted)
    assert read_labelled(path, Columns(label="class", label_where_found=True)).labels == [None, None]


def test_other_columns_are_words_and_rows_without_a_group_stand_alone(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [{"prompt": 7}, {"prompt": None}, {"prompt": ""}, {}, {"prompt": 7}]
    path.write_text("\n".join(json.dumps({"text": WORDS, "label": 0} | row) for row in rows))
    found = read_labelled(path, Columns(others=("prompt",), where_found=("domain",)))
    assert found.columns == {"prompt": ["7", "", "", "", "7"]}
    assert found.groups("prompt") == ["7", "row 2", "row 3", "row 4", "7"]


@pytest.fixture
def documents(tmp_path):
    """Labelled texts as a folder of documents, one of which nobody can read, and one that has no label."""
    texts, labels, groups = labelled(12)
    for i, (text, label, group) in enumerate(zip(texts, labels, groups, strict=True)):
        folder = tmp_path / "texts" / ("AI-generated" if label else "Human") / f"pupil {group}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "texts" / "Human" / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (tmp_path / "texts" / "loose.txt").write_text(texts[0], encoding="utf-8")
    return tmp_path / "texts"


def test_a_folder_of_documents_is_labelled_by_its_folders(documents):
    found = read_labelled(documents, Columns(others=("folder",)))
    assert len(found.texts) == 24
    assert {label: found.labels.count(label) for label in found.labels} == {"AI-generated": 12, "Human": 12}
    assert set(found.columns["folder"]) == {
        f"{one}/pupil {i}" for one in ("AI-generated", "Human") for i in range(12)
    }
    told = " ".join(fault for _, fault in found.faults)
    assert found.n_faults == 2
    assert "old.doc" in told
    assert "loose.txt stands in no folder called human or machine" in told


def test_training_on_a_folder_keeps_its_labels_and_names_what_it_left_out(documents, tmp_path, capsys):
    made = tmp_path / "made.joblib"
    code, out, err = run(capsys, "train", documents, "-o", made, *SMALL, "--group-column", "folder")
    assert (code, out) == (1, "")
    assert err.count("\n") == 2
    detector = load(made)
    assert detector.classes_.tolist() == ["Human", "AI-generated"]
    texts, labels, _ = labelled(12)
    words = np.where(np.array(labels) == 1, "AI-generated", "Human")
    assert (
        detector.score(texts, words)
        == detector.score(texts, labels)
        == np.mean(detector.predict(texts) == words)
    )
    code, out, err = run(capsys, "evaluate", made, documents, "-f", "json")
    assert (code, json.loads(out)["n_human"], json.loads(out)["n_machine"]) == (1, 12, 12)
    (tmp_path / "people").mkdir()
    shutil.copytree(documents / "Human", tmp_path / "people" / "Mr Gray's class")
    code, _, err = run(capsys, "calibrate", made, tmp_path / "people", "-o", tmp_path / "new.joblib")
    assert code in {1, 2}  # 12 texts promise 1 % to nobody: what is refused is their number
    assert "12 of 12 human texts can be used" in err
    (documents / "loose.txt").unlink()
    code, _, err = run(capsys, "calibrate", made, documents, "-o", tmp_path / "new.joblib")
    assert code == 2
    assert "labels 12 of 24 texts machine" in err


def test_training_on_a_table_goes_on_without_its_bad_rows(tmp_path, capsys):
    texts, labels, _ = labelled(12)
    texts[3], texts[7] = "", "\u200b"
    words = ["ChatGPT" if one else "person" for one in labels]
    words[5] = "unknown"
    table, made = table_of(tmp_path / "t.csv", words, texts), tmp_path / "made.joblib"
    code, _, err = run(capsys, "train", table, "-o", made, *SMALL)
    assert code == 1
    assert [line.split(": ")[2].split(" of")[0] for line in err.splitlines()] == ["row 4", "row 6", "row 8"]
    detector = load(made)
    assert detector.classes_.tolist() == ["person", "ChatGPT"]
    assert sum(detector.manifest_["data"][one] for one in ("n_human", "n_machine")) == 21


def test_many_bad_rows_are_counted_not_listed(tmp_path, capsys):
    texts, labels, _ = labelled(12)
    table = table_of(tmp_path / "t.csv", [*labels, *["?"] * 30], [*texts, *[WORDS] * 30])
    code, _, err = run(capsys, "train", table, "-o", tmp_path / "made.joblib", *SMALL)
    assert code == 1
    assert err.count("\n") == 11
    assert "20 more rows of" in err.splitlines()[-1]


def test_one_class_alone_is_refused_in_one_line(tmp_path, capsys):
    table = table_of(tmp_path / "t.csv", ["human"] * 4)
    code, _, err = run(capsys, "train", table, "-o", tmp_path / "made.joblib", *SMALL)
    assert code == 2
    one_line(err, "no machine text among 4")
