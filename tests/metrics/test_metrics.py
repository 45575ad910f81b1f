import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score, roc_auc_score, roc_curve

from ghostbuster.errors import InputError, SettingError
from ghostbuster.metrics.classification import (
    Estimate,
    auroc,
    bootstrap,
    clopper_pearson,
    expected_calibration_error,
    f1,
    tpr_at_fpr,
    wilson,
)


@st.composite
def scored(draw):
    """Labels with both classes, and scores with many ties."""
    n = draw(st.integers(2, 40))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda v: 0 < sum(v) < len(v)))
    score = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    return np.array(y), np.array(score) / 4


def test_auroc_counts_pairs_and_halves_ties():
    # pairs (machine, human): .8>.1, .8>.5, .5>.1, .5=.5 -> 3.5 of 4
    assert auroc([0, 0, 1, 1], [0.1, 0.5, 0.8, 0.5]) == 3.5 / 4


def test_auroc_weights_count_like_copies():
    assert auroc([0, 0, 1, 1], [0.1, 0.9, 0.8, 0.2], sample_weight=[1, 3, 2, 1]) == pytest.approx(3 / 12)


@given(scored())
def test_auroc_equals_scikit_learn(data):
    y, score = data
    assert auroc(y, score) == pytest.approx(roc_auc_score(y, score))


def test_tpr_at_fpr_by_hand():
    y = [0, 0, 0, 0, 1, 1, 1, 1]
    score = [0.1, 0.2, 0.3, 0.9, 0.25, 0.35, 0.5, 0.95]
    assert tpr_at_fpr(y, score, fpr=0.0) == 0.25  # only .95 exceeds every human text
    assert tpr_at_fpr(y, score, fpr=0.25) == 0.75  # one human text of four may reach it: above .3
    assert tpr_at_fpr(y, score, fpr=0.24) == 0.25


def test_tpr_at_fpr_counts_ties_against_the_detector():
    assert tpr_at_fpr([0, 0, 1, 1], [0.5, 0.5, 0.5, 0.6], fpr=0.5) == 0.5


@given(scored(), st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.3, 0.5]))
def test_tpr_at_fpr_is_the_best_point_of_the_roc_curve_within_the_rate(data, rate):
    y, score = data
    fpr, tpr, _ = roc_curve(y, score, drop_intermediate=False)
    assert tpr_at_fpr(y, score, fpr=rate) == pytest.approx(tpr[fpr <= rate + 1e-9].max())


def test_tpr_at_fpr_does_not_lose_a_text_to_rounding():
    # 0.07 * 100 is 7.000000000000001, 0.29 * 100 is 28.999999999999996
    y = np.repeat([0, 1], 100)
    score = np.concatenate([np.arange(100), np.arange(100) + 0.5])
    assert tpr_at_fpr(y, score, fpr=0.29) == 0.30


def test_f1_by_hand():
    assert f1([1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))


@given(scored())
def test_f1_equals_scikit_learn(data):
    y, score = data
    assert f1(y, score > 0) == pytest.approx(f1_score(y, score > 0, zero_division=0))


def test_expected_calibration_error_by_hand():
    # bin [0, .5): mean p .2, frequency 1/3; bin [.5, 1]: mean p .8, frequency 1/2
    p, y = [0.1, 0.2, 0.3, 0.7, 0.9], [0, 0, 1, 1, 0]
    assert expected_calibration_error(y, p, n_bins=2) == pytest.approx(3 / 5 * (1 / 3 - 0.2) + 2 / 5 * 0.3)


