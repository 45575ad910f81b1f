"""A detector as a function of batches: of every kind, in any process and thread, under Dask and Spark."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from prose import passages, shuffled

import ghostbuster
from ghostbuster.errors import ArtifactError, InputError, SettingError

TEXTS = [*passages(3, 60), *(shuffled(one, 1) for one in passages(3, 60))]
ROWS = [*TEXTS[:4], None, "Short.", *TEXTS[4:]]


@pytest.fixture(scope="module")
def scorer(detector_file):
    return ghostbuster.BatchScorer(detector_file)


@pytest.fixture(scope="module")
def expected(detector_file):
    """What `score_texts` says of the texts."""
    said = ghostbuster.score_texts(TEXTS, detector_file)
    return dict(zip(TEXTS, zip(said["probability"], said["label"], strict=True), strict=True))


def check(texts, probabilities, labels, errors, expected):
    for text, probability, label, error in zip(texts, probabilities, labels, errors, strict=True):
        if text in expected:
            assert (probability, label) == expected[text]
            assert error is None
        elif text is None:
            assert pd.isna(probability)
            assert label is None
            assert error == "column 'text' holds nothing; expected a text"
        else:
            assert pd.isna(probability)
            assert (label, error) == ("unsure", None)


def test_a_frame_keeps_its_rows_index_and_columns(scorer, expected):
    given = pd.DataFrame({"text": ROWS, "n": range(8)}, index=range(80, 88))
    found = scorer(given)
    assert list(found.columns) == ["text", "n", "probability", "label", "error"]
    assert found.index.tolist() == list(range(80, 88))
    assert given.columns.tolist() == ["text", "n"]
    check(ROWS, found["probability"], found["label"], found["error"], expected)


def test_arrow_tables_and_record_batches_stay_what_they_are(scorer, expected):
    table = pa.table({"text": ROWS, "n": range(8)})
    for given in (table, table.to_batches()[0]):
        found = scorer(given)
        assert type(found) is type(given)
        assert found.schema.names == ["text", "n", "probability", "label", "error"]
        assert [str(found.schema.field(name).type) for name in scorer.added] == list(scorer.added.values())
        check(ROWS, *(found[name].to_pylist() for name in scorer.added), expected)


def test_dicts_of_arrays_stay_dicts_of_arrays(scorer, expected):
    found = scorer({"text": np.array(ROWS, dtype=object), "n": np.arange(8)})
    assert {name: one.dtype.kind for name, one in found.items()} == {
        "text": "O", "n": "i", "probability": "f", "label": "O", "error": "O"
    }  # fmt: skip
    check(ROWS, found["probability"], found["label"], found["error"], expected)


def test_scores_do_not_depend_on_how_rows_are_batched(scorer):
    whole = scorer(pd.DataFrame({"text": TEXTS}))["probability"].tolist()
    for size in (1, 4):
        batches = [pd.DataFrame({"text": TEXTS[i : i + size]}) for i in range(0, 6, size)]
        assert [p for one in scorer.each(batches) for p in one["probability"]] == whole


def test_a_pickled_copy_is_small_and_says_the_same_in_another_process(scorer, tmp_path, expected):
    packed = pickle.dumps(scorer)
    assert len(packed) < 2_000_000
    (tmp_path / "scorer").write_bytes(packed)
    program = (
        "import pickle, sys, pandas as pd\n"
        "scorer = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(scorer(pd.DataFrame({'text': [sys.stdin.read()]}))['probability'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "scorer")],
        input=TEXTS[0], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(done.stdout) == expected[TEXTS[0]][0]


def test_the_file_may_be_gone_when_a_copy_lands(detector_file, tmp_path, expected):
    moved = tmp_path / "mine.joblib"
    moved.write_bytes(detector_file.read_bytes())
    packed = pickle.dumps(ghostbuster.BatchScorer(moved))
    moved.unlink()
    found = pickle.loads(packed)(pd.DataFrame({"text": TEXTS[:1]}))
    assert found["probability"].tolist() == [expected[TEXTS[0]][0]]


def test_threads_share_one(detector_file, expected):
    scorer = ghostbuster.BatchScorer(detector_file)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda text: scorer({"text": [text]})["probability"][0], TEXTS))
    assert found == [expected[text][0] for text in TEXTS]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_its_own_models(scorer, expected):
    scorer({"text": TEXTS[:1]})
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, repr(float(scorer({"text": TEXTS[1:2]})["probability"][0])).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert float(pipe.read()) == expected[TEXTS[1]][0]
    assert os.waitpid(child, 0)[1] == 0


def test_an_empty_batch_opens_no_model(detector_file, monkeypatch):
    scorer = ghostbuster.BatchScorer(detector_file, prefix="gb_")
    monkeypatch.setattr("ghostbuster.models.panel_choice.panel_of", lambda *_: pytest.fail("opened"))
    found = scorer(pd.DataFrame({"text": pd.Series([], dtype=str)}))
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "text": "str", "gb_probability": "float64", "gb_label": "object", "gb_error": "object"
    }  # fmt: skip
    assert scorer(pa.table({"text": pa.array([], pa.string())})).num_rows == 0


def test_what_cannot_be_scored_is_refused_by_name(scorer, detector_file, tmp_path):
    with pytest.raises(InputError, match=r"no column of the batch is called 'text'.*'txt'"):
        scorer({"txt": []})
    with pytest.raises(
        InputError, match="the batch has a column 'label' already: rename it, or give prefix="
    ):
        scorer({"text": [], "label": []})
    with pytest.raises(InputError, match="a batch is a list; expected a pandas DataFrame"):
        scorer([1])
    with pytest.raises(InputError, match="two columns of one name"):
        scorer(pd.DataFrame([["a", "b"]], columns=["text", "text"]))
    with pytest.raises(ArtifactError, match="does not exist"):
        ghostbuster.BatchScorer(tmp_path / "none.joblib")
    with pytest.raises(SettingError, match="register"):
        ghostbuster.BatchScorer(detector_file, register="poem")
    with pytest.raises(SettingError, match="gpu_layers"):
        ghostbuster.BatchScorer(detector_file, gpu_layers=-1)
    with pytest.raises(SettingError, match="expected a name, or the paths"):
        ghostbuster.BatchScorer(detector_file, panel=("a",))


# what distributes batches


@pytest.mark.filterwarnings("default")
def test_dask_maps_it_over_partitions(scorer, expected):
    dask = pytest.importorskip("dask.dataframe", reason="needs dask: pip install 'dask[dataframe]'")
    frame = dask.from_pandas(pd.DataFrame({"text": TEXTS}), npartitions=2)
    found = frame.map_partitions(scorer, meta=scorer(frame._meta)).compute(scheduler="threads")
    assert list(zip(found["probability"], found["label"], strict=True)) == [expected[text] for text in TEXTS]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_spark_maps_it_over_pandas_and_arrow(scorer, expected, monkeypatch):
    sql = pytest.importorskip("pyspark.sql", reason="needs pyspark and Java")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        frame = spark.createDataFrame([(text,) for text in TEXTS], "text string").repartition(2)
        schema = "text string, " + ", ".join(f"{name} {kind}" for name, kind in scorer.added.items())
        for mapped in (frame.mapInPandas, frame.mapInArrow):
            rows = mapped(scorer.each, schema).collect()
            assert {row.text: (row.probability, row.label) for row in rows} == expected
            assert {row.error for row in rows} == {None}
    finally:
        spark.stop()
