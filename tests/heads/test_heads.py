import pickle

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import check_estimator

from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.heads.lightgbm import LightGBMHead, stable_signs
from ghostbuster.heads.logistic import FALLBACK, LogisticHead
from ghostbuster.heads.table import HEADS, make_head
from ghostbuster.heads.training_set import TrainingSet, log_loss
from ghostbuster.heads.validation import finite_matrix
from ghostbuster.metrics.classification import auroc


def made_up(n=300, n_features=6, seed=0):
    """Two informative features of six; log-odds 2 x0 - x1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0] + X[:, 1]))).astype(float)
    return X, y


@pytest.fixture(params=sorted(HEADS))
def head(request):
    made = make_head(request.param)
    return made.set_params(max_trees=80) if request.param == "lightgbm" else made


class _Binary:
    """scikit-learn's suite draws labels of any value; a head takes probabilities, so cut them in two."""

    def fit(self, X, y, sample_weight=None, groups=None):
        y = None if y is None else np.asarray(y)
        if y is not None and y.ndim == 1 and y.size and y.dtype.kind in "fiu":
            y = (y > y.min()).astype(float)
        return super().fit(X, y, sample_weight=sample_weight, groups=groups)


class BinaryLogistic(_Binary, LogisticHead):
    pass


class BinaryLightGBM(_Binary, LightGBMHead):
    def __init__(self, max_trees=20, n_threads=1, random_state=0):
        super().__init__(max_trees=max_trees, n_threads=n_threads, random_state=random_state)


@pytest.mark.parametrize("made", [BinaryLogistic(), BinaryLightGBM()])
def test_heads_pass_scikit_learns_own_suite(made):
    expected = {
        "check_dtype_object": "our errors for X are ValueErrors; the suite wants TypeError for a dict",
        "check_sample_weight_equivalence_on_sparse_data": "sparse features are refused; the suite of "
        "scikit-learn 1.6 asks for them all the same",
    }
    check_estimator(made, on_skip=None, expected_failed_checks=expected, on_fail="raise")


def test_every_head_ranks_texts_it_has_not_seen(head):
    X, y = made_up(600)
    head.fit(X[:300], y[:300])
    best = auroc(y[300:], 2 * X[300:, 0] - X[300:, 1])
    assert auroc(y[300:], head.raw_score(X[300:])) > best - 0.05


def test_contributions_and_baseline_sum_to_the_raw_score(head):
    X, y = made_up()
    head.fit(X, y)
    parts = head.contributions(X)
    assert parts.shape == X.shape
    np.testing.assert_allclose(parts.sum(axis=1) + head.baseline_, head.raw_score(X), atol=1e-9)


def test_raw_scores_are_log_odds(head):
    X, y = made_up(2000)
    head.fit(X, y)
    claimed = 1 / (1 + np.exp(-head.raw_score(X)))
    assert claimed.mean() == pytest.approx(y.mean(), abs=0.01)
    # log loss near that of the odds the labels were drawn with
    true = log_loss(y, 2 * X[:, 0] - X[:, 1], np.ones(2000))
    assert log_loss(y, head.raw_score(X), np.ones(2000)) < true + 0.02


def test_a_head_restored_from_its_state_scores_the_same(head):
    X, y = made_up()
    head.fit(X, y)
    back = type(head).from_state(head.state())
    np.testing.assert_array_equal(back.raw_score(X), head.raw_score(X))
    np.testing.assert_array_equal(back.contributions(X), head.contributions(X))
    assert back.baseline_ == head.baseline_


