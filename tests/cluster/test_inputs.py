"""The files that an input names, here and at addresses; and their rows, read a span at a time."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ghostbuster.cluster.inputs import input_files, would_take
from ghostbuster.cluster.local_files import LocalFiles, RowSource
from ghostbuster.cluster.parts import Span
from ghostbuster.cluster.storage import download, names_in, place_of, read_bytes, written_whole
from ghostbuster.cluster.survey import Columns, survey_file, together
from ghostbuster.errors import InputError
from ghostbuster.tables.registry import kind_of
from ghostbuster.tables.table import write_table

TEXTS = [f'row {i}, with "quotes"\nand lines' for i in range(1500)]


def tables(folder, *names, texts=("a", "bb")):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(pd.DataFrame({"text": list(texts)}), path)


def found(named, root):
    return [one.place.path.removeprefix(f"{root}/") for one in input_files(str(named))]


def test_a_folder_is_its_tables_at_any_depth_without_hidden_ones(tmp_path):
    tables(tmp_path, "b.csv", "a.csv", "year=2025/c.csv", "_drafts/d.csv", ".e.csv", "_f.csv")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "README.md").write_text("no table")
    assert found(tmp_path, tmp_path) == ["a.csv", "b.csv", "year=2025/c.csv"]


def test_patterns_match_within_a_folder_and_two_stars_across(tmp_path):
    tables(tmp_path, "a1.csv", "a2.csv", "b1.csv", "x/a3.csv", "x/y/a4.csv", "z.jsonl")
    assert found(tmp_path / "a*.csv", tmp_path) == ["a1.csv", "a2.csv"]
    assert found(tmp_path / "?1.csv", tmp_path) == ["a1.csv", "b1.csv"]
    assert found(tmp_path / "[!a]1.csv", tmp_path) == ["b1.csv"]
    assert found(tmp_path / "*" / "a*.csv", tmp_path) == ["x/a3.csv"]
    assert found(tmp_path / "**" / "a*.csv", tmp_path) == ["a1.csv", "a2.csv", "x/a3.csv", "x/y/a4.csv"]


def test_a_file_whose_name_has_the_marks_of_a_pattern_is_that_file(tmp_path):
    tables(tmp_path, "a[1].csv", "a1.csv")
    assert found(tmp_path / "a[1].csv", tmp_path) == ["a[1].csv"]
    assert found(tmp_path / "a[[]1].csv", tmp_path) == ["a[1].csv"]  # as glob escapes it


def test_a_part_that_the_input_would_take_for_texts_is_told_from_others(tmp_path):
    tables(tmp_path, "in/a.csv")
    part = place_of(f"{tmp_path}/in/out/part-000000.csv")
    assert would_take(f"{tmp_path}/in", part)
    assert would_take(f"{tmp_path}/in/**/*.csv", part)
    assert not would_take(f"{tmp_path}/in/*.csv", part)
    assert not would_take(f"{tmp_path}/in/a.csv", part)
    assert not would_take(f"{tmp_path}/in", place_of(f"{tmp_path}/in/_out/part-000000.csv"))
    assert not would_take(f"{tmp_path}/in", place_of(f"{tmp_path}/in-scored/part-000000.csv"))
    assert not would_take("memory://in", part)


def test_a_pattern_without_match_a_missing_file_and_a_folder_without_tables_are_named(tmp_path):
    (tmp_path / "essay.docx").touch()
    with pytest.raises(InputError, match=r"\*.parquet matches no file: check the pattern"):
        input_files(f"{tmp_path}/*.parquet")
    with pytest.raises(InputError, match=r"none\.csv does not exist"):
        input_files(f"{tmp_path}/none.csv")
    with pytest.raises(InputError, match=r"the pattern .*\[z-a\].csv cannot be read .*ranges that rise"):
        input_files(f"{tmp_path}/[z-a].csv")
    with pytest.raises(InputError, match=r"matches no file"):
        input_files(f"{tmp_path}/a[\\].csv")
    with pytest.raises(InputError, match=r"holds no table .*a folder of documents is scored without --on"):
        input_files(str(tmp_path))
    with pytest.raises(InputError, match=r"no kind of table is called '\.docx'"):
        input_files(f"{tmp_path}/essay.docx")


def test_tables_of_two_kinds_are_refused_by_name(tmp_path):
    tables(tmp_path, "a.csv", "b.parquet")
    with pytest.raises(
        InputError, match=r"holds CSV \(.*a.csv\) and Parquet \(.*b.parquet\); expected tables of one"
    ):
        input_files(str(tmp_path))
    assert found(f"{tmp_path}/*.csv", tmp_path) == ["a.csv"]


def test_file_addresses_are_paths(tmp_path):
    tables(tmp_path, "a.csv", "b.csv")
    assert found(f"file://{tmp_path}", tmp_path) == ["a.csv", "b.csv"]
    assert found(f"file://{tmp_path}/b*.csv", tmp_path) == ["b.csv"]


def test_an_address_of_no_file_system_is_refused():
    with pytest.raises(InputError, match=r"nowhere://x cannot be opened .*expected a path, or an address"):
        place_of("nowhere://x")


def test_fsspec_addresses_are_read_copied_and_written_whole(tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    memory = fsspec.filesystem("memory")
    memory.makedirs("/in", exist_ok=True)
    with memory.open("/in/a.csv", "w") as handle:
        handle.write("text\nhello\n")
    (file,) = input_files("memory://in")
    assert file.place.local is None
    with LocalFiles() as files:
        assert files.path(file).read_text() == "text\nhello\n"
        copy = files.path(file)
    assert not copy.exists()
    out = place_of("memory://out/part.csv")
    with written_whole(out) as path:
        path.write_text("x")
        assert read_bytes(out) is None
    assert read_bytes(out) == b"x"
    assert names_in(place_of("memory://out")) == ["part.csv"]
    download(out, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "x"


def test_a_file_that_changed_since_is_not_read(tmp_path):
    tables(tmp_path, "a.csv")
    (file,) = input_files(str(tmp_path))
    (tmp_path / "a.csv").write_text("text\nanother\n")
    with (
        LocalFiles() as files,
        pytest.raises(InputError, match="has changed while it was scored: give --restart"),
    ):
        files.path(file)
    (tmp_path / "a.csv").unlink()
    with LocalFiles() as files, pytest.raises(InputError, match="put the input where all nodes reach it"):
        files.path(file)


# rows of spans


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_rows_of_spans_are_the_rows_of_the_file_whatever_is_asked_first(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write_table(pd.DataFrame({"text": TEXTS}), path)
    (file,) = input_files(str(path))
    with LocalFiles() as files:
        source = RowSource(files)
        for start, n in ((0, 10), (10, 700), (1200, 300), (3, 5), (5, 1), (1499, 1), (0, 1500)):
            chunks = source.rows(file, Span(0, start, n, 0), lambda one: kind_of(one).reader(one))
            assert [text for chunk in chunks for text in chunk.values("text")] == TEXTS[start : start + n]
        with pytest.raises(InputError, match="ends before row 1501"):
            list(source.rows(file, Span(0, 1490, 11, 0), lambda one: kind_of(one).reader(one)))
        rows = source.rows(file, Span(0, 0, 2, 0), lambda one: kind_of(one).reader(one))
        assert [text for chunk in rows for text in chunk.values("text")] == TEXTS[:2]


# looking through


def look(folder, columns):
    files = input_files(str(folder))
    return together(files, [survey_file(one, columns) for one in files], str(folder))


def test_a_column_that_one_file_lacks_is_named_with_the_file(tmp_path):
    tables(tmp_path, "a.csv")
    write_table(pd.DataFrame({"words": ["x"], "n": ["1"]}), tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"no column of .*b\.csv is called 'text'"):
        look(tmp_path, Columns("text", ".parquet"))


def test_columns_that_would_be_lost_are_refused_even_where_no_row_has_an_error(tmp_path):
    for name in ("probability", "label", "error"):
        write_table(pd.DataFrame({"text": ["x"], name: ["1"]}), tmp_path / "a.csv")
        with pytest.raises(InputError, match=f"already has a column {name!r}.*--prefix"):
            look(tmp_path, Columns("text", ".csv"))
        look(tmp_path, Columns("text", ".csv", "gb_"))


def test_types_are_those_of_all_files_together(tmp_path):
    for name, row in (
        ("a", {"text": "x", "n": 1}),
        ("b", {"text": "y", "n": 2.5, "late": None}),
        ("c", {"late": 3}),
    ):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": "z", "late": 3}))
    seen = look(tmp_path, Columns("text", ".parquet"))
    assert seen.columns == ["text", "n", "late"]
    assert [str(one.type) for one in seen.schema] == ["string", "double", "int64"]
    assert (seen.n_rows, seen.n_characters, seen.n_faults) == (3, 3, 0)


def test_parquet_files_whose_columns_cannot_be_one_are_refused(tmp_path):
    pq.write_table(pa.table({"text": ["x"], "n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["x"], "n": [["one"]]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="columns of one name and different types"):
        look(tmp_path, Columns("text", ".parquet"))


def test_files_without_rows_are_passed_over_unless_all_are(tmp_path):
    tables(tmp_path, "b.jsonl")
    (tmp_path / "a.jsonl").touch()
    assert look(tmp_path, Columns("text", ".parquet")).n_rows == 2
    (tmp_path / "b.jsonl").write_text("")
    with pytest.raises(InputError, match="has no row"):
        look(tmp_path, Columns("text", ".parquet"))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"a.parquet is no PARQUET table"):
        look(tmp_path, Columns("text", ".parquet"))
