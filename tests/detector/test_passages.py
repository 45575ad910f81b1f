import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose import passages as prose_of

from ghostbuster.decision.machine_share import machine_share
from ghostbuster.detector.artifact import load
from ghostbuster.detector.passages import WINDOW, Passages, cut, judge_passages, passages_of, window_starts
from ghostbuster.errors import InputError, SettingError
from ghostbuster.reading.read import Reading
from ghostbuster.text.sentences import sentence_ends, sentence_spans


@pytest.fixture(scope="module")
def detector(detector_file):
    return load(detector_file)


@pytest.fixture(scope="module")
def reading(detector):
    return detector.read(prose_of(1, 500))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Dr. Who met J. R. Smith at 3 p.m. on Monday.", ["Dr. Who met J. R. Smith at 3 p.m. on Monday."]),
        ('"Go!" he said. "Now?" She went.', ['"Go!" he said.', '"Now?"', "She went."]),
        ("Prices rose by 3.5 percent (see Fig. 2). 40 people came.", None),
        ("no mark at the end", ["no mark at the end"]),
        ("Wait... What?", ["Wait...", "What?"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_says(text, sentences):
    expected = sentences or ["Prices rose by 3.5 percent (see Fig. 2).", "40 people came."]
    ends = sentence_ends(text)
    found = [text[a:b].strip() for a, b in zip([0, *ends], ends, strict=False)]
    assert found == (expected if text else [])


@given(st.text(st.sampled_from('Ab.!?"( 3'), max_size=60))
def test_sentences_part_a_text_without_losing_a_character(text):
    ends = sentence_ends(text)
    assert ends == sorted(set(ends))
    assert "".join(text[a:b] for a, b in zip([0, *ends], ends, strict=False)) == text


def test_a_unit_belongs_to_the_sentence_it_ends_in():
    # units: "It", " rained", ".", " We", " left."
    assert sentence_spans("It rained. We left.", np.array([2, 9, 10, 13, 19])) == [
        (0, 10, 0, 3),
        (11, 19, 3, 5),
    ]


@given(st.integers(300, 20_000))
def test_windows_are_evenly_spaced_cover_the_text_and_share_half_or_more(n_units):
    starts = window_starts(n_units, 200)
    assert starts[0] == 0
    assert starts[-1] + 200 == n_units
    assert np.all(np.diff(starts) <= 100)
    assert np.ptp(np.diff(starts)) <= 1
    assert starts.size == 1 + math.ceil((n_units - 200) / 100)


def test_a_window_is_judged_like_a_reading_of_its_own_tokens(detector, reading):
    # the rows of the window, put together by hand
    found = passages_of(detector, reading)
    window = found.windows[1]
    rows = slice(window.first, window.last)
    from ghostbuster.arrays import Vectors
    from ghostbuster.text.prepare import PreparedText

    text = reading.texts[0][window.start : window.end].strip()
    alone = Reading(
        (PreparedText(text, 1),),
        Vectors({k: v[rows] for k, v in reading.vectors.channels.items()}, np.array([0, WINDOW])),
        np.array([WINDOW]),
    )
    assert window.probability == pytest.approx(float(detector.probability_of(alone)[0]))
    assert reading.ends[window.last - 1] == window.end


def test_a_window_over_the_whole_text_has_the_texts_probability(detector, reading):
    n = reading.ends.size
    whole = cut(reading, np.array([0]), n)
    assert detector.probability_of(whole) == pytest.approx(detector.probability_of(reading))
    assert whole.texts == reading.texts


def test_a_sentence_has_the_mean_log_odds_of_the_windows_that_cover_it(detector, reading):
    found = passages_of(detector, reading)
    for sentence in found.sentences:
        total = weight = 0.0
        for window in found.windows:
            shared = len(set(range(sentence.first, sentence.last)) & set(range(window.first, window.last)))
            total += shared * math.log(window.probability / (1 - window.probability))
            weight += shared
        assert math.log(sentence.probability / (1 - sentence.probability)) == pytest.approx(total / weight)


def test_sentences_part_the_text_and_own_every_unit_once(detector, reading):
    found = passages_of(detector, reading)
    text = reading.texts[0]
    assert " ".join(text[one.start : one.end] for one in found.sentences) == text
    assert [i for one in found.sentences for i in range(one.first, one.last)] == list(
        range(reading.ends.size)
    )


def test_shuffled_words_in_the_middle_raise_the_probability_there(detector):
    # the small detector calls shuffled words machine
    from prose import shuffled

    plain = prose_of(3, 260, seed=1)
    found = judge_passages(detector, " ".join([plain[0], shuffled(plain[1], 0), plain[2]]))
    n = found.windows[-1].last
    middle = [w.probability for w in found.windows if w.first > 0.36 * n and w.last < 0.64 * n]
    edges = [w.probability for w in found.windows if w.last < 0.3 * n or w.first > 0.7 * n]
    assert min(middle) > max(edges)


def test_a_short_text_has_no_passages_and_says_why(detector):
    found = judge_passages(detector, prose_of(1, 100)[0])
    assert (found.windows, found.sentences) == ((), ())
    assert "passages are judged in texts of 300 or more" in found.reason
    assert judge_passages(detector, "") == Passages(
        (), (), found.reason.replace(found.reason.split()[2], "0")
    )


def test_windows_are_never_below_the_floor_of_the_detector(detector, reading):
    strict = load_with_floor(detector, 240)
    assert {w.last - w.first for w in passages_of(strict, reading, window=100).windows} == {240}


def load_with_floor(detector, min_tokens):
    return type(detector).from_state(detector.state()).set_params(min_tokens=min_tokens)


def test_language_models_read_a_text_once(detector, monkeypatch):
    from ghostbuster.models.panel import Panel

    score, calls = Panel.score, []
    monkeypatch.setattr(Panel, "score", lambda *args: calls.append(1) or score(*args))
    assert judge_passages(detector, prose_of(1, 500)[0]).windows
    assert calls == [1]


def test_what_is_no_single_text_is_refused(detector, reading):
    with pytest.raises(InputError, match="text 0 is int; expected str"):
        judge_passages(detector, 3)
    with pytest.raises(InputError, match=r"a reading of 2 texts .* expected one text"):
        passages_of(detector, reading.take(np.array([0, 0])))
    with pytest.raises(InputError, match="and 0 ends of"):
        passages_of(detector, Reading(reading.prepared, reading.vectors, reading.n_tokens))
    with pytest.raises(SettingError, match="window is 1; expected 2 units or more"):
        passages_of(detector, reading, window=1)


def test_ends_of_taken_texts_go_with_them(detector):
    both = detector.read(prose_of(2, 60))
    for i, alone in enumerate(detector.read([text]) for text in prose_of(2, 60)):
        assert np.array_equal(both.take(np.array([i])).ends, alone.ends)
        assert alone.ends[-1] == len(alone.texts[0])


def test_units_that_are_words_end_where_words_do():
    from ghostbuster.arrays import TokenScores
    from ghostbuster.reading.read import reading_of
    from ghostbuster.text.prepare import prepare

    def scores(ends):
        return TokenScores({"logprob": -np.ones(len(ends))}, np.array(ends), np.array([0, len(ends)]))

    reading = reading_of(
        {"strong": scores([3, 7, 13]), "weak": scores([2, 13])}, [prepare("One two three")], False
    )
    assert reading.ends.tolist() == [3, 7, 13]
    assert reading.take(np.array([], dtype=int)).ends.size == 0


def test_the_share_is_that_of_the_windows_without_doubts(detector, reading):
    found = passages_of(detector, reading)
    trusted = [window.probability for window in found.windows if not window.doubts]
    n_beside = reading.ends.size / WINDOW * len(trusted) / len(found.windows)
    assert found.share == machine_share(trusted, n_beside)
    assert judge_passages(detector, prose_of(1, 100)[0]).share is None
