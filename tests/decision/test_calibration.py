import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from ghostbuster.decision.calibration import ENOUGH_FOR_CURVE, Calibration, held_out_error, smoothed_targets
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.metrics.classification import auroc, expected_calibration_error


def drawn(n=2000, seed=0):
    """Raw scores that overstate their log-odds threefold, and labels drawn with the true ones."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(size=n) - 0.5
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return 3 * log_odds, y


@st.composite
def labelled(draw):
    n = draw(st.integers(2, 30))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda v: 0 < sum(v) < len(v)))
    raw = draw(st.lists(st.floats(-1e6, 1e6), min_size=n, max_size=n))
    return np.array(raw), np.array(y)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "smooth"])
@given(data=labelled(), wild=st.floats(-1e300, 1e300))
def test_probabilities_rise_with_the_score_and_never_reach_certainty(method, data, wild):
    raw, y = data
    made = Calibration().fit(raw, y, method=method)
    at = np.sort(np.concatenate([raw, np.linspace(-2e6, 2e6, 50), [wild, -1e300, 1e300]]))
    p = made.probability(at)
    assert (np.diff(p) >= -4 * np.finfo(float).eps).all()  # neighbours may differ by rounding
    assert ((p > 0) & (p < 1)).all()


def test_scores_that_differ_by_next_to_nothing_are_one_point_of_the_curve():
    raw, y = np.array([0.0] * 5 + [1.0] + [-1e-212] * 2), np.array([0, 0, 0, 0, 1, 0, 0, 0])
    made = Calibration().fit(raw, y, method="smooth")
    p = made.probability([-1.0, 0.0, 0.5, 1.0, 2.0])
    assert np.isfinite(p).all()
    assert (np.diff(p) > 0).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "smooth"])
def test_texts_keep_their_order_so_ranking_metrics_do_not_change(method):
    raw, y = drawn()
    p = Calibration().fit(raw, y, method=method).probability(raw)
    np.testing.assert_array_equal(np.argsort(p, kind="stable"), np.argsort(raw, kind="stable"))
    assert auroc(y, p) == auroc(y, raw)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "smooth"])
def test_calibration_mends_scores_that_overstate(method):
    raw, y = drawn()
    fresh, fresh_y = drawn(4000, seed=1)
    made = Calibration().fit(raw, y, method=method)
    before = expected_calibration_error(fresh_y, 1 / (1 + np.exp(-fresh)))
    after = expected_calibration_error(fresh_y, made.probability(fresh))
    assert before > 0.1
    assert after < 0.04


def test_sigmoid_finds_the_slope_the_scores_were_stretched_by():
    made = Calibration().fit(*drawn(20000), method="sigmoid")
    assert made.slope_ == pytest.approx(1 / 3, rel=0.05)
    assert made.intercept_ == pytest.approx(0, abs=0.05)


def test_sigmoid_equals_a_direct_minimisation_over_platts_targets():
    raw = np.array([-2.0, -1.0, 0.5, 1.0, 3.0])
    y = np.array([0.0, 0.0, 1.0, 0.0, 1.0])
    target = np.where(y == 1, 3 / 4, 1 / 5)  # (2 + 1) / (2 + 2), 1 / (3 + 2)

    def loss(line):
        log_odds = line[0] * raw + line[1]
        return np.sum(np.logaddexp(0, log_odds) - target * log_odds)

    found = minimize(loss, [0.0, 0.0], tol=1e-12)
    made = Calibration().fit(raw, y, method="sigmoid")
    assert (made.slope_, made.intercept_) == pytest.approx(tuple(found.x), abs=1e-5)


def test_sigmoid_equals_scikit_learns():
    raw, y = drawn(300)
    identity = LogisticRegression(C=1e9).fit(raw[:, None], y)
    theirs = CalibratedClassifierCV(identity, method="sigmoid", cv=[(np.arange(300), np.arange(300))])
    theirs.fit(raw[:, None], y)
    made = Calibration().fit(raw, y, method="sigmoid").probability(raw)
    np.testing.assert_allclose(made, theirs.predict_proba(raw[:, None])[:, 1], atol=1e-3)


def test_isotonic_follows_the_pooled_steps():
    raw, y = drawn(3000)
    steps = IsotonicRegression(out_of_bounds="clip").fit(raw, y)
    made = Calibration().fit(raw, y, method="isotonic")
    inner = (steps.predict(raw) > 0.02) & (steps.predict(raw) < 0.98)
    np.testing.assert_allclose(made.probability(raw)[inner], steps.predict(raw)[inner], atol=0.02)


def test_smooth_goes_through_pooled_bins_by_hand():
    # each text is a bin: shares 1/3, 2/3, 1/3, 2/3 with one text of each class added; the middle are pooled
    made = Calibration().fit([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1], method="smooth")
    faint = 0.01 / np.sqrt(1.25)
    expected = [-np.log(2) - 1.5 * faint, 0.0, np.log(2) + 1.5 * faint]
    p = made.probability([0.0, 1.5, 3.0])
    np.testing.assert_allclose(np.log(p / (1 - p)), expected, atol=1e-12)


def test_smooth_has_no_steps():
    raw, y = drawn(3000)
    at = np.linspace(raw.min(), raw.max(), 20_000)
    rises = {
        method: np.diff(Calibration().fit(raw, y, method=method).probability(at)).max()
        for method in ("isotonic", "smooth")
    }
    assert rises["smooth"] < 0.002
    assert rises["isotonic"] > 0.01


def test_the_held_out_error_is_of_maps_that_did_not_see_the_fold():
    raw, y = drawn(400)
    halves = np.arange(200), np.arange(200, 400)
    folds = [halves, halves[::-1]]
    stated = np.empty(400)
    for train, test in folds:
        stated[test] = Calibration().fit(raw[train], y[train]).probability(raw[test])
    assert held_out_error(raw, y, np.ones(400), folds) == expected_calibration_error(y, stated)


def test_smoothed_targets_by_hand():
    assert smoothed_targets(np.array([0.0, 0, 0, 1]), np.ones(4)) == (1 / 5, 2 / 3)
    assert smoothed_targets(np.array([0.0, 1]), np.array([3.0, 1])) == (1 / 5, 2 / 3)


def test_weights_count_like_copies():
    raw, y = drawn(60)
    weight = np.random.default_rng(2).integers(1, 4, 60)
    # weights are scaled to mean 1, which only the smoothing of targets sees
    weighted = Calibration().fit(raw, y, weight, method="sigmoid").probability(raw)
    copied = (
        Calibration().fit(np.repeat(raw, weight), np.repeat(y, weight), method="sigmoid").probability(raw)
    )
    np.testing.assert_allclose(weighted, copied, atol=0.02)
    assert np.abs(Calibration().fit(raw, y, method="sigmoid").probability(raw) - copied).max() > 0.03


def test_a_soft_label_is_both_answers_with_its_shares_of_weight():
    raw, y = drawn(100)
    soft = np.clip(y, 0.2, 0.8)
    made = Calibration().fit(raw, soft, method="sigmoid")
    share = np.concatenate([1 - soft, soft])
    doubled = Calibration().fit(np.tile(raw, 2), np.repeat([0.0, 1.0], 100), share, method="sigmoid")
    # the doubled weights have mean 1 / 2, so that side counts twice the texts when targets are smoothed
    np.testing.assert_allclose(made.probability(raw), doubled.probability(raw), atol=0.01)


@pytest.mark.parametrize(
    ("rarer", "method"), [(ENOUGH_FOR_CURVE - 1, "sigmoid"), (ENOUGH_FOR_CURVE, "smooth")]
)
@pytest.mark.parametrize("common", [0.0, 1.0])
def test_auto_chooses_by_the_rarer_class(rarer, method, common):
    y = np.repeat([common, 1 - common], [2000, rarer])
    raw = np.random.default_rng(0).normal(size=y.size) + y
    assert Calibration().fit(raw, y).method_ == method


def test_scores_that_mean_nothing_give_the_base_rate():
    rng = np.random.default_rng(0)
    y = np.repeat([0.0, 1.0], [300, 100])
    p = Calibration().fit(-y + 0.1 * rng.normal(size=400), y, method="sigmoid").probability([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(p, 0.25, atol=0.02)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "smooth"])
def test_scores_all_alike_give_the_base_rate(method):
    y = np.repeat([0.0, 1.0], [300, 100])
    assert Calibration().fit(np.ones(400), y, method=method).probability([1.0])[0] == pytest.approx(
        0.25, abs=0.01
    )


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "smooth"])
def test_a_calibration_restored_from_its_state_says_the_same(method):
    raw, y = drawn(200)
    made = Calibration().fit(raw, y, method=method)
    back = Calibration.from_state(made.state())
    np.testing.assert_array_equal(back.probability(raw), made.probability(raw))
    assert back.method_ == method


def test_isotonic_by_hand():
    raw, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0, 1.0])
    made = Calibration().fit(raw, y, method="isotonic")
    # the two in the middle are pooled to 1 / 2; the ends are smoothed to 1 / 4 and 3 / 4; then a faint slope
    faint = 0.01 / np.std(raw) * (raw - 1.5)
    expected = np.log([1 / 3, 1, 1, 3]) + faint
    np.testing.assert_allclose(made.probability(raw), 1 / (1 + np.exp(-expected)), rtol=1e-12)


def test_isotonic_counts_weights_when_it_pools():
    raw, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0, 1.0])
    made = Calibration().fit(raw, y, [1.0, 3.0, 1.0, 1.0], method="isotonic")
    middle = made.probability([1.0, 2.0])
    assert np.log(middle / (1 - middle)) == pytest.approx(np.log([3, 3]), abs=0.02)  # 3 of 4, no more 1 of 2


def test_no_odds_beyond_the_most_are_stated():
    made = Calibration().fit([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1], method="sigmoid")
    assert made.probability([1e9, -1e9]) == pytest.approx([1 / (1 + np.exp(-20)), 1 / (1 + np.exp(20))])


def test_only_what_falls_is_refused_and_lone_knots_need_no_company():
    state = Calibration().fit(*drawn(50)).state()
    made = Calibration.from_state({**state, "knots": [0.0, 0.0], "log_odds": [0.5, 0.5]})
    assert made.probability([0.0]).size == 1
    for damage in (
        {"slope": 0.0},
        {"slope": float("nan")},
        {"knots": [1.0, 0.0], "log_odds": [0.0, 1.0]},
        {"knots": [0.0, 1.0], "log_odds": [0.0]},
    ):
        with pytest.raises(ArtifactError, match="does not rise"):
            Calibration.from_state({**state, **damage})


def test_a_damaged_state_is_refused():
    state = Calibration().fit(*drawn(50)).state()
    with pytest.raises(ArtifactError, match="cannot be restored"):
        Calibration.from_state({k: v for k, v in state.items() if k != "knots"})
    with pytest.raises(ArtifactError, match="does not rise"):
        Calibration.from_state({**state, "slope": -1.0})
    with pytest.raises(ArtifactError, match="does not rise"):
        Calibration.from_state({**state, "knots": [0.0, 1.0], "log_odds": [1.0, 0.0]})


@pytest.mark.parametrize(
    ("raw", "y", "weight", "message"),
    [
        ([0.0, 1.0], [0, 1, 1], None, "one length"),
        ([0.0, 1.0], [0, 1], [1.0], "one length"),
        ([[0.0], [1.0]], [[0], [1]], None, "one dimension"),
        ([0.0, 1.0], [-0.5, 1], None, r"y leaves \[0, 1\]"),
        ([0.0, 1.0], [0, 1], [np.nan, 1.0], "sample_weight holds a negative"),
        ([0.0, 1.0], [0, 0], None, "one class only"),
        ([0.0, np.inf], [0, 1], None, "raw holds NaN"),
        ([0.0, 1.0], [0, 2], None, r"y leaves \[0, 1\]"),
        ([0.0, 1.0], [1, 1], None, "one class only"),
        ([0.0, 1.0], [0, 1], [1.0, -1.0], "sample_weight holds a negative"),
        ([0.0, 1.0], [0, 1], [1.0, 0.0], "one class only"),
    ],
)
def test_unusable_scores_are_named(raw, y, weight, message):
    with pytest.raises(InputError, match=message):
        Calibration().fit(raw, y, weight)


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingError, match="method='platt'"):
        Calibration().fit([0.0, 1.0], [0, 1], method="platt")