def plain(value):
    if isinstance(value, dict):
        return all(isinstance(k, str) and plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiu"
    return type(value) in {str, int, float, bool}


def test_a_state_holds_plain_containers_only(head):
    assert plain(head.fit(*made_up()).state())


def test_a_damaged_state_is_refused(head):
    state = head.fit(*made_up()).state()
    for key in state:
        if key == "penalty":
            continue
        with pytest.raises(ArtifactError, match="head cannot be restored"):
            type(head).from_state({k: v for k, v in state.items() if k != key})


def test_a_state_of_another_number_of_features_is_refused():
    X, y = made_up()
    state = LogisticHead().fit(X, y).state()
    with pytest.raises(ArtifactError, match=r"coefficients \(5,\) for \(6,\) features"):
        LogisticHead.from_state({**state, "coef": state["coef"][:5]})
    state = LightGBMHead(max_trees=5).fit(X, y).state()
    with pytest.raises(ArtifactError, match="trees of 6 features, not 5"):
        LightGBMHead.from_state({**state, "n_features": 5})
    with pytest.raises(ArtifactError, match="lightgbm head cannot be restored"):
        LightGBMHead.from_state({**state, "trees": "tree\nversion=v4\n"})


def test_the_same_seed_gives_the_same_head(head):
    X, y = made_up()
    groups = np.arange(300) // 3
    one = clone(head).fit(X, y, groups=groups).raw_score(X)
    np.testing.assert_array_equal(clone(head).fit(X, y, groups=groups).raw_score(X), one)


def test_refitting_forgets_what_was_learned_before(head):
    X, y = made_up(seed=1)
    fresh = clone(head).fit(X, y).raw_score(X)
    again = head.fit(*made_up(200, 4, seed=2)).fit(X, y)
    np.testing.assert_array_equal(again.raw_score(X), fresh)


def test_clone_and_pickle_keep_parameters_and_scores(head):
    X, y = made_up()
    head.fit(X, y)
    assert clone(head).get_params() == head.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(head)).raw_score(X), head.raw_score(X))


def test_weights_count_like_copies_for_the_logistic_head():
    rng = np.random.default_rng(5)
    X, weight = rng.uniform(size=(120, 3)), rng.integers(1, 4, 120)
    y = (X[:, 0] + rng.uniform(size=120) > 1).astype(float)
    head = LogisticHead(penalties=(0.01,))
    weighted = clone(head).fit(X, y, sample_weight=weight).raw_score(X)
    copied = clone(head).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).raw_score(X)
    np.testing.assert_allclose(weighted, copied, atol=1e-5)


def test_a_soft_label_is_both_answers_with_its_shares_of_weight(head):
    X, y = made_up(150)
    soft = np.clip(y, 0.1, 0.9)
    doubled = np.concatenate([X, X])
    hard = np.repeat([0.0, 1.0], 150)
    share = np.concatenate([1 - soft, soft])
    if isinstance(head, LogisticHead):
        head.set_params(penalties=(0.01,))
        by_hand = clone(head).fit(doubled, hard, sample_weight=share)
        settled = 1e-5 if head.l1_ratio == 0 else 1e-3  # SAGA stops farther from the least loss than Newton
        np.testing.assert_allclose(head.fit(X, soft).raw_score(X), by_hand.raw_score(X), atol=settled)
    head.fit(X, soft)
    claimed = 1 / (1 + np.exp(-head.raw_score(X)))
    assert claimed.max() < 0.97  # labels never said more than .9
    assert auroc(y, claimed) > 0.8


def test_logistic_coefficients_equal_a_direct_minimisation():
    X, y = made_up(200)
    head = LogisticHead(penalties=(0.1,)).fit(X, y)
    Z = head.scaler_.transform(X)

    def objective(b):
        raw = Z @ b[:-1] + b[-1]
        return np.mean(np.logaddexp(0, raw) - y * raw) + 0.1 / 2 * b[:-1] @ b[:-1]

    found = minimize(objective, np.zeros(7), tol=1e-12)
    np.testing.assert_allclose(head.coef_, found.x[:-1], atol=1e-4)
    assert head.baseline_ == pytest.approx(found.x[-1], abs=1e-4)


def test_penalty_does_not_depend_on_the_scale_of_weights():
    X, y = made_up()
    one = LogisticHead().fit(X, y, sample_weight=np.full(300, 1.0))
    thousand = LogisticHead().fit(X, y, sample_weight=np.full(300, 1000.0))
    np.testing.assert_allclose(one.coef_, thousand.coef_)


def test_noise_asks_for_a_strong_penalty_and_signal_for_a_weak_one():
    rng = np.random.default_rng(0)
    noise = LogisticHead().fit(rng.normal(size=(100, 40)), np.arange(100) % 2)
    X, y = made_up(3000)
    assert noise.penalty_ >= 0.3
    assert LogisticHead().fit(X, y).penalty_ <= 0.01


def test_groups_stay_on_one_side_when_the_penalty_is_chosen():
    # the label belongs to the group; features only tell groups apart, so held-out groups are noise
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    X = np.repeat(rng.normal(size=(30, 20)), 10, axis=0) + 0.01 * rng.normal(size=(300, 20))
    y = groups % 2
    assert LogisticHead().fit(X, y).penalty_ < LogisticHead().fit(X, y, groups=groups).penalty_
    trees = LightGBMHead(max_trees=100)
    assert clone(trees).fit(X, y).n_trees_ > 3 * trees.fit(X, y, groups=groups).n_trees_


