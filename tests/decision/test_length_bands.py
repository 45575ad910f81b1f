import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.decision.length_bands import EXPECTED, by_length, thresholds_by_length
from ghostbuster.decision.thresholds import MAX_BANDS, Threshold, thresholds
from ghostbuster.decision.verdict import decide
from ghostbuster.errors import ArtifactError
from ghostbuster.metrics.classification import clopper_pearson


def people(n_short=200, n_long=300, seed=0):
    """Short texts by people score higher than long ones."""
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.uniform(0.2, 0.9, n_short), rng.uniform(0.0, 0.5, n_long)])
    return p, np.repeat([120, 300], [n_short, n_long])


def test_each_length_has_the_conformal_quantile_of_its_own_people_by_hand():
    p = np.concatenate([np.arange(200) / 1000 + 0.5, np.arange(300) / 1000])
    n_tokens = np.repeat([120, 200], [200, 300])
    (made,) = thresholds_by_length(p, n_tokens, (0.05,))
    short, long = made.bands
    # 0.05 * 201 - 1 = 9.05 of 200 may reach it, 0.05 * 301 - 1 = 14.05 of 300
    assert short.probability == np.nextafter(p[:200][-10], 1)
    assert long.probability == np.nextafter(p[200:][-15], 1)
    assert (short.fpr.value, long.fpr.value) == (9 / 200, 14 / 300)
    assert made.fpr == clopper_pearson(23, 500)
    assert (short.from_tokens, long.from_tokens) == (0, 150)
    assert short.about == "held-out human texts of fewer than 150 tokens"
    assert long.about == "held-out human texts of 150 tokens or more"
    assert (made.lowest, made.highest) == (long.probability, short.probability)


def test_a_text_is_judged_by_the_threshold_of_its_length():
    (made,) = thresholds_by_length(*people(), (0.05,))
    short, long = made.bands
    assert (made.for_length(149), made.for_length(150), made.for_length(10_000)) == (short, long, long)
    between = (short.probability + long.probability) / 2
    assert decide(between, made.for_length(120), ())[0] != "machine"
    label, (reason,) = decide(between, made.for_length(300), ())
    assert label == "machine"
    assert "held-out human texts of 150 tokens or more" in reason


def test_too_few_people_for_two_bands_make_none():
    n = 2 * round(EXPECTED / 0.05)
    p, n_tokens = people(n // 2, n // 2)
    (made,) = thresholds_by_length(p, n_tokens, (0.05,))
    assert len(made.bands) == 2
    (fewer,) = thresholds_by_length(p[1:], n_tokens[1:], (0.05,))
    assert fewer == thresholds(p[1:], (0.05,))[0]
    assert fewer.for_length(120) is fewer


@given(st.integers(0, 1000), st.sampled_from([0.01, 0.05, 0.1]))
def test_no_band_accuses_more_of_its_people_than_promised(seed, rate):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 3000))
    n_tokens = rng.integers(50, 1200, n)
    p = np.round(rng.uniform(size=n), 2)  # many ties
    (made,) = thresholds_by_length(p, n_tokens, (rate,))
    called = np.array([a >= made.for_length(int(b)).probability for a, b in zip(p, n_tokens, strict=True)])
    assert called.mean() == pytest.approx(made.fpr.value)
    for i, band in enumerate(made.bands):
        end = made.bands[i + 1].from_tokens if i + 1 < len(made.bands) else np.inf
        here = (n_tokens >= band.from_tokens) & (n_tokens < end)
        assert called[here].mean() <= rate
        assert here.sum() == band.n_human
        assert here.sum() * rate >= EXPECTED


def test_the_promise_holds_for_new_texts_of_each_length():
    (made,) = thresholds_by_length(*people(2000, 2000), (0.05,))
    p, n_tokens = people(20_000, 20_000, seed=1)
    for length in (120, 300):
        share = np.mean(p[n_tokens == length] >= made.for_length(length).probability)
        assert share < 0.06
    (pooled,) = thresholds(people(2000, 2000)[0], (0.05,))
    assert np.mean(p[n_tokens == 120] >= pooled.probability) > 0.08  # one for all wrongs the short ones


