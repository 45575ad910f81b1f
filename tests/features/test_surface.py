import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.features.surface import SURFACE, surface_channels
from ghostbuster.features.words import owners, split


def by_word(text):
    """Every channel of one text, a unit a word."""
    ends = np.array([end for _, end in split(text)], dtype=np.int64)
    made = surface_channels([text], ends, np.array([0, ends.size]))
    return {name.removeprefix("surface."): values for name, values in made.items()}


def test_words_sentences_clauses_capitals_and_marks_are_measured_as_a_reader_would():
    made = by_word('Yes, NASA said "no." It\'s 3-4 days')
    assert made["word_length"].tolist() == [3, 4, 4, 2, 3, 2, 4]
    assert made["capitals"].tolist() == pytest.approx([1 / 3, 1, 0, 0, 1 / 3, 0, 0])
    assert made["marks"].tolist() == [1, 0, 0, 3, 1, 1, 0]
    assert np.exp(made["log_sentence_length"]).tolist() == pytest.approx([4, 4, 4, 4, 3, 3, 3])
    assert np.exp(made["log_clause_length"]).tolist() == pytest.approx([1, 3, 3, 3, 3, 3, 3])


def test_a_unit_takes_the_number_of_the_word_in_which_it_ends():
    # tokens "ab", "c", " ", "de!" of "abc de!": the gap belongs to the word behind it
    made = surface_channels(["abc de!"], np.array([2, 3, 4, 7]), np.array([0, 4]))
    assert made["surface.word_length"].tolist() == [3, 3, 2, 2]
    assert made["surface.marks"].tolist() == [0, 0, 1, 1]


def test_a_text_of_white_space_is_one_word_without_letters_and_an_empty_one_has_no_unit():
    made = surface_channels(["", " \n"], np.array([1, 2]), np.array([0, 0, 2]))
    assert made["surface.word_length"].tolist() == [0, 0]
    assert made["surface.log_sentence_length"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("ends", "words", "expected"),
    [([1, 2, 3], [3], [0, 0, 0]), ([2, 3, 5, 9], [2, 5], [0, 1, 1, 1])],
)
def test_units_in_white_space_belong_to_the_next_word_or_to_the_last(ends, words, expected):
    assert owners(np.array(ends), np.array(words)).tolist() == expected


@given(st.text(alphabet="aB é.,!?-\"'\n", max_size=60))
def test_every_channel_is_finite_and_never_negative(text):
    for values in by_word(text).values():
        assert np.isfinite(values).all()
        assert (values >= 0).all()


def test_every_row_gives_a_channel():
    assert set(by_word("One.")) == set(SURFACE)
