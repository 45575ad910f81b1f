import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ghostbuster.decision.thresholds import Threshold, thresholds
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.metrics.classification import Estimate


def test_thresholds_by_hand():
    human = np.arange(1, 101) / 101  # of 100 texts, five may be accused at 5 %, one at 1 %, none at .1 %
    five, one, none = thresholds(human)
    assert (five.rate, one.rate, none.rate) == (0.05, 0.01, 0.001)
    assert np.sum(human >= five.probability) == 5
    assert np.sum(human >= one.probability) == 1
    assert np.sum(human >= none.probability) == 0
    assert five.probability == np.nextafter(95 / 101, 1)  # just above the sixth highest
    exact = binomtest(5, 100).proportion_ci(0.95, method="exact")
    assert (five.fpr.value, five.fpr.low, five.fpr.high) == pytest.approx((0.05, exact.low, exact.high))
    assert five.n_human == 100


def test_texts_of_one_probability_are_accused_together_or_not_at_all():
    human = [0.1] * 90 + [0.9] * 10
    (five,) = thresholds(human, rates=(0.05,))
    assert five.probability > 0.9
    assert five.fpr.value == 0.0
    (ten,) = thresholds(human, rates=(0.10,))
    assert 0.1 < ten.probability < 0.9
    assert ten.fpr.value == 0.10


@given(
    st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, max_size=300),
    st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.29, 0.5]),
)
def test_a_threshold_keeps_its_rate_and_no_lower_one_would(human, rate):
    human = np.array(human)
    (made,) = thresholds(human, rates=(rate,))
    assert np.mean(human >= made.probability) <= rate + 1e-9
    assert made.fpr.value == np.mean(human >= made.probability)
    lower = np.nextafter(made.probability, 0)
    assert np.mean(human >= lower) > rate
    assert made.fpr.low <= made.fpr.value <= made.fpr.high


def test_too_few_texts_for_a_rate_put_the_threshold_above_them_all_and_say_so():
    human = np.linspace(0.1, 0.8, 20)
    five, one, _ = thresholds(human)
    assert five.is_supported
    assert not one.is_supported
    assert one.probability == np.nextafter(0.8, 1)
    assert one.fpr.value == 0.0
    assert one.fpr.high == pytest.approx(1 - 0.025 ** (1 / 20))  # Clopper-Pearson at k = 0


def test_a_human_text_of_certainty_puts_the_threshold_out_of_reach():
    (made,) = thresholds([0.5, 1.0], rates=(0.01,))
    assert made.probability > 1


def test_the_promise_holds_on_texts_not_used_to_make_it():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        (made,) = thresholds(rng.beta(2, 5, 1000), rates=(0.05,))
        true = np.mean(rng.beta(2, 5, 20000) >= made.probability)
        inside += made.fpr.low <= true <= made.fpr.high
    assert inside >= 180  # 95 % promised


def test_a_threshold_restored_from_its_state_is_equal():
    for made in thresholds([0.1, 0.4, 0.7]):
        assert Threshold.from_state(made.state()) == made
        assert {type(value) for value in made.state().values()} <= {float, int, str}


def test_a_rate_holds_in_the_worst_source_by_itself_by_hand():
    lenient = np.arange(1, 201) / 2000  # at 5 %: above 0.095 stand ten
    strict = np.arange(1, 201) / 201  # above 190 / 201 stand ten
    human, sources = np.concatenate([lenient, strict]), np.repeat(["a", "b"], 200)
    (pooled,), (made,) = thresholds(human, (0.05,)), thresholds(human, (0.05,), sources, in_every_source=True)
    assert pooled.probability == np.nextafter(180 / 201, 1)  # twenty of four hundred
    assert made.probability == np.nextafter(190 / 201, 1)
    assert (made.fpr.value, made.worst, made.n_sources) == (10 / 400, 10 / 200, 2)
    assert (pooled.worst, pooled.n_sources) == (0.05, 1)


def test_a_source_too_small_to_see_a_rate_does_not_set_its_threshold():
    human = np.concatenate([np.arange(1, 101) / 1000, [0.9, 0.95]])
    (made,) = thresholds(human, (0.05,), np.repeat(["large", "small"], [100, 2]), in_every_source=True)
    assert made.probability < 0.9
    assert made.worst <= 0.05


