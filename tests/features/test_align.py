from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CHANNELS, EXTRA_CHANNELS, token_scores

from ghostbuster.arrays import TokenScores
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.align import WORD_VALUES, align, unit_ends
from ghostbuster.hidden_states import HiddenStates


def scores(ends, **channels):
    """One text's scores."""
    made = {name: np.array(values, dtype=np.float32) for name, values in channels.items()}
    return TokenScores(made, np.array(ends), np.array([0, len(ends)]))


@st.composite
def texts_and_scores(draw, n_sources=2, channels=CHANNELS):
    """Texts, and sources that each cut them into tokens of their own."""
    words = st.text(alphabet="ab é\n\t", max_size=25)
    texts = draw(st.lists(words, min_size=1, max_size=5))
    made = {}
    for source in ("weak", "strong")[:n_sources]:
        ends = []
        for text in texts:
            cuts = draw(st.sets(st.integers(1, max(len(text) - 1, 1)))) if len(text) > 1 else set()
            ends.append([*sorted(cuts - {len(text)}), len(text)] if text else [])
        made[source] = token_scores(texts, ends, draw(st.integers(0, 1000)), channels)
    return texts, made


def test_by_token_channels_are_named_by_source_and_two_are_derived():
    weak = scores([1, 3], logprob=[-0.5, -2.0], rank=[1, 8], entropy=[1.0, 2.0])
    made = align({"weak": weak, "unigram": scores([1, 3], logprob=[-3.0, -4.0])}, ["abc"], by="token")
    assert {n: v.tolist() for n, v in made.channels.items() if not n.startswith("surface.")} == {
        "weak.logprob": [-0.5, -2.0],
        "weak.prob": pytest.approx([0.60653066, 0.13533528]),
        "weak.rank": [1, 8],
        "weak.logrank": pytest.approx([0.0, 2.0794415]),
        "weak.entropy": [1.0, 2.0],
        "unigram.logprob": [-3.0, -4.0],
        "unigram.prob": pytest.approx([0.04978707, 0.01831564]),
    }
    assert made.offsets.tolist() == [0, 2]


@pytest.mark.parametrize("by", ["token", "word"])
def test_the_words_surface_stands_beside_the_sources(by):
    made = align({"weak": scores([2, 5, 8], logprob=[-1.0, -1.0, -1.0])}, ["Ab cd ef."], by)
    assert made.channels["surface.word_length"].tolist() == [2, 2, 2]
    assert made.channels["surface.capitals"].tolist() == [0.5, 0, 0]


def test_a_word_adds_up_its_tokens_and_keeps_the_worst_rank():
    text = "un like ly"
    one = scores(
        [2, 5, 7, 10],
        logprob=[-1.0, -2.0, -0.25, -4.0],
        rank=[5, 2, 7, 3],
        entropy=[1.0, 2.0, 3.0, 4.0],
        varentropy=[0.5, 0.25, 0.5, 1.0],
        cross_entropy=[2.0, 2.0, 2.0, 2.0],
        cross_varentropy=[1.0, 1.0, 3.0, 1.0],
    )
    made = align({"strong": one}, [text], by="word")
    expected = {
        "logprob": [-1.0, -2.25, -4.0],
        "rank": [5, 7, 3],
        "entropy": [1.0, 5.0, 4.0],
        "varentropy": [0.5, 0.75, 1.0],
        "cross_entropy": [2.0, 4.0, 2.0],
        "cross_varentropy": [1.0, 4.0, 1.0],
    }
    assert {name: made.channels[f"strong.{name}"].tolist() for name in expected} == expected
    assert made.channels["strong.prob"].tolist() == pytest.approx(np.exp([-1.0, -2.25, -4.0]))
    assert made.channels["strong.logrank"].tolist() == pytest.approx(np.log([5, 7, 3]))


def test_a_word_adds_up_its_tokens_expectations_and_keeps_the_largest_and_the_mean_share():
    text = "un like  ly"  # two tokens, one, and one that ends in the white space before the last word; none
    one = scores(
        [1, 2, 7, 8],
        logprob=[-1.0, -2.0, -0.25, -4.0],
        top_logprob=[-0.5, -0.25, -0.125, -1.0],
        mass_above=[0.5, 0.25, 0.0, 0.75],
        top10_mass=[0.5, 1.0, 0.25, 0.75],
        lookback=[-8.0, -4.0, -2.0, -1.0],
    )
    made = align({"strong": one}, [text], by="word").channels
    assert made["strong.top_logprob"].tolist() == [-0.75, -0.125, -1.0]
    assert made["strong.mass_above"].tolist() == [0.5, 0.0, 0.75]
    assert made["strong.top10_mass"].tolist() == [0.75, 0.25, 0.75]
    assert made["strong.lookback"].tolist() == [-12.0, -2.0, -1.0]


def test_in_a_word_in_which_no_token_ends_nothing_is_likelier_and_all_mass_is_on_top():
    one = scores([5], logprob=[-1.0], mass_above=[0.5], top10_mass=[0.5])
    made = align({"strong": one}, ["un li"], by="word").channels
    assert made["strong.mass_above"].tolist() == [0.0, 0.5]
    assert made["strong.top10_mass"].tolist() == [1.0, 0.5]


def test_hidden_states_are_handed_on_under_their_source():
    states = HiddenStates(
        np.array([0]),
        np.ones((1, 1, 2), np.float16),
        np.array([], np.int32),
        np.empty((0, 0, 2), np.float16),
        np.array([], np.int32),
        np.array([], np.int32),
        np.array([0, 0]),
    )
    made = align({"strong": replace(scores([2], logprob=[-1.0]), states=states)}, ["ab"], by="word")
    assert dict(made.states) == {"strong.states": states}
    assert made.take([0, 0]).states["strong.states"].n_texts == 2


