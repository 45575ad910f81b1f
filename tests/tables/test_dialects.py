"""Tables as spreadsheets and databases write them: separators, encodings, arrays."""

import csv
import json
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_jobs import job_of, scored

from ghostbuster.errors import InputError
from ghostbuster.tables.dialect import dialect_of
from ghostbuster.tables.labelled import Columns, read_labelled
from ghostbuster.tables.table import read_table

ROWS = [
    {"id": "007", "text": 'One, two; three: "four".'},
    {"id": "8", "text": "A line\nand another | one\twith é and \U0001f600."},
]


def as_cells(separator):
    quoted = ['"' + row["text"].replace('"', '""') + '"' for row in ROWS]
    lines = [
        f"id{separator}text",
        *(f"{row['id']}{separator}{cell}" for row, cell in zip(ROWS, quoted, strict=True)),
    ]
    return "\r\n".join(lines) + "\r\n"


FILES = {
    "comma.csv": as_cells(",").encode(),
    "semicolon.csv": as_cells(";").encode(),
    "tab.csv": as_cells("\t").encode(),
    "bar.csv": as_cells("|").encode(),
    "comma.tsv": as_cells(",").encode(),
    "mark.csv": as_cells(",").encode("utf-8-sig"),
    "mark_semicolon.csv": as_cells(";").encode("utf-8-sig"),
    "utf16.csv": as_cells(",").encode("utf-16"),
    "utf16_big.csv": b"\xfe\xff" + as_cells(";").encode("utf-16-be"),
    "utf16_tab.csv": as_cells("\t").encode("utf-16"),
    "utf32.csv": as_cells(",").encode("utf-32"),
    "sep.csv": b"sep=,\r\n" + as_cells(",").encode(),
    "sep_quoted.csv": b'"sep=;"\n' + as_cells(";").encode(),
    "sep_odd.csv": ("\ufeffsep=^\n" + as_cells("^")).encode(),
    "array.json": json.dumps(ROWS, indent=2).encode(),
    "array_mark.json": json.dumps(ROWS).encode("utf-8-sig"),
    "array_utf16.json": json.dumps(ROWS, ensure_ascii=False).encode("utf-16"),
    "array.jsonl": json.dumps(ROWS).encode(),
    "lines.json": "\n".join(map(json.dumps, ROWS)).encode(),
    "lines_utf16.jsonl": "\n".join(map(json.dumps, ROWS)).encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_table_holds_the_same_whoever_wrote_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert read_table(path).to_dict("records") == ROWS
    found = read_table(scored(job_of(path, tmp_path / "out.jsonl")))
    assert found[["id", "text"]].to_dict("records") == ROWS


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".csv")])
def test_scores_are_written_as_the_table_was(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    made = scored(job_of(path, tmp_path / "out.csv"))
    before, after = dialect_of(path, ","), dialect_of(made, ",")
    assert (after.mark, after.separator, after.separator_line) == (
        before.mark,
        before.separator,
        before.separator_line,
    )
    assert made.read_bytes().startswith(before.mark)
    found = read_table(made)
    assert list(found.columns) == ["id", "text", "probability", "label"]
    assert found[["id", "text"]].to_dict("records") == ROWS


def test_another_kind_of_table_has_its_own_separator_and_the_same_encoding(tmp_path):
    (tmp_path / "in.csv").write_bytes(FILES["mark_semicolon.csv"])
    made = scored(job_of(tmp_path / "in.csv", tmp_path / "out.tsv"))
    assert made.read_bytes().startswith(b"\xef\xbb\xbfid\ttext\tprobability\tlabel\n")


def test_an_array_is_written_as_an_array(tmp_path):
    (tmp_path / "in.csv").write_bytes(FILES["comma.csv"])
    made = scored(job_of(tmp_path / "in.csv", tmp_path / "out.json"))
    assert [{name: row[name] for name in ("id", "text")} for row in json.loads(made.read_text())] == ROWS


def test_semicolons_in_texts_and_headers_do_not_part_a_table_of_commas(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,text; cleaned\n1,"a; b; c"\n2,d; e; f\n')
    assert read_table(path).columns.tolist() == ["id", "text; cleaned"]
    path.write_text("text; cleaned\nno mark here\nnor here\n")
    assert read_table(path).columns.tolist() == ["text; cleaned"]


def test_a_comma_in_the_header_does_not_part_a_table_of_semicolons(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id;text, raw;score\n1;one, two, three;0,5\n2;four;0,7\n")
    assert read_table(path).columns.tolist() == ["id", "text, raw", "score"]


def test_one_broken_row_does_not_change_how_the_others_are_parted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,text\n1,a;b\n2\n3,c;d\n")
    assert dialect_of(path, ",").separator == ","
    with pytest.raises(InputError, match=r"row 2 of .*t\.csv: 1 cell; expected 2, as in the header: mend"):
        read_table(path)


@given(
    separator=st.sampled_from(",;\t|"),
    cells=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    ),
)
def test_whatever_cells_hold_the_separator_of_their_quoted_rows_is_found(tmp_path_factory, separator, cells):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writerows([["id", "text", "score"], *cells])
    assert read_table(path).to_numpy().tolist() == cells


@pytest.mark.parametrize("header", ["id^text", "No name at all: the first row is a text.", "id text"])
def test_no_message_leads_into_scoring_whole_lines(tmp_path, header):
    path = tmp_path / "t.csv"
    path.write_text(f"{header}\n1^words\n")
    for read in (
        lambda: read_labelled(path, Columns(label=None)),
        lambda: scored(job_of(path, tmp_path / "o.csv")),
    ):
        with pytest.raises(
            InputError, match=r"has no column 'text': its first line is .*save it as CSV"
        ) as caught:
            read()
        assert "column" not in str(caught.value).split(";")[1].replace("the columns' names", "")


def test_a_cell_in_another_encoding_names_its_row_in_training_as_in_scoring(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("text\nwords\nStraße\n".encode("latin-1"))
    fault = r"column 'text' is not UTF-8 \(byte 0xdf at character 5\); expected a text"
    (number, told), *others = read_labelled(path, Columns(label=None)).faults
    assert number == 2
    assert re.fullmatch(fault, told)
    assert not others
    job = job_of(path, tmp_path / "out.csv")
    assert pd.read_csv(scored(job), encoding="latin-1")["error"].str.fullmatch(fault).tolist() == [
        False,
        True,
    ]