def test_expected_calibration_error_puts_certainty_in_the_last_bin():
    assert expected_calibration_error([0, 1], [0.0, 1.0]) == 0.0


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998), table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_table(k, n, low, high):
    found = wilson(k, n)
    assert found.value == k / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # the same table, exact method
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_clopper_pearson_gives_newcombes_table(k, n, low, high):
    found = clopper_pearson(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 3000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_equal_scipys(n, share, confidence):
    k = round(share * n)
    result = binomtest(k, n)
    exact = result.proportion_ci(confidence, method="exact")
    assert (clopper_pearson(k, n, confidence).low, clopper_pearson(k, n, confidence).high) == pytest.approx(
        (exact.low, exact.high), abs=1e-9
    )
    score = result.proportion_ci(confidence, method="wilson")
    assert (wilson(k, n, confidence).low, wilson(k, n, confidence).high) == pytest.approx(
        (score.low, score.high), abs=1e-9
    )


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_intervals_refuse_what_is_no_share(interval):
    with pytest.raises(SettingError, match="3 of 2 is no share"):
        interval(3, 2)
    with pytest.raises(SettingError, match="0 of 0 is no share"):
        interval(0, 0)
    with pytest.raises(SettingError, match="confidence is 95"):
        interval(1, 2, confidence=95)


def test_bootstrap_of_texts_covers_what_normal_theory_says():
    rng = np.random.default_rng(7)
    y = np.repeat([0, 1], 400)
    score = rng.normal(size=800) + y
    found = bootstrap(auroc, y, score, n_resamples=500)
    assert found.value == auroc(y, score)
    # Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 143 (1982)
    a = found.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + 399 * (q1 - a * a) + 399 * (q2 - a * a)) / 400**2)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_bootstrap_by_group_is_wider_when_texts_of_a_group_are_copies():
    rng = np.random.default_rng(3)
    y = np.tile([0, 1], 40)
    score = rng.normal(size=80) + y
    single = bootstrap(auroc, y, score, n_resamples=300)
    y4, score4 = np.repeat(y, 4), np.repeat(score, 4)
    copies = bootstrap(auroc, y4, score4, groups=np.repeat(np.arange(80), 4), n_resamples=300)
    assert copies == single  # four copies of a text are one piece of evidence
    naive = bootstrap(auroc, y4, score4, n_resamples=300)
    assert naive.high - naive.low < 0.7 * (copies.high - copies.low)


def test_bootstrap_is_the_same_for_the_same_seed_only():
    y = np.tile([0, 1], 30)
    score = np.random.default_rng(0).normal(size=60) + y
    metric = functools.partial(tpr_at_fpr, fpr=0.1)
    assert bootstrap(metric, y, score, seed=1, n_resamples=50) == bootstrap(
        metric, y, score, seed=1, n_resamples=50
    )
    wide = {bootstrap(auroc, y, score, seed=s, n_resamples=50).low for s in range(5)}
    assert len(wide) == 5


def test_bootstrap_draws_again_what_lacks_a_class():
    found = bootstrap(auroc, [0, 1], [0.0, 1.0], n_resamples=20)
    assert found == Estimate(1.0, 1.0, 1.0)


@pytest.mark.parametrize("metric", [auroc, tpr_at_fpr, f1, expected_calibration_error])
def test_metrics_refuse_unusable_input(metric):
    with pytest.raises(InputError, match="one class only"):
        metric([1, 1], [0, 1])
    with pytest.raises(InputError, match="one length"):
        metric([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="labels other than 0"):
        metric([0, 2], [0, 1])
    with pytest.raises(InputError, match="NaN or infinity"):
        metric([0, 1], [0, np.nan])


def test_further_refusals_name_the_culprit():
    with pytest.raises(InputError, match="expected probabilities"):
        expected_calibration_error([0, 1], [0.0, 1.5])
    with pytest.raises(InputError, match="values other than 0 and 1"):
        f1([0, 1], [0.2, 0.7])
    with pytest.raises(InputError, match="sample_weight has shape"):
        auroc([0, 1], [0, 1], sample_weight=[1])
    with pytest.raises(SettingError, match=r"fpr is 1\.0"):
        tpr_at_fpr([0, 1], [0, 1], fpr=1.0)
    with pytest.raises(SettingError, match="n_resamples=0"):
        bootstrap(auroc, [0, 1], [0, 1], n_resamples=0)
    with pytest.raises(InputError, match="groups has shape"):
        bootstrap(auroc, [0, 1], [0, 1], groups=[1])


def test_an_estimate_prints_its_interval():
    assert str(Estimate(0.5, 0.25, 0.75)) == "0.5000 [0.2500, 0.7500]"