def test_a_token_that_ends_in_white_space_belongs_to_the_next_word_or_to_the_last():
    # "ab", " ", "cd", "  ": the first gap opens "cd", the last has no word behind it
    made = align({"weak": scores([2, 3, 5, 7], logprob=[-1.0, -2.0, -4.0, -8.0])}, ["ab cd  "], by="word")
    assert made.channels["weak.logprob"].tolist() == [-1.0, -14.0]


def test_a_word_in_which_no_token_ends_is_certain():
    made = align({"weak": scores([5], logprob=[-3.0], rank=[9])}, ["ab cd"], by="word")
    assert made.channels["weak.logprob"].tolist() == [0.0, -3.0]
    assert made.channels["weak.prob"].tolist() == pytest.approx([1.0, np.exp(-3.0)])
    assert made.channels["weak.rank"].tolist() == [1.0, 9.0]


def test_a_text_of_white_space_alone_is_one_word_and_an_empty_one_none():
    one = TokenScores({"logprob": np.array([-1.0, -2.0])}, np.array([1, 2]), np.array([0, 0, 2]))
    made = align({"weak": one}, ["", " \n"], by="word")
    assert made.offsets.tolist() == [0, 0, 1]
    assert made.channels["weak.logprob"].tolist() == [-3.0]


@given(texts_and_scores())
def test_words_keep_every_texts_total_and_all_sources_get_the_same_units(made):
    texts, sources = made
    words = align(sources, texts, by="word")
    expected = [len(text.split()) or bool(text) for text in texts]
    assert words.lengths.tolist() == expected
    for name, source in sources.items():
        for channel in set(CHANNELS) - {"rank"}:
            for i in range(len(texts)):
                before = source.channels[channel][source.offsets[i] : source.offsets[i + 1]].sum()
                after = words.channels[f"{name}.{channel}"][words.offsets[i] : words.offsets[i + 1]].sum()
                assert after == pytest.approx(before, rel=1e-5)


@given(texts_and_scores(), st.sampled_from(["token", "word"]))
def test_texts_align_alone_as_they_do_together(made, by):
    texts, sources = made
    sources = sources if by == "word" else {"weak": sources["weak"], "strong": sources["weak"]}
    together = align(sources, texts, by)
    for i, text in enumerate(texts):
        alone = align({name: source.take([i]) for name, source in sources.items()}, [text], by)
        for channel, values in together.take([i]).channels.items():
            assert np.array_equal(values, alone.channels[channel])


@given(texts_and_scores())
def test_aligned_channels_are_float32_and_within_their_ranges(made):
    texts, sources = made
    for name, values in align(sources, texts, by="word").channels.items():
        assert values.dtype == np.float32
        channel = name.split(".")[1]
        if channel == "logprob":
            assert (values <= 0).all()
        elif channel == "prob":
            assert ((values >= 0) & (values <= 1)).all()
        elif channel == "rank":
            assert (values >= 1).all()
        else:
            assert (values >= 0).all()


def test_every_channel_that_models_emit_has_a_row():
    assert {*CHANNELS, *EXTRA_CHANNELS} == set(WORD_VALUES)


def test_an_unknown_unit_is_refused():
    with pytest.raises(SettingError, match="unit is 'tokens'; did you mean 'token'"):
        align({"weak": scores([1], logprob=[-1.0])}, ["a"], by="tokens")


def test_no_source_is_refused():
    with pytest.raises(InputError, match="no scores to align"):
        align({}, [], by="token")


def test_scores_of_another_number_of_texts_are_refused():
    with pytest.raises(InputError, match="source 'weak' scored 1 texts; expected 2"):
        align({"weak": scores([1], logprob=[-1.0])}, ["a", "b"], by="token")


def test_an_unknown_channel_is_refused():
    with pytest.raises(InputError, match="source 'weak' has channel 'logprobs'; did you mean 'logprob'"):
        align({"weak": scores([1], logprobs=[-1.0])}, ["a"], by="token")


def test_tokens_that_end_behind_their_text_are_refused():
    with pytest.raises(InputError, match="source 'weak': tokens of text 0 end behind its 1 characters"):
        align({"weak": scores([2], logprob=[-1.0])}, ["a"], by="word")


@pytest.mark.parametrize("ends", [[1, 2, 3], [1, 3]])
def test_by_token_sources_of_different_tokens_are_refused(ends):
    one, other = scores([2, 3], logprob=[-1, -1]), scores(ends, logprob=[-1] * len(ends))
    with pytest.raises(InputError, match="'weak' and 'strong' have different tokens; align them by word"):
        align({"weak": one, "strong": other}, ["abc"], by="token")


def test_units_end_where_their_tokens_or_words_do():
    made = {"weak": scores([2, 5], logprob=[-1.0, -1.0]), "strong": scores([5], logprob=[-1.0])}
    assert unit_ends(made, ["ab cd"], by="token").tolist() == [2, 5]  # the first source's
    assert unit_ends(made, ["ab cd"], by="word").tolist() == [2, 5]
    assert unit_ends({"strong": made["strong"]}, ["ab cd"], by="token").tolist() == [5]
    words = unit_ends(made, ["ab cd", "", "efg"], by="word")
    assert words.tolist() == [2, 5, 3]
    assert words.dtype.kind == "i"  # they index texts
