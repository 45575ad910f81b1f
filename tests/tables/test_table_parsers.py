"""Whatever labels, tables of predictions and variables hold: a value, or one error of ours."""

import contextlib
import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ghostbuster.cli import main
from ghostbuster.commands.ensemble import parse_weights
from ghostbuster.detector.labels import encode_labels
from ghostbuster.errors import GhostbusterError, InputError, SettingError
from ghostbuster.models.backend.devices import DEVICE_VARIABLE, LAYERS_VARIABLE, PATH_VARIABLE, placement
from ghostbuster.models.hub.pulled import RECORDS_VARIABLE, records_folder
from ghostbuster.reading.cache_db import LIMIT_VARIABLE, size_limit
from ghostbuster.system.cache_dir import CACHE_VARIABLE, cache_folder
from ghostbuster.tables.labelled import Columns, read_labelled
from ghostbuster.tables.predictions import predictions_for, read_predictions
from ghostbuster.tables.registry import open_reader
from ghostbuster.tables.table import read_table

HUGE = 10**400  # no float holds it
NESTED = "[" * 100_000
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["human", "machine", "0", "1", "", "nan", HUGE, "\ud800"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
CELLS = st.sampled_from(["id", "probability", "generated", "0.5", "7", '"', ",", "\t", "\n", "\r", "\0", "é"])
LINES = st.text(max_size=40) | st.lists(CELLS, max_size=24).map("".join)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def holds_or_refuses(path):
    """What a table of predictions gives, by both readers; anything but one error of ours is raised."""
    with contextlib.suppress(InputError):
        known = read_predictions(path)
        assert known.dtype == np.float64
        found = predictions_for(known.index[:1].tolist(), known, path)
        assert found.shape == (1,)
    with contextlib.suppress(InputError):
        source = open_reader(path, "id", "id")
        for chunk in source.chunks():
            assert len(chunk.records()) == len(chunk.faults)
            assert all(len(chunk.values(name)) == len(chunk.faults) for name in source.columns)


@given(values=st.lists(JSON, max_size=4), n_texts=st.integers(0, 4))
@example(values=[0, HUGE], n_texts=2)
@example(values=[0, [1, 2]], n_texts=2)
@example(values=["human", HUGE], n_texts=2)
def test_any_labels_are_probabilities_or_refused(values, n_texts):
    with contextlib.suppress(InputError):
        made = encode_labels(values, n_texts)
        assert made.probability.shape == (n_texts,)
        assert all(0 <= one <= 1 for one in made.probability)


@given(values=st.lists(st.complex_numbers() | st.binary(max_size=3) | st.dates(), max_size=3))
def test_labels_of_odd_types_are_refused(values):
    for labels in (values, np.array(values, dtype=object), pd.Series(values, dtype=object)):
        with pytest.raises(InputError):
            encode_labels(labels, len(values))


@given(values=st.lists(JSON, min_size=1, max_size=4))
def test_any_cells_are_labels_or_refused(place, values):
    path = place / "labels.jsonl"
    path.write_text("\n".join(json.dumps({"text": "words", "label": one}) for one in values), "utf-8")
    with contextlib.suppress(InputError):
        made = read_labelled(path, Columns())
        assert len(made.labels) + made.n_faults == len(values)
        assert encode_labels([*made.label_array, 0, 1], len(made.labels) + 2)


@given(head=st.sampled_from(["id,probability\n", "id\tprobability\n", ""]), rest=LINES)
@example(head="id,probability\n", rest="1,0.5\n1,0.5\n")
@example(head="id,probability\n", rest='1,"0.5\n')
@example(head="", rest="\n")
def test_any_lines_are_predictions_or_refused(place, head, rest):
    for name in ("x.csv", "x.tsv"):
        (place / name).write_bytes((head + rest).encode(errors="surrogatepass"))
        holds_or_refuses(place / name)


@given(rows=st.lists(st.fixed_dictionaries({"id": JSON, "probability": JSON}) | JSON, max_size=4))
@example(rows=[{"id": 1, "probability": HUGE}])
@example(rows=[{"id": [1], "probability": 0.5}])
@example(rows=[{"id": "\ud800", "probability": 0.5}])
def test_any_objects_are_predictions_or_refused(place, rows):
    (place / "x.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    holds_or_refuses(place / "x.jsonl")


@given(rest=LINES)
@example(rest=NESTED)
@example(rest='{"id": 1, "probability": ' + "9" * 5000 + "}")
def test_any_lines_are_objects_or_refused(place, rest):
    line = '{"id": "1", "probability": 0.5}\n'
    (place / "y.jsonl").write_bytes((line + rest).encode(errors="surrogatepass"))
    holds_or_refuses(place / "y.jsonl")


@pytest.fixture(scope="module")
def parquet(place):
    """The bytes of a small table of predictions."""
    table = pd.DataFrame({"id": ["a", "b", "c"], "probability": [0.1, 0.5, math.nan]})
    table.to_parquet(place / "sound.parquet")
    return (place / "sound.parquet").read_bytes()


@given(
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4), cut=st.integers(0, 9)
)
def test_any_changed_parquet_file_is_a_table_or_refused(place, parquet, edits, cut):
    raw = bytearray(parquet)
    for at, byte in edits:
        raw[at % len(raw)] = byte
    (place / "z.parquet").write_bytes(bytes(raw)[: len(raw) - max(0, cut - 6) * 40])
    holds_or_refuses(place / "z.parquet")


COLUMNS = st.sampled_from(
    [
        [HUGE, 1],
        [b"\xff", b"a"],
        [[1.0], [2.0]],
        [{"a": 1}, {"a": 2}],
        [pd.Timestamp("2020-01-01"), pd.NaT],
        [None, None],
        [1 + 0j, 2],
        ["0.5", "x"],
        [True, False],
        [0.5, math.inf],
    ]
)


@given(ids=COLUMNS, values=COLUMNS)
def test_parquet_columns_of_any_type_are_predictions_or_refused(place, ids, values):
    path = place / "typed.parquet"
    try:
        pd.DataFrame({"id": ids, "probability": values}).to_parquet(path)
    except Exception:  # noqa: BLE001 - what Parquet cannot hold, it cannot give us
        return
    holds_or_refuses(path)


@settings(max_examples=40)
@given(ids=st.lists(JSON, min_size=1, max_size=3), form=st.sampled_from(["csv", "jsonl", "parquet"]))
@example(ids=["\ud800"], form="csv")
@example(ids=["\ud800"], form="parquet")
def test_ensembles_of_any_ids_are_written_or_refused_in_one_line(place, ids, form):
    inputs = [place / "one.jsonl", place / "two.jsonl"]
    for path in inputs:
        path.write_text("".join(json.dumps({"id": one, "probability": 0.5}) + "\n" for one in ids), "utf-8")
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(["ensemble", *map(str, inputs), "-o", str(place / f"out.{form}"), "-q"])
    assert (code, said.getvalue().count("\n")) in {(0, 0), (2, 1)}
    if code == 0:
        assert len(read_table(place / f"out.{form}")) == len(ids)


VARIABLES = {
    LIMIT_VARIABLE: size_limit,
    LAYERS_VARIABLE: placement,
    DEVICE_VARIABLE: placement,
    PATH_VARIABLE: placement,
    CACHE_VARIABLE: cache_folder,
    RECORDS_VARIABLE: records_folder,
}
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.mark.parametrize("name", VARIABLES)
@given(value=VALUES | st.from_regex(r"[~.]?[/a-z0-9]{0,9} ?[kmgtKMGT]?(i?B)?", fullmatch=True))
@example(value="9" * 5000)
@example(value="~nobody-of-this-name/x")
@example(value="²")
def test_any_value_of_a_variable_is_taken_or_refused(name, value):
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SettingError):
        patch.setenv(name, value)
        assert VARIABLES[name]() is not None


@given(given_weights=st.text(max_size=20) | st.from_regex(r"[0-9.,enaif+-]*", fullmatch=True))
def test_any_weights_are_numbers_or_refused(given_weights):
    with contextlib.suppress(SettingError):
        assert all(isinstance(one, float) for one in parse_weights(given_weights))


def test_errors_of_tables_are_ours():
    assert issubclass(InputError, GhostbusterError)
    assert issubclass(SettingError, GhostbusterError)