def test_lasso_leaves_features_of_noise_out():
    X, y = made_up(1000)
    head = LogisticHead(l1_ratio=1.0, penalties=(0.05,)).fit(X, y)
    assert np.flatnonzero(head.coef_).tolist() == [0, 1]


def test_a_wild_value_moves_the_logistic_score_within_bounds():
    X, y = made_up()
    head = LogisticHead().fit(X, y)
    wild = np.full((1, 6), 1e12)
    assert abs(head.raw_score(wild)[0]) <= 5 * np.abs(head.coef_).sum() + abs(head.baseline_) + 1e-9


def test_few_texts_are_trained_on_without_holding_any_out():
    X, y = made_up(5)
    y[:] = [0, 0, 0, 0, 1]
    assert LogisticHead().fit(X, y).penalty_ == FALLBACK
    assert np.isfinite(LightGBMHead().fit(X, y).raw_score(X)).all()


def test_stable_signs_are_those_all_folds_share():
    X = np.array([[1.0, 1.0, 3.0], [2.0, 2.0, 3.0], [1.0, 2.0, 3.0], [2.0, 1.0, 3.0]])
    data = TrainingSet.checked(X, [0, 1, 0, 1])
    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    assert stable_signs(data, folds) == (
        1,
        0,
        0,
    )  # second: up in one fold, down in the other; third: constant
    assert stable_signs(data, []) == (0, 0, 0)


def test_a_monotone_head_never_falls_where_the_sign_is_stable():
    X, y = made_up(600)
    head = LightGBMHead(monotone=True, max_trees=100).fit(X, y)
    assert head.constraints_[:2] == (1, -1)
    line = np.tile(X[0], (200, 1))
    line[:, 0] = np.linspace(-4, 4, 200)
    assert (np.diff(head.raw_score(line)) >= 0).all()


def test_lightgbm_contributions_are_its_shap_values():
    X, y = made_up()
    head = LightGBMHead(max_trees=20).fit(X, y)
    shap = lightgbm.Booster(model_str=head.state()["trees"]).predict(X, pred_contrib=True)
    np.testing.assert_array_equal(head.contributions(X), shap[:, :-1])


def test_no_texts_give_no_scores(head):
    head.fit(*made_up())
    assert head.raw_score(np.empty((0, 6))).shape == (0,)
    assert head.contributions(np.empty((0, 6))).shape == (0, 6)


@pytest.mark.parametrize(
    ("X", "y", "extra", "message"),
    [
        ([1.0, 2.0], [0, 1], {}, "X cannot be used: Expected 2D array"),
        ([[1.0], [np.nan]], [0, 1], {}, "X cannot be used: Input X contains NaN"),
        (np.empty((0, 2)), [], {}, "X has 0 texts"),
        ([[1.0], [2.0]], [0, 1, 1], {}, r"y has shape \(3,\); expected \(2,\)"),
        ([[1.0], [2.0]], [0, 2], {}, r"y leaves \[0, 1\]"),
        ([[1.0], [2.0]], ["human", "machine"], {}, "Unknown label type"),
        ([[1.0], [2.0]], [0, np.nan], {}, r"y leaves \[0, 1\]"),
        ([[1.0], [2.0]], [1, 1], {}, "one class only"),
        ([[1.0], [2.0]], [0, 1], {"sample_weight": [1.0]}, "sample_weight has shape"),
        ([[1.0], [2.0]], [0, 1], {"sample_weight": [1.0, -1.0]}, "sample_weight is negative"),
        ([[1.0], [2.0]], [0, 1], {"groups": [1]}, "groups has shape"),
    ],
)
def test_unusable_training_data_is_named(head, X, y, extra, message):
    with pytest.raises(InputError, match=message):
        head.fit(X, y, **extra)


