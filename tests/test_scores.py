import pickle

import numpy as np
import pytest

from ghostbuster.arrays import TokenScores, Vectors
from ghostbuster.errors import InputError


def scores_of_three_texts():
    """Texts of 2, 0 and 3 tokens."""
    return TokenScores(
        {"logprob": -np.arange(1.0, 6.0)}, ends=np.array([1, 4, 2, 3, 9]), offsets=np.array([0, 2, 2, 5])
    )


def test_take_returns_the_chosen_texts_in_the_order_asked():
    taken = scores_of_three_texts().take([2, 0])
    assert taken.offsets.tolist() == [0, 3, 5]
    assert taken.channels["logprob"].tolist() == [-3.0, -4.0, -5.0, -1.0, -2.0]
    assert taken.ends.tolist() == [2, 3, 9, 1, 4]


def test_taking_an_empty_text_gives_a_text_without_tokens():
    assert scores_of_three_texts().take([1]).offsets.tolist() == [0, 0]


def test_concatenating_the_parts_gives_the_whole():
    whole = scores_of_three_texts()
    joined = TokenScores.concatenate([whole.take([0]), whole.take([1, 2])])
    assert joined.offsets.tolist() == whole.offsets.tolist()
    assert joined.channels["logprob"].tolist() == whole.channels["logprob"].tolist()


def test_vectors_take_keeps_every_channel_on_the_same_units():
    vectors = Vectors(
        {"a.x": np.array([1.0, 2.0, 3.0]), "b.x": np.array([10.0, 20.0, 30.0])}, np.array([0, 1, 3])
    )
    taken = vectors.take([1])
    assert taken.channels["a.x"].tolist() == [2.0, 3.0]
    assert taken.channels["b.x"].tolist() == [20.0, 30.0]
    assert taken.lengths.tolist() == [2]


def test_values_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        scores_of_three_texts().channels["logprob"][0] = 0.0
    with pytest.raises(TypeError, match="item assignment"):
        scores_of_three_texts().channels["rank"] = np.ones(5)


def test_ends_offsets_and_the_channels_of_vectors_cannot_be_written_to_either():
    scores = scores_of_three_texts()
    vectors = Vectors({"a.x": np.ones(2)}, np.array([0, 2]))
    for array in (scores.ends, scores.offsets, vectors.offsets, vectors.channels["a.x"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    with pytest.raises(TypeError, match="item assignment"):
        vectors.channels["b.x"] = np.ones(2)


def test_what_was_given_can_still_be_written_to():
    given = np.array([0, 2])
    Vectors({"a.x": np.ones(2)}, given)
    given[0] = 1
    assert given.tolist() == [1, 2]


def test_taking_no_text_gives_none():
    taken = scores_of_three_texts().take([])
    assert (taken.n_texts, taken.ends.size) == (0, 0)
    assert Vectors({"a.x": np.ones(2)}, np.array([0, 2])).take([]).offsets.tolist() == [0]


def test_pickling_gives_back_the_same_scores():
    again = pickle.loads(pickle.dumps(scores_of_three_texts()))
    assert again.channels["logprob"].tolist() == [-1.0, -2.0, -3.0, -4.0, -5.0]
    vectors = Vectors({"a.x": np.ones(2)}, np.array([0, 2]))
    assert pickle.loads(pickle.dumps(vectors)).channels["a.x"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("offsets", [[], [1, 5], [0, 4], [0, 3, 2, 5]])
def test_offsets_that_do_not_cover_the_tokens_are_refused(offsets):
    with pytest.raises(InputError, match="offsets must rise from 0 to 5"):
        TokenScores({"logprob": np.zeros(5)}, np.arange(5), np.array(offsets, dtype=int))


def test_a_channel_of_another_length_is_named():
    with pytest.raises(InputError, match="channel rank has 4 values; expected 5"):
        TokenScores({"logprob": np.zeros(5), "rank": np.ones(4)}, np.arange(5), np.array([0, 5]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_channel_holding_no_number_is_named(bad):
    with pytest.raises(InputError, match=r"channel weak\.logprob holds NaN or infinity"):
        Vectors({"weak.logprob": np.array([0.0, bad])}, np.array([0, 2]))


def test_a_matrix_is_no_channel():
    with pytest.raises(InputError, match=r"shape \(2, 2\); expected one dimension"):
        Vectors({"weak.logprob": np.zeros((2, 2))}, np.array([0, 2]))


@pytest.mark.parametrize("name", ["ends", "offsets", "logprob"])
def test_an_array_of_two_dimensions_is_named(name):
    arrays = {"logprob": np.zeros(1), "ends": np.ones(1, int), "offsets": np.array([0, 1])}
    arrays[name] = np.zeros((2, 1))
    with pytest.raises(InputError, match=rf"^{name} has shape \(2, 1\); expected one dimension"):
        TokenScores({"logprob": arrays["logprob"]}, arrays["ends"], arrays["offsets"])


def test_offsets_that_are_refused_are_shown_by_their_first_three_and_their_last():
    with pytest.raises(InputError, match=r"got \[0 1 2\]\.\.\.\[4\]$"):
        Vectors({"a.x": np.ones(5)}, np.array([0, 1, 2, 3, 4]))


def test_the_offsets_of_vectors_of_two_dimensions_are_named():
    with pytest.raises(InputError, match=r"^offsets has shape"):
        Vectors({"a.x": np.ones(1)}, np.zeros((2, 1)))


def test_vectors_without_channels_are_refused():
    with pytest.raises(InputError, match="at least one channel"):
        Vectors({}, np.array([0]))


def test_concatenating_nothing_is_refused():
    with pytest.raises(InputError, match="nothing to concatenate"):
        TokenScores.concatenate([])


def test_concatenating_one_part_gives_that_part():
    whole = scores_of_three_texts()
    joined = TokenScores.concatenate([whole])
    assert joined.offsets.tolist() == whole.offsets.tolist()
    assert joined.channels["logprob"].tolist() == whole.channels["logprob"].tolist()