def test_the_worst_source_may_be_one_too_small_to_see_the_rate_by_itself():
    human = np.concatenate([np.arange(800) / 10_000, np.arange(1, 201) / 201])
    (made,) = thresholds(human, (0.001,), np.repeat(["large", "small"], [800, 200]))
    assert made.fpr.value == 1 / 1000
    assert made.worst == 1 / 200


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([0.001, 0.01, 0.05]))
def test_no_source_of_enough_texts_exceeds_the_rate(seed, n_sources, rate):
    rng = np.random.default_rng(seed)
    sources = rng.integers(n_sources, size=400)
    human = rng.beta(2, 5 - sources % 3)
    (made,) = thresholds(human, (rate,), sources, in_every_source=True)
    large = [s for s in range(n_sources) if np.sum(sources == s) * rate >= 1]
    shares = [np.mean(human[sources == s] >= made.probability) for s in large]
    assert max(shares, default=0.0) <= rate + 1e-9
    assert np.mean(human >= made.probability) <= rate + 1e-9


def test_the_promise_says_how_it_was_measured():
    (made,) = thresholds(np.arange(400) / 400, (0.05,), np.repeat(["a", "b"], 200))
    assert str(made) == (
        "0.948, the threshold at which 5.0% (95 % interval 3.1% to 7.6%; in the worst of 2 sources 10.0%) of "
        "400 held-out human texts were called machine"
    )


def test_the_first_files_thresholds_are_read():
    (made,) = thresholds(np.arange(200) / 200, (0.05,))
    old = {k: v for k, v in made.state().items() if k not in {"n_sources", "worst", "about"}}
    assert Threshold.from_state(old) == made


def test_sources_of_another_length_are_named():
    with pytest.raises(InputError, match=r"sources have shape \(1,\); expected \(2,\)"):
        thresholds([0.1, 0.2], sources=["a"])


def test_a_damaged_state_is_refused():
    state = thresholds([0.1, 0.4])[0].state()
    with pytest.raises(ArtifactError, match="threshold cannot be restored"):
        Threshold.from_state({k: v for k, v in state.items() if k != "fpr_low"})
    with pytest.raises(ArtifactError, match="rate is 2"):
        Threshold.from_state({**state, "rate": 2.0})


@pytest.mark.parametrize(
    ("human", "message"),
    [
        ([], "at least one"),
        ([[0.1]], "one a human text"),
        ([1.5], r"leave \[0, 1\]"),
        ([np.nan], r"leave \[0, 1\]"),
    ],
)
def test_unusable_probabilities_are_named(human, message):
    with pytest.raises(InputError, match=message):
        thresholds(human)


def test_as_many_texts_as_a_rate_takes_are_enough_and_one_fewer_is_not():
    human = np.arange(100) / 200
    (enough,), (fewer,) = thresholds(human, (0.01,)), thresholds(human[:-1], (0.01,))
    assert (enough.is_supported, fewer.is_supported) == (True, False)


def test_a_source_of_just_enough_texts_sets_the_threshold_and_of_one_fewer_does_not():
    low, high = np.arange(600) / 1000, 0.9 + np.arange(20) / 1000
    for n_high, sets in ((20, True), (19, False)):
        human, sources = np.concatenate([low, high[:n_high]]), np.repeat(["a", "b"], [600, n_high])
        (made,) = thresholds(human, (0.05,), sources, in_every_source=True)
        assert (made.probability > 0.9) is sets


def test_a_threshold_made_by_hand_is_about_held_out_texts_of_one_source():
    made = Threshold(0.01, 0.9, Estimate(0.005, 0.0, 0.02), 300)
    assert (made.n_sources, made.worst, made.about) == (1, 0.005, "held-out human texts")
    assert "sources" not in str(made)


def test_certain_probabilities_are_probabilities():
    assert thresholds([0.0, 1.0], (0.5,))[0].n_human == 2


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 5])
def test_rates_out_of_range_are_named(rate):
    with pytest.raises(SettingError, match="expected a number between 0 and 1"):
        thresholds([0.5], rates=(rate,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.0}, "rate is 0"),
        ({"probability": 0.0}, "probability is 0"),
        ({"probability": float("nan")}, "probability is nan"),
        ({"n_human": 0}, "n_human is 0"),
        ({"n_sources": 0}, "n_sources is 0"),
    ],
)
def test_a_threshold_out_of_range_is_refused(change, message):
    with pytest.raises(SettingError, match=message):
        Threshold(
            **{"rate": 0.01, "probability": 0.9, "fpr": Estimate(0.0, 0.0, 0.1), "n_human": 30, **change}
        )


def test_a_threshold_keeps_its_worst_source_when_it_is_restored():
    (made,) = thresholds(np.arange(400) / 400, (0.05,), np.repeat(["a", "b"], 200))
    assert made.worst == 0.1
    assert made.worst != made.fpr.value
    assert Threshold.from_state(made.state()) == made