def called_under(made, p, n_tokens):
    return np.array([a >= made.for_length(int(b)).probability for a, b in zip(p, n_tokens, strict=True)])


def test_the_worst_source_is_that_of_two_hundred_people_or_more():
    p, n_tokens = people(400, 400)
    sources = np.tile(np.repeat(["a", "b", "few"], [200, 150, 50]), 2)
    (made,) = thresholds_by_length(p, n_tokens, (0.05,), sources)
    called = called_under(made, p, n_tokens)
    assert made.worst == max(called[sources == name].mean() for name in ("a", "b"))
    assert (made.n_sources, made.bands[0].n_sources) == (3, 3)
    assert made.bands[0].worst == called[:400][sources[:400] == "a"].mean()  # the only one with 200 there


def test_all_bands_are_raised_alike_until_no_source_has_more_than_twice_the_rate():
    p, n_tokens = people(2000, 2000)
    sources = np.where(np.arange(4000) % 40 == 0, "odd", "many")
    p = np.where(sources == "odd", (1 + p) / 2, p)  # a hundred people who write like machines
    (alike,) = thresholds_by_length(p, n_tokens, (0.05,))
    (made,) = thresholds_by_length(p, n_tokens, (0.05,), sources)
    assert np.mean(called_under(alike, p, n_tokens)[sources == "odd"]) > 0.15
    called = called_under(made, p, n_tokens)
    assert called[sources == "odd"].sum() == 10  # of a hundred
    assert made.fpr.value == called.mean()
    rises = [
        np.log(b.probability / (1 - b.probability)) - np.log(a.probability / (1 - a.probability))
        for a, b in zip(alike.bands, made.bands, strict=True)
    ]
    assert rises[0] == pytest.approx(rises[1])
    assert rises[0] > 0


def test_a_single_threshold_is_raised_for_a_source_too():
    p = np.concatenate([np.arange(60) / 100 + 0.3, np.arange(200) / 1000])
    sources = np.repeat(["odd", "many"], [60, 200])
    (made,) = thresholds_by_length(p, np.full(260, 120), (0.05,), sources)
    assert made.bands == ()
    assert np.sum(p[:60] >= made.probability) == 6  # 10 % of sixty
    assert made.probability == pytest.approx(p[:60][-7], abs=1e-6)
    assert made.worst == 0.0  # of two hundred people or more, as it is stated
    assert made.fpr.value == 6 / 260


@given(st.integers(0, 1000))
def test_no_source_of_fifty_people_has_more_than_twice_the_rate(seed):
    rng = np.random.default_rng(seed)
    n = 2000
    sources = rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.3, 0.07, 0.03])
    p = np.round(np.clip(rng.normal(0.4, 0.2, n) + 0.2 * (sources == "c"), 0, 1), 2)
    n_tokens = rng.integers(100, 600, n)
    (made,) = thresholds_by_length(p, n_tokens, (0.05,), sources)
    called = called_under(made, p, n_tokens)
    for name in np.unique(sources):
        if np.sum(sources == name) >= 50:
            assert called[sources == name].mean() <= 0.10
    assert called.mean() == made.fpr.value <= 0.05


def test_bands_survive_being_stored():
    for made in thresholds_by_length(*people(), (0.05, 0.001)):
        assert Threshold.from_state(made.state()) == made
    plain = Threshold(0.05, 0.9, clopper_pearson(1, 100), 100)
    assert not {"bands", "from_tokens"} & plain.state().keys()


def test_damaged_bands_are_refused():
    (made,) = thresholds_by_length(*people(), (0.05,))
    state = made.state()
    for bands in ([*state["bands"]] * MAX_BANDS, [state], 3, [3], [{"rate": 0.05}]):
        with pytest.raises(ArtifactError, match="threshold cannot be restored"):
            Threshold.from_state(state | {"bands": bands})


def test_one_band_is_no_band():
    p, n_tokens = people(400, 0)
    (one,) = thresholds(p, (0.05,))
    assert by_length(one, p, n_tokens) == one
