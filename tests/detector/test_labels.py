import numpy as np
import pandas as pd
import pytest

from ghostbuster.detector.labels import encode_labels, row_array
from ghostbuster.errors import InputError


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1, 1], [0, 1]),
        ([False, True, True], [False, True]),
        (["human", "machine", "machine"], ["human", "machine"]),
        (pd.Series(["human", "machine", "machine"], dtype="category"), ["human", "machine"]),
        (np.array([0, 1, 1], dtype=object), ["human", "machine"]),
    ],
)
def test_every_way_to_write_labels_means_the_same(y, classes):
    labels = encode_labels(y, 3)
    assert labels.probability.tolist() == [0.0, 1.0, 1.0]
    assert labels.hard.tolist() == [0, 1, 1]
    assert labels.classes.tolist() == classes


def test_a_soft_label_counts_as_the_nearer_class():
    labels = encode_labels([0.2, 0.5, 0.9], 3)
    assert labels.probability.tolist() == [0.2, 0.5, 0.9]
    assert labels.hard.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("y", "people"),
    [
        ([0, 1, 0], [True, False, True]),
        ([0.0, 0.2, 0.9], [True, False, False]),
        ([0.1, 0.6, 0.4], [True, False, True]),
    ],
)
def test_promises_are_measured_on_certain_humans_where_there_are_any(y, people):
    assert encode_labels(y, 3).people.tolist() == people


@pytest.mark.parametrize(
    ("y", "culprit"), [([0, 2], "2 of text 1"), ([0.5, -0.1], "-0.1"), ([np.nan, 1.0], "nan")]
)
def test_a_number_outside_zero_to_one_is_named(y, culprit):
    with pytest.raises(InputError, match=culprit):
        encode_labels(y, 2)


def test_a_word_that_is_no_label_is_named():
    with pytest.raises(InputError, match="label 'ai' of text 1; expected 'human' or 'machine'"):
        encode_labels(["human", "ai"], 2)


def test_one_class_alone_is_refused():
    with pytest.raises(InputError, match="no machine text among 2"):
        encode_labels([0, 0], 2)


def test_another_number_of_labels_than_texts_is_refused():
    with pytest.raises(InputError, match=r"shape \(2,\); expected \(3,\)"):
        encode_labels([0, 1], 3)


def test_a_row_array_of_another_length_is_named():
    with pytest.raises(InputError, match=r"groups has shape \(2,\); expected \(3,\)"):
        row_array([1, 2], "groups", 3)
