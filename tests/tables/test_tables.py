import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.errors import InputError
from ghostbuster.tables.registry import suffixes
from ghostbuster.tables.table import read_table, write_table

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False), CELLS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("suffix", suffixes())
def test_every_kind_gives_back_the_texts_it_was_given(tmp_path, suffix):
    texts = [
        "Plain.",
        'Quoted "so", with, commas',
        "Two\nlines\r\nand a half",
        "tab\there",
        "naïve café 😀",
        "",
    ]
    write_table(pd.DataFrame({"text": texts}), tmp_path / f"t{suffix}")
    path = tmp_path / f"t{suffix}"
    assert read_table(path)["text"].tolist() == texts


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_csv_cells_stay_the_strings_they_are(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("csv")
    for suffix in (".csv", ".tsv"):
        write_table(pd.DataFrame(rows, columns=["id", "text"]), folder / f"t{suffix}")
        assert read_table(folder / f"t{suffix}").to_numpy().tolist() == [list(row) for row in rows]


@pytest.mark.parametrize("cell", ["007", "1e5", "NA", "null", "True", " padded ", "-0", "1,5", "nan"])
def test_nothing_in_a_csv_file_is_taken_for_a_number_or_a_gap(tmp_path, cell):
    path = tmp_path / "t.csv"
    path.write_text(f'id,text\n"{cell}",words\n')
    assert read_table(path)["id"].tolist() == [cell]


@given(rows=st.lists(st.dictionaries(CELLS, VALUES, min_size=1, max_size=4), min_size=1, max_size=4))
def test_json_lines_keep_values_types_and_absent_keys(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("jsonl")
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    write_table(read_table(folder / "in.jsonl"), folder / "out.jsonl")
    written = (folder / "out.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    assert [json.loads(line) for line in written] == rows


def test_parquet_columns_keep_their_types(tmp_path):
    table = pa.table(
        {
            "text": ["a", "b"],
            "small": pa.array([1, None], pa.int8()),
            "when": pa.array([0, 1], pa.timestamp("us", "UTC")),
            "tags": pa.array([["x"], []], pa.list_(pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    write_table(read_table(tmp_path / "in.parquet"), tmp_path / "out.parquet")
    again = pq.read_table(tmp_path / "out.parquet")
    assert again.drop_columns("text").equals(table.drop_columns("text"))
    assert again["text"].to_pylist() == ["a", "b"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\r\nwords,1\r\n")
    assert list(read_table(path).columns) == ["text", "label"]


MALFORMED = {
    "ragged.csv": (b"text,label\na,1\nb,0,extra\n", "row 2 of .*: 3 cells; expected 2, as in the header"),
    "quotes.csv": (b'text\n"never closed\n', "no CSV table"),
    "nothing.csv": (b"", "no CSV table"),
    "header.csv": (b"text,label\n", "has no row"),
    "cut.csv": ("text\nStraße\n".encode("utf-16")[:-1], "no CSV table .*truncated data"),
    "bare.csv": ("text\nwords\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
    "double.jsonl": (b'{"text": "a"}\n{"text": \n', r"row 2 of .*: no JSON \(Expecting value"),
    "list.jsonl": (b"[1, 2]\n", r"row 1 of .*: no JSON object: \[1, 2\]: mend it or drop the row"),
    "list.json": (b'[{"text": "a"}, [1]]', r"row 2 of .*: no JSON object: \[1\]: mend it or drop the row"),
    "open.json": (b'[{"text": "a"}', "no JSON table .behind element 1: expected a comma or the array's end"),
    "behind.json": (b'[{"text": "a"}] {}', "no JSON table .something stands behind the array's end"),
    "broken.json": (b'[{"text": "a", }]', "no JSON table .element 1: "),
    "deep.json": (b'[{"text": ' + b"[" * 100_000, "no JSON table .element 1"),
    "other.json": (b'{\n"text": {"0": "a"}}', "no JSON table .expected an array of objects"),
    "no.json": (b"[]", "has no row"),
    "empty.jsonl": (b"\n\n", "has no row"),
    "cut.parquet": (b"PAR1 and no more", "parquet"),
    "table.xlsx": (b"PK", "no kind of table is called '.xlsx'"),
    "none": (b"text\n", "no kind of table is called 'none'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_table_is_refused_in_one_line(tmp_path, name):
    content, message = MALFORMED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_table_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "folder.csv")


def test_two_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("text,text\na,b\n")
    with pytest.raises(InputError, match="two columns called 'text'"):
        read_table(tmp_path / "t.csv")
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["text", "text"]), path)
    with pytest.raises(InputError, match=r"Multiple matches.*text"):
        read_table(path)


def test_a_failed_write_leaves_the_older_table(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("mine\n")

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ghostbuster.tables.kinds.delimited.csv_line", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_table(pd.DataFrame({"text": ["a"]}), path)
    assert path.read_text() == "mine\n"
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]
