import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.decision.explain import compared, in_words, term_in_words
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import OPS, SKIPS
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.spaces import SPACES
from ghostbuster.features.surface import SURFACE
from ghostbuster.features.zero_shot import STATISTICS


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("strong.prob s-p05", "lowest twentieth of likelihood under the larger model"),
        (
            "strong.logprob v-sub unigram.logprob s-kurt",
            "rare extremes of predictability to the larger model compared with commonness of words",
        ),
        (
            "weak.entropy u-skip-25 s-avg",
            "average the smaller model's uncertainty, after the first 25 tokens",
        ),
        ("stat-entropy weak", "the smaller model's average uncertainty (entropy)"),
        ("unigram.logprob s-autocorr", "likeness of neighbours in commonness of words"),
    ],
)
def test_a_feature_is_said_in_words_a_teacher_can_read(feature, words):
    assert in_words(Feature.parse(feature)) == words


@pytest.mark.parametrize("space", SPACES)
def test_every_feature_of_every_space_has_words(space):
    for feature in SPACES[space].rule():
        said = in_words(feature)
        assert said
        assert not {"{", "}", "."} & set(said)


def test_every_row_of_every_table_has_words():
    assert {op.words.count("{}") for op in OPS.values()} == {2}
    assert {name for name, reducer in REDUCERS.items() if reducer.words.count("{}") != 1} == {"s-len"}
    assert {statistic.words.count("{}") for statistic in STATISTICS.values()} == {1}
    assert all(row.words and "{" not in row.words for row in (*SURFACE.values(), *SKIPS.values()))


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        (97.4, "higher than in 97 % of people's texts"),
        (3.0, "lower than in 97 % of people's texts"),
        (100.0, "higher than in over 99 % of people's texts"),
        (0.0, "lower than in over 99 % of people's texts"),
        (50.0, "higher than in 50 % of people's texts"),
    ],
)
def test_a_place_among_people_is_stated_from_the_nearer_end(percent, words):
    assert compared(percent) == words


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("however", "the word \u201chowever\u201d"),
        (";", "the mark \u201c;\u201d"),
        ("in the", "\u201cin the\u201d side by side"),
    ],
)
def test_terms_are_quoted(term, words):
    assert term_in_words(term) == words


@given(st.integers(0, 2**32 - 1))
def test_percentiles_are_those_of_a_count(seed):
    rng = np.random.default_rng(seed)
    human = rng.normal(size=(2001, 2)).astype(np.float32)
    asked = rng.normal(size=(20, 2)).astype(np.float32)
    counted = 100 * np.mean(human[None] < asked[:, None], axis=1)
    np.testing.assert_allclose(Percentiles.fit(human).of(asked), counted, atol=1.1)  # a step of one per cent


def test_values_beyond_all_people_are_at_the_ends_and_ties_in_the_middle():
    human = np.concatenate([np.zeros(100), np.ones(100)])[:, None]
    kept = Percentiles.fit(human)
    assert kept.of(np.array([[-1.0], [2.0]])).ravel().tolist() == [0.0, 100.0]
    assert kept.of(np.array([[0.0], [1.0]])).ravel() == pytest.approx([25.0, 75.0], abs=1.0)
