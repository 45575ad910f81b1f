"""Types of Parquet columns from rows that come some at a time: they may not depend on where a chunk ends."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_jobs import job_of, scored

from ghostbuster.errors import InputError
from ghostbuster.tables import chunks
from ghostbuster.tables.base import Layout
from ghostbuster.tables.chunks import RecordChunk
from ghostbuster.tables.kinds.parquet import ParquetSink
from ghostbuster.tables.survey import ColumnTypes

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=3),
)


def type_of(values, chunk):
    """Type of a column that is seen so many rows at a time."""
    types = ColumnTypes()
    for first in range(0, len(values), chunk):
        types.see([{"it": value} for value in values[first : first + chunk]])
    return types.schema(["it"]).field("it").type


@pytest.mark.parametrize("chunk", [1, 2, 9])
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], pa.int64()),
        ([1, None, 0.5], pa.float64()),
        ([None, None, True], pa.bool_()),
        ([None, None], pa.string()),
        ([1, "one", 2], pa.string()),
        ([1, [1]], pa.string()),
        ([[1], [], [0.5]], pa.list_(pa.float64())),
        ([{"a": 1}, {"b": "x"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        ([{"a": 1}, 7], pa.string()),
        ([2**53, 0.5], pa.float64()),
        ([2**53 + 1, 0.5], pa.string()),  # as a fraction it would be 2^53
        ([0.5, -(2**53) - 1], pa.string()),
        ([0.5, True], pa.string()),  # as a fraction it would be 1
        ([2**63, -1], pa.string()),  # neither 64 bits with a sign nor without hold both
        ([2**70, 1], pa.string()),
    ],
)
def test_a_columns_type_is_the_narrowest_of_all_chunks(values, kind, chunk):
    assert type_of(values, chunk) == kind


@given(st.lists(SCALARS, min_size=1, max_size=5), st.integers(1, 4))
def test_scalars_have_the_same_type_wherever_a_chunk_ends(values, chunk):
    assert type_of(values, chunk) == type_of(values, len(values))


@pytest.mark.parametrize("rows", [1, 512])
def test_a_large_whole_number_among_fractions_keeps_its_last_digit(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", rows)
    lines = [{"text": "a", "n": 2**53 + 1}, {"text": "b", "n": 0.5}, {"text": "c"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = pq.read_table(scored(job_of(tmp_path / "in.jsonl", tmp_path / "out.parquet")))
    assert found["n"].to_pylist() == ["9007199254740993", "0.5", None]


def test_a_value_that_the_columns_type_cannot_hold_is_named_with_its_column(tmp_path):
    chunk = RecordChunk([{"n": 1}, {"n": "one"}], ["", ""])
    with (
        ParquetSink(tmp_path / "out.parquet", Layout(["n"], {}, pa.schema([("n", pa.int64())]))) as sink,
        pytest.raises(InputError, match=r"column 'n' cannot be stored as Parquet .*: write \.jsonl instead"),
    ):
        sink.write(chunk, {})


def test_large_tables_are_written_a_group_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.tables.kinds.parquet.GROUP_ROWS", 2)
    with ParquetSink(tmp_path / "out.parquet", Layout(["n"], {}, pa.schema([("n", pa.int64())]))) as sink:
        for n in range(5):
            sink.write(RecordChunk([{"n": n}], [""]), {})
    file = pq.ParquetFile(tmp_path / "out.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [2, 2, 1]
    assert file.read()["n"].to_pylist() == [0, 1, 2, 3, 4]
