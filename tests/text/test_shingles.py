"""Shingles: the same words give the same hashes, whatever case and marks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.text.shingles import containment, share_distinct, shingles

WORDS = st.lists(st.sampled_from(["oak", "elm", "ash", "yew"]), max_size=30)


@given(WORDS, st.integers(1, 6))
def test_there_is_one_for_every_run_of_words_and_equal_runs_have_equal_ones(words, length):
    made = shingles(" ".join(words), length).tolist()
    runs = [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
    assert len(made) == len(runs)
    assert len(set(made)) == len(set(runs))
    assert dict(zip(runs, made, strict=True)) == {run: shingles(" ".join(run), length)[0] for run in runs}


def test_case_and_marks_make_no_difference():
    assert np.array_equal(shingles("The Oak, the ELM!", 2), shingles("the oak the elm", 2))


def test_shares_are_those_counted_by_hand():
    known = shingles("one two three four five", 2)
    assert containment(shingles("one two three nine", 2), known) == 2 / 3
    assert containment(shingles("one", 2), known) == 0
    assert share_distinct(shingles("a b a b a", 2)) == 0.5
    assert share_distinct(shingles("", 2)) == 1