def test_scoring_another_number_of_features_is_refused(head):
    head.fit(*made_up())
    with pytest.raises(InputError, match="X has 5 features; this head was fitted on 6"):
        head.raw_score(np.zeros((1, 5)))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (LogisticHead(l1_ratio=2.0), "l1_ratio=2"),
        (LogisticHead(penalties=(0.0,)), "penalties="),
        (LightGBMHead(num_leaves=1), "num_leaves=1"),
        (LightGBMHead(max_trees=0), "max_trees=0"),
        (LightGBMHead(n_threads=0), "n_threads=0"),
        (LightGBMHead(learning_rate=0.0), "learning_rate=0"),
    ],
)
def test_settings_out_of_range_are_named(made, message):
    with pytest.raises(SettingError, match=message):
        made.fit(*made_up())


def test_an_unknown_head_is_answered_with_the_nearest():
    with pytest.raises(SettingError, match=r"^no head is called 'logistics'; .*did you mean 'logistic'"):
        make_head("logistics")


def test_a_new_head_is_seeded_with_nought_unless_told():
    assert {make_head(name).random_state for name in HEADS} == {0}
    assert {make_head(name, 7).random_state for name in HEADS} == {7}


@pytest.mark.parametrize(("weighted", "chosen"), [(False, 0.1), (True, 1.0)])
def test_the_penalty_chosen_is_the_one_of_least_loss_on_texts_held_out(weighted, chosen):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(240, 12))
    y = (rng.random(240) < 1 / (1 + np.exp(2.5 - X[:, 0] + 0.7 * X[:, 1]))).astype(float)  # one in eight
    weight = rng.gamma(0.5, 2.0, 240) if weighted else np.ones(240)
    strengths = (1.0, 0.1, 0.01, 1e-4)
    losses = []
    for strength in strengths:
        raw, alone = np.empty(240), LogisticHead(penalties=(strength,))
        for train, test in TrainingSet.checked(X, y).folds(5, 0):
            raw[test] = alone.fit(X[train], y[train], sample_weight=weight[train]).raw_score(X[test])
        losses.append(np.average(np.logaddexp(0, raw) - y * raw, weights=weight))
    assert strengths[int(np.argmin(losses))] == chosen
    assert LogisticHead(penalties=strengths).fit(X, y, sample_weight=weight).penalty_ == chosen


def test_no_texts_have_no_scores(head):
    head.fit(*made_up())
    assert head.raw_score(np.empty((0, 6))).shape == (0,)
    assert head.contributions(np.empty((0, 6))).shape == (0, 6)


def test_a_restored_head_knows_its_penalty_and_how_many_features_it_takes():
    X, y = made_up()
    head = LogisticHead().fit(X, y)
    back = LogisticHead.from_state(head.state())
    assert back.penalty_ == head.penalty_
    assert back.n_features_in_ == 6
    with pytest.raises(InputError, match="5 features"):
        back.raw_score(X[:, :5])


def test_a_trained_head_scores_without_the_one_that_trained_it(head):
    X, y = made_up()
    head.fit(X, y)
    row = next(row for row in HEADS.values() if row.trainable() is type(head))
    kept = row.trained.from_state(head.state())
    assert not isinstance(kept, BaseEstimator)
    np.testing.assert_array_equal(kept.raw_score(X), head.raw_score(X))
    np.testing.assert_array_equal(kept.contributions(X), head.contributions(X))
    assert issubclass(row.trainable(), row.trained)


@pytest.mark.parametrize("kind", [row.trained for row in HEADS.values()])
def test_a_trained_head_that_was_never_given_its_state_says_so(kind):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        kind().raw_score(np.zeros((1, 2)))


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        elements=st.floats(allow_nan=True, allow_infinity=True),
    )
)
def test_a_matrix_is_taken_or_refused_as_by_scikit_learn(X):
    try:
        with np.errstate(invalid="ignore"):
            expected = check_array(X, ensure_min_samples=0, input_name="X")
    except ValueError:
        with pytest.raises(InputError, match="X cannot be used"):
            finite_matrix(X)
    else:
        np.testing.assert_array_equal(finite_matrix(X), expected)


def test_every_array_that_a_head_stores_is_one_that_it_lists_as_wide_as_its_features(head):
    head.fit(*made_up())
    listed = head.arrays()
    stored = {}
    for name, value in head.state().items():
        inner = value if isinstance(value, dict) else {"": value}
        stored |= {
            f"{name}.{key}".strip("."): one for key, one in inner.items() if isinstance(one, np.ndarray)
        }
    assert set(listed) == set(stored)
    assert all(one.shape == (6,) and np.array_equal(one, stored[name]) for name, one in listed.items())
