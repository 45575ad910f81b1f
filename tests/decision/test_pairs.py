"""Pairs of texts: swapped, they give 1 - p to the last bit; the slope is learned from texts on one prompt."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from ghostbuster.decision.pair_slope import FEWEST_GROUPS, MOST_OF_A_GROUP, PairSlope, pairs_in_groups
from ghostbuster.errors import ArtifactError

SCORES = st.floats(-1e6, 1e6)


def planted(n_groups, slope=2.0, seed=0):
    """One text of each class a group; the log-odds' difference says ``slope`` times too little."""
    rng = np.random.default_rng(seed)
    difference = rng.normal(size=n_groups)
    first_is_machine = rng.random(n_groups) < 1 / (1 + np.exp(-slope * difference))
    y = np.column_stack([first_is_machine, ~first_is_machine]).ravel().astype(float)
    log_odds = np.column_stack([difference, np.zeros(n_groups)]).ravel()
    return log_odds, y, np.repeat(np.arange(n_groups), 2)


@given(SCORES, SCORES, st.floats(0.01, 100))
def test_swapping_two_texts_gives_one_minus_the_probability_to_the_last_bit(a, b, slope):
    pairs = PairSlope(slope)
    forth, back = (float(pairs.probability(np.array([x]), np.array([y]))[0]) for x, y in ((a, b), (b, a)))
    assert forth == 1 - back
    assert back == 1 - forth
    assert 0 < forth < 1
    assert (forth > 0.5) <= (a > b)


def test_slope_one_is_bayes_rule_for_texts_drawn_independently():
    p, q = 0.9, 0.3  # of machine, each by itself; exactly one of the two is a machine's
    expected = p * (1 - q) / (p * (1 - q) + q * (1 - p))
    found = PairSlope().probability(np.array([math.log(p / (1 - p))]), np.array([math.log(q / (1 - q))]))
    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_equal_scores_are_a_tie():
    assert PairSlope(3.0).probability(np.array([1.25]), np.array([1.25]))[0] == 0.5


def test_the_slope_is_that_of_least_cross_entropy():
    log_odds, y, groups = planted(400)
    made = PairSlope.fit(log_odds, y, groups)
    machine = np.where(y[::2] == 1, log_odds[::2], log_odds[1::2])
    human = np.where(y[::2] == 1, log_odds[1::2], log_odds[::2])
    d, target = machine - human, 401 / 402

    def loss(slope):
        return np.sum(np.logaddexp(0, slope * d) - target * slope * d)

    expected = minimize_scalar(loss, bounds=(0.01, 100), method="bounded", options={"xatol": 1e-10}).x
    assert made.slope == pytest.approx(expected, rel=1e-5)
    assert 1.5 < made.slope < 2.7
    assert (made.n_pairs, made.n_groups) == (400, 400)


def test_pairs_told_apart_without_an_error_claim_no_certainty():
    log_odds, y, groups = np.tile([1.0, -1.0], 60), np.tile([1.0, 0.0], 60), np.repeat(np.arange(60), 2)
    made = PairSlope.fit(log_odds, y, groups)
    assert made.probability(np.array([1.0]), np.array([-1.0]))[0] == pytest.approx(61 / 62)


@pytest.mark.parametrize("n_groups", [0, 3, FEWEST_GROUPS - 1])
def test_few_groups_leave_the_slope_at_one(n_groups):
    log_odds, y, groups = planted(n_groups)
    assert PairSlope.fit(log_odds, y, groups) == PairSlope()
    assert PairSlope.fit(log_odds, y, None) == PairSlope()


def test_scores_that_say_the_opposite_leave_next_to_no_slope():
    log_odds, y, groups = planted(200, slope=-2.0)
    assert PairSlope.fit(log_odds, y, groups).slope == pytest.approx(0.01)


def test_a_group_counts_once_however_many_texts_it_has():
    y = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1.0])
    groups = np.array(["a", "a", "b", "b", "b", "b", "c", "d", "e"])
    machine, human, weight = pairs_in_groups(y, groups)
    assert list(zip(machine.tolist(), human.tolist(), weight.tolist(), strict=True)) == [
        (0, 1, 1.0),
        *((m, h, 0.25) for m in (2, 3) for h in (4, 5)),
    ]
    y, groups = np.tile([1.0, 0.0], 500), np.zeros(1000)
    machine, human, weight = pairs_in_groups(y, groups)
    assert machine.size == MOST_OF_A_GROUP
    assert weight.sum() == pytest.approx(1)
    assert np.all(y[machine] == 1)
    assert np.all(y[human] == 0)


def test_a_state_is_restored_and_one_that_cannot_be_true_is_refused():
    made = PairSlope(1.7, 300, 120)
    assert PairSlope.from_state(made.state()) == made
    assert PairSlope.from_state(None) == PairSlope()
    for state in ({"slope": 1.0}, {"slope": "x", "n_pairs": 1, "n_groups": 1}):
        with pytest.raises(ArtifactError, match="slope of pairs cannot be restored"):
            PairSlope.from_state(state)
    for slope, n in ((-1.0, 0), (0.0, 0), (math.inf, 0), (math.nan, 0), (1e9, 0), (1.0, -1)):
        with pytest.raises(ArtifactError, match="slope of pairs is out of range"):
            PairSlope.from_state({"slope": slope, "n_pairs": n, "n_groups": n})
