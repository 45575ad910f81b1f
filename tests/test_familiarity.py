import numpy as np
import pytest

from ghostbuster.familiarity import Familiarity, surprise, too_short
from ghostbuster.reading import Reading
from ghostbuster.scores import Vectors
from ghostbuster.text import PreparedText


def reading(texts, logprobs):
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in logprobs])))
    vectors = Vectors({"trigram.logprob": np.array([x for one in logprobs for x in one])}, offsets)
    return Reading(tuple(PreparedText(t, len(t.split()), ()) for t in texts), vectors, np.diff(offsets))


def test_surprise_is_nats_per_character():
    assert surprise(reading(["abcd", "ab"], [[-1.0, -3.0], [-5.0]])).tolist() == [1.0, 2.5]


def test_an_empty_text_is_infinitely_surprising():
    assert surprise(reading([""], [[]])).tolist() == [np.inf]


def test_a_text_as_surprising_as_no_training_text_is_said_not_to_be_english():
    familiar = Familiarity.fit(np.array([[0.0], [1.0]]), np.array([1.0, 2.0]))
    (doubts,) = familiar.doubts(np.array([[0.5]]), np.array([2.5]))
    assert "not the English prose this detector knows: 2.50 nats per character" in doubts[0]


def test_features_far_from_all_training_texts_are_said_to_be_unfamiliar():
    rng = np.random.default_rng(0)
    familiar = Familiarity.fit(rng.normal(size=(1000, 4)), np.ones(1000))
    near, far = familiar.doubts(np.array([[0.0] * 4, [9.0] * 4]), np.array([1.0, 1.0]))
    assert near == []
    assert far[0].startswith("too unlike the texts it knows: its features lie 9.")


def test_one_wild_feature_among_many_does_not_decide_alone():
    rng = np.random.default_rng(0)
    familiar = Familiarity.fit(rng.normal(size=(1000, 100)), np.ones(1000))
    wild = np.zeros((1, 100))
    wild[0, 0] = 1e9
    assert familiar.doubts(wild, np.ones(1)) == [[]]


def test_state_gives_back_the_same_limits():
    familiar = Familiarity.fit(np.array([[0.0], [1.0]]), np.array([1.0, 2.0]))
    again = Familiarity.from_state(familiar.state())
    assert again.farthest == familiar.farthest
    assert again.most_surprising == familiar.most_surprising


@pytest.mark.parametrize(("n_tokens", "short"), [(59, True), (60, False)])
def test_the_floor_itself_is_long_enough(n_tokens, short):
    (doubts,) = too_short([n_tokens], 60)
    assert bool(doubts) == short
