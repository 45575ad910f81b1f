import numpy as np
import pytest

from ghostbuster.arrays import Vectors
from ghostbuster.decision.novelty import (
    FEWEST_ENGLISH,
    NoveltyLimits,
    english_share,
    lone_letters,
    surprise,
    too_short,
)
from ghostbuster.reading.read import Reading
from ghostbuster.text.prepare import PreparedText


def reading(texts, logprobs):
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in logprobs])))
    vectors = Vectors({"trigram.logprob": np.array([x for one in logprobs for x in one])}, offsets)
    return Reading(tuple(PreparedText(t, len(t.split()), ()) for t in texts), vectors, np.diff(offsets))


def test_surprise_is_nats_per_character():
    assert surprise(reading(["abcd", "ab"], [[-1.0, -3.0], [-5.0]])).tolist() == [1.0, 2.5]


def test_an_empty_text_is_infinitely_surprising():
    assert surprise(reading([""], [[]])).tolist() == [np.inf]


def test_a_text_as_surprising_as_no_training_text_is_said_not_to_be_english():
    familiar = NoveltyLimits.fit(np.array([[0.0], [1.0]]), np.array([1.0, 2.0]))
    (doubts,) = familiar.doubts(np.array([[0.5]]), np.array([2.5]))
    assert "not the English prose this detector knows: 2.50 nats per character" in doubts[0]


def test_features_far_from_all_training_texts_are_said_to_be_unfamiliar():
    rng = np.random.default_rng(0)
    familiar = NoveltyLimits.fit(rng.normal(size=(1000, 4)), np.ones(1000))
    near, far = familiar.doubts(np.array([[0.0] * 4, [9.0] * 4]), np.array([1.0, 1.0]))
    assert near == []
    assert far[0].startswith("too unlike the texts it knows: its features lie 9.")


def test_one_wild_feature_among_many_does_not_decide_alone():
    rng = np.random.default_rng(0)
    familiar = NoveltyLimits.fit(rng.normal(size=(1000, 100)), np.ones(1000))
    wild = np.zeros((1, 100))
    wild[0, 0] = 1e9
    assert familiar.doubts(wild, np.ones(1)) == [[]]


def test_the_english_share_is_that_of_function_words_by_hand():
    shares = english_share(reading(["The cat, and a dog!", "Le chat noir", "42 ..."], [[-1.0]] * 3))
    assert shares.tolist() == [3 / 5, 0.0, 0.0]


@pytest.mark.parametrize(
    "text",
    [
        "Le train pour Lyon est parti seulement le soir, parce qu'un arbre avait barré la voie ferrée.",
        "Gallia est omnis divisa in partes tres, quarum unam incolunt Belgae, aliam Aquitani.",
        "Der Zug nach Leipzig fuhr erst am Abend, weil ein Baum auf den Schienen lag.",
    ],
)
def test_other_languages_lack_english_function_words_and_are_said_to(text):
    prose = reading(["The train to Leeds left in the evening, because a tree had come down."], [[-1.0]])
    familiar = NoveltyLimits.fit(np.zeros((1, 1)), np.ones(1), english_share(prose))
    said, nothing = (
        familiar.doubts(np.zeros((1, 1)), np.ones(1), english_share(one))[0]
        for one in (reading([text], [[-1.0]]), prose)
    )
    assert nothing == []
    assert said[0].endswith("English prose has 15% or more")


def test_lone_letters_are_counted_but_for_a_and_i():
    shares = lone_letters(reading(["Th e c at, s at on a m at.", "I have a cat; A is it.", ""], [[-1.0]] * 3))
    assert shares.tolist() == [4 / 10, 0.0, 0.0]  # e, c, s, m


@pytest.mark.parametrize(("fewest_english", "doubted"), [(FEWEST_ENGLISH, True), (0.0, False)])
def test_words_broken_by_spaces_are_said_to_be_where_the_detector_reads_english(fewest_english, doubted):
    familiar = NoveltyLimits(np.zeros(1), np.ones(1), 1.0, 2.0, fewest_english)
    (said,) = familiar.doubts(np.zeros((1, 1)), np.ones(1), np.ones(1), np.array([0.2]))
    assert bool(said) == doubted
    assert not doubted or said[0].startswith("its words are broken by spaces: 20% of them are single letters")
    assert familiar.doubts(np.zeros((1, 1)), np.ones(1), np.ones(1), np.array([0.14])) == [[]]


def test_a_detector_of_another_language_does_not_ask_for_english():
    familiar = NoveltyLimits.fit(np.zeros((100, 1)), np.ones(100), np.linspace(0, 0.2, 100))
    assert familiar.doubts(np.zeros((1, 1)), np.ones(1), np.zeros(1)) == [[]]


def test_the_first_files_ask_for_no_english():
    familiar = NoveltyLimits.fit(np.zeros((2, 1)), np.ones(2), np.ones(2))
    assert familiar.fewest_english == FEWEST_ENGLISH
    state = {k: v for k, v in familiar.state().items() if k != "fewest_english"}
    assert NoveltyLimits.from_state(state).fewest_english == 0.0


def test_state_gives_back_the_same_limits():
    familiar = NoveltyLimits.fit(np.array([[0.0], [1.0]]), np.array([1.0, 2.0]))
    again = NoveltyLimits.from_state(familiar.state())
    assert again.farthest == familiar.farthest
    assert again.most_surprising == familiar.most_surprising


@pytest.mark.parametrize(("n_tokens", "short"), [(59, True), (60, False)])
def test_the_floor_itself_is_long_enough(n_tokens, short):
    (doubts,) = too_short([n_tokens], 60)
    assert bool(doubts) == short


def test_a_texts_surprise_hangs_on_no_neighbour():
    rng = np.random.default_rng(1)
    logprobs = [-rng.exponential(5, n) for n in (3, 0, 400, 1, 77, 0)]
    texts = ["x" * len(one) for one in logprobs]
    alone = [surprise(reading([text], [one]))[0] for text, one in zip(texts, logprobs, strict=True)]
    assert surprise(reading(texts, logprobs)).tolist() == alone
