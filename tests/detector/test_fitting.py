import numpy as np
import pytest

from ghostbuster import GhostbusterClassifier
from ghostbuster.errors import InputError
from ghostbuster.heads.mixing import mix_of
from ghostbuster.heads.scorer import mixed


def test_equal_shares_give_both_parts_the_same_spread():
    parts = np.random.default_rng(0).normal(size=(1000, 2)) * [1.0, 4.0]
    mix = mix_of(parts, 0.5)
    assert (parts * mix).std(axis=0)[0] == pytest.approx((parts * mix).std(axis=0)[1])


def test_a_share_of_a_quarter_spreads_a_third_as_much_as_the_rest():
    parts = np.random.default_rng(0).normal(size=(1000, 2)) * [1.0, 4.0]
    spread = (parts * mix_of(parts, 0.25)).std(axis=0)
    assert spread[1] / spread[0] == pytest.approx(1 / 3)


def test_without_words_the_head_speaks_alone():
    parts = np.array([[1.0, 9.0], [2.0, -9.0]])
    assert mixed(parts, mix_of(parts, 0.0)).tolist() == [1.0, 2.0]


def test_texts_that_nothing_tells_apart_make_no_detector():
    text = "The harbour was quiet that morning and nobody had asked for more than a little bread. " * 3
    made = GhostbusterClassifier(space="zeroshot", max_features=2, min_tokens=10)
    with pytest.raises(InputError, match=r"no feature of space 'zeroshot' tells these \d+ texts apart"):
        made.fit([text] * 20, [0, 1] * 10)
