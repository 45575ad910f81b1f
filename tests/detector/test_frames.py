import math

import numpy as np
import pandas as pd
import pytest
from prose import labelled

import ghostbuster
from ghostbuster.errors import ArtifactError, InputError

TEXTS = [*labelled(2)[0], "Five words are too few."]


@pytest.fixture(scope="module")
def detector(detector_file):
    return ghostbuster.load(detector_file)


def test_a_list_gives_a_row_a_text_as_the_verdicts_say(detector):
    frame = ghostbuster.score_texts(TEXTS, detector)
    verdicts = detector.judge(TEXTS)
    assert frame.columns.tolist() == ["probability", "label", "reasons", "n_tokens", "n_words"]
    assert frame.index.tolist() == [0, 1, 2, 3, 4]
    assert frame["label"].tolist() == [verdict.label for verdict in verdicts]
    np.testing.assert_array_equal(frame["probability"], [verdict.probability for verdict in verdicts])
    assert frame["n_words"].tolist() == [70, 70, 70, 70, 5]
    assert math.isnan(frame["probability"][4])
    assert "too short" in frame["reasons"][4]


def test_a_series_keeps_its_index_and_joins_its_table(detector):
    table = pd.DataFrame({"essay": TEXTS}, index=["e", "b", "a", "d", "c"])
    frame = ghostbuster.score_texts(table["essay"], detector)
    assert frame.index.equals(table.index)
    joined = table.join(frame)
    assert joined.loc["c", "label"] == "unsure"
    pd.testing.assert_frame_equal(ghostbuster.score_texts(table, detector, column="essay"), frame)


def test_a_detector_can_be_named_by_its_file(detector, detector_file):
    named = ghostbuster.score_texts(TEXTS, detector_file)
    pd.testing.assert_frame_equal(named, ghostbuster.score_texts(TEXTS, detector))


def test_no_text_gives_no_row(detector):
    frame = ghostbuster.score_texts([], detector)
    assert frame.shape == (0, 5)


def test_the_detector_that_ships_is_loaded_without_a_name():
    assert ghostbuster.load().manifest_ == ghostbuster.load_default().manifest_


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "got one str; expected a sequence"),
        (pd.Series(["a text", None]), "text 1 is (NoneType|float); expected str"),
        (pd.DataFrame({"txt": ["a"]}), "no column of the DataFrame is called 'text'.*did you mean 'txt'"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "two columns called 'text'"),
    ],
)
def test_what_holds_no_texts_is_refused(detector, texts, message):
    with pytest.raises(InputError, match=message):
        ghostbuster.score_texts(texts, detector)


def test_a_file_that_is_no_detector_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        ghostbuster.score_texts(["a text"], tmp_path / "none.joblib")
