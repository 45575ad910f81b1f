import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from strategies import VECTOR_NAMES, vectors_of_lengths

from ghostbuster.errors import FeatureError, InputError, SettingError
from ghostbuster.features.criteria import CRITERIA
from ghostbuster.features.expression import Feature, evaluate_all
from ghostbuster.features.folds import drawn_folds, given_folds
from ghostbuster.features.logistic import fit_each, fit_logistic
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.search import FeatureSearch
from ghostbuster.features.space import candidates
from ghostbuster.scores import Vectors

FEATURES = tuple(Feature.parse(f"a.v{i} s-avg") for i in range(20))


def planted(n_texts=300, n_candidates=20, seed=0):
    """Correlated columns, heavy tails among them; the label follows the first five, shuffled."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n_texts, 4)) @ rng.normal(size=(4, n_candidates))
    X = rng.standard_t(4, size=(n_texts, n_candidates)) + 0.5 * common
    X = X * rng.lognormal(0, 2, n_candidates) + rng.normal(0, 5, n_candidates)
    z = (X - X.mean(0)) / X.std(0)
    effects = [1.5, -1.0, 0.8, 0.6, -0.5][:n_candidates]
    log_odds = z[:, rng.permutation(n_candidates)[: len(effects)]] @ effects
    return X.astype(np.float32), (rng.random(n_texts) < 1 / (1 + np.exp(-log_odds))).astype(int)


def winsorised(train, test, weight):
    """Scaling written out once more: limits from percentiles, then weighted moments."""
    low, mid, high = np.percentile(train, [15.865525393145707, 50, 84.13447460685429], axis=0)
    reach = 5 * (high - low) / 2
    held = np.clip(train, mid - reach, mid + reach)
    mean = np.average(held, axis=0, weights=weight)
    deviation = np.sqrt(np.average((held - mean) ** 2, axis=0, weights=weight))
    return [np.clip((x - mean) / deviation, -5, 5) for x in (train, test)]


SCORES = {
    "log_loss": lambda y, p, w: -log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "auroc": lambda y, p, w: roc_auc_score(y, p, sample_weight=w),
    "accuracy": lambda y, p, w: np.average((p > 0.5) == y, weights=w),
}


def by_brute_force(X, y, folds, n_features, criterion, weight=None, C=1.0):
    """Greedy forward selection by scikit-learn, every candidate fitted in every round."""
    X = X.astype(np.float64)
    weight = np.ones(y.size) if weight is None else weight / weight.mean()
    chosen, values = [], []
    for _ in range(n_features):
        tried = {}
        for candidate in set(range(X.shape[1])) - set(chosen):
            scores = []
            for train, test in folds:
                columns = [*chosen, candidate]
                a, b = winsorised(X[train][:, columns], X[test][:, columns], weight[train])
                model = LogisticRegression(C=C, tol=1e-10, solver="newton-cholesky")
                p = model.fit(a, y[train], weight[train]).predict_proba(b)[:, 1]
                scores.append(SCORES[criterion](y[test], p, weight[test]))
            tried[candidate] = np.mean(scores)
        best = max(tried, key=lambda i: (round(tried[i], 12), -i))
        chosen.append(best)
        values.append(tried[best])
    return chosen, values


def search(**settings):
    return FeatureSearch(**{"max_correlation": 1.0, "C": 1.0, **settings})


@pytest.mark.parametrize("screen", [5, None])
@pytest.mark.parametrize("criterion", ["log_loss", "auroc"])
def test_screened_and_full_search_choose_what_brute_force_by_scikit_learn_chooses(screen, criterion):
    X, y = planted()
    folds = list(StratifiedKFold(3, shuffle=True, random_state=1).split(X, y))
    expected, values = by_brute_force(X, y, folds, 4, criterion)
    made = search(max_features=4, screen=screen, criterion=criterion, cv=folds).fit_matrix(
        X, FEATURES[:20], y
    )
    assert made.features_ == tuple(FEATURES[i] for i in expected)
    assert [step.value for step in made.history_] == pytest.approx(values, abs=1e-6)


def test_weights_and_folds_of_any_shape_are_honoured_as_scikit_learn_honours_them():
    X, y = planted(300, 15, seed=4)
    rng = np.random.default_rng(0)
    weight = rng.gamma(1.0, 1.0, y.size)
    order = rng.permutation(y.size)
    folds = [(order[:200], order[200:]), (order[150:], order[:120]), (order[::2], order[1::2])]
    expected, values = by_brute_force(X, y, folds, 4, "log_loss", weight, C=0.5)
    made = search(max_features=4, screen=None, cv=folds, C=0.5)
    made.fit_matrix(X, FEATURES[:15], y, sample_weight=weight)
    assert made.features_ == tuple(FEATURES[i] for i in expected)
    assert [step.value for step in made.history_] == pytest.approx(values, abs=1e-6)


def test_accuracy_of_the_chosen_is_scikit_learns():
    X, y = planted(300, 12)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    expected, values = by_brute_force(X, y, folds, 1, "accuracy")
    made = search(max_features=1, screen=None, criterion="accuracy", cv=folds).fit_matrix(X, FEATURES[:12], y)
    assert made.features_ == (FEATURES[expected[0]],)
    assert made.history_[0].value == pytest.approx(values[0])


def test_a_weight_of_two_is_as_good_as_the_text_twice():
    X, y = planted(200, 10)
    twice = np.concatenate([np.arange(200), np.arange(0, 200, 2)])
    fold = np.arange(200) % 3
    folds = [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(3)]
    doubled = [(np.flatnonzero(fold[twice] != i), np.flatnonzero(fold[twice] == i)) for i in range(3)]
    weight = np.where(np.arange(200) % 2, 1.0, 2.0)
    scaled = ColumnScaler.fit(X).transform(X)  # percentiles are unweighted: give both the same columns
    scaled = np.clip(scaled, -2, 2)
    C = 1e6  # no penalty to speak of, which weights of mean 1 would share out differently
    one = search(max_features=4, cv=folds, C=C).fit_matrix(scaled, FEATURES[:10], y, sample_weight=weight)
    other = search(max_features=4, cv=doubled, C=C).fit_matrix(scaled[twice], FEATURES[:10], y[twice])
    assert one.features_ == other.features_
    assert [s.value for s in one.history_] == pytest.approx([s.value for s in other.history_], abs=1e-3)


def test_the_search_stops_when_nothing_improves():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10)).astype(np.float32)
    y = (X[:, 4] + 0.3 * rng.normal(size=200) > 0).astype(int)
    made = search(max_features=10, tolerance=0.01).fit_matrix(X, FEATURES[:10], y)
    assert made.features_ == (FEATURES[4],)
    assert made.history_[0].value > made.baseline_ + 0.01


def test_with_nothing_to_learn_nothing_is_chosen():
    X = np.tile(np.arange(2.0), 100)[:, None].astype(np.float32)
    y = np.repeat([0, 1], 100)
    made = search().fit_matrix(X, FEATURES[:1], y)
    assert made.features_ == made.history_ == ()


def test_every_step_improves_and_no_feature_comes_twice():
    X, y = planted()
    made = search().fit_matrix(X, FEATURES[:20], y)
    values = [made.baseline_, *(step.value for step in made.history_)]
    assert all(a < b for a, b in pairwise(values))
    assert len(set(made.features_)) == len(made.features_)
    assert made.features_ == tuple(step.feature for step in made.history_)


def test_near_duplicates_of_a_chosen_feature_are_dropped_and_constant_ones_never_tried():
    X, y = planted(300, 6)
    rng = np.random.default_rng(0)
    doubles = X + 1e-4 * X.std(0) * rng.normal(size=X.shape).astype(np.float32)
    constant = np.full((300, 2), 7.0, dtype=np.float32)
    whole = np.hstack([X, -doubles, constant])
    made = FeatureSearch(max_correlation=0.99).fit_matrix(whole, FEATURES[:14], y)
    kept = [FEATURES.index(feature) % 6 for feature in made.features_]
    assert len(set(kept)) == len(kept) > 1
    assert made.n_candidates_ == 12
    assert (
        len(FeatureSearch(max_features=14, criterion=None).fit_matrix(whole, FEATURES[:14], y).features_)
        == 12
    )


def test_without_a_penalty_given_it_grows_with_the_texts():
    X, y = planted(n_texts=200)
    made = search(C=None, max_features=4).fit_matrix(X, FEATURES[:20], y)
    assert made.history_ == search(C=4 / 200, max_features=4).fit_matrix(X, FEATURES[:20], y).history_
    assert made.history_ != search(C=4 / 100, max_features=4).fit_matrix(X, FEATURES[:20], y).history_


def test_the_same_seed_chooses_the_same_features_twice():
    X, y = planted(n_texts=200)
    one, other = (search(random_state=3).fit_matrix(X, FEATURES[:20], y) for _ in range(2))
    assert one.history_ == other.history_


def test_the_default_folds_are_scikit_learns_stratified_ones_and_never_part_a_group():
    y = np.tile([0.0, 1.0], 30)
    groups = np.repeat(np.arange(20), 3)
    plain = drawn_folds(y, None, 5, seed=7)
    expected = StratifiedKFold(5, shuffle=True, random_state=7).split(y, y)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(plain, expected, strict=True))
    grouped = drawn_folds(y, groups, 5, seed=7)
    expected = StratifiedGroupKFold(5, shuffle=True, random_state=7).split(y, y, groups)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(grouped, expected, strict=True))
    assert not any(set(groups[train]) & set(groups[test]) for train, test in grouped)


def test_soft_labels_minimise_the_expected_log_loss():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8)).astype(np.float32)
    soft = 1 / (1 + np.exp(-2 * X[:, 2] + X[:, 5]))
    made = search(max_features=2).fit_matrix(X, FEATURES[:8], soft)
    assert {str(f) for f in made.features_} == {"a.v2 s-avg", "a.v5 s-avg"}
    entropy = np.mean(-soft * np.log(soft) - (1 - soft) * np.log(1 - soft))
    assert -made.history_[-1].value == pytest.approx(entropy, abs=0.02)


def separable_vectors(n_texts=60, seed=0):
    """Texts of one half in which the strong model is less surprised."""
    rng = np.random.default_rng(seed)
    made = vectors_of_lengths(rng.integers(20, 60, n_texts), seed)
    y = np.arange(n_texts) % 2
    channels = dict(made.channels)
    spread = np.repeat(1 - 0.3 * y, made.lengths).astype(np.float32)
    channels["strong.logprob"] = channels["strong.logprob"] * spread
    channels["strong.prob"] = np.exp(channels["strong.logprob"])
    return Vectors(channels, made.offsets), y


def test_fit_evaluates_the_space_and_transform_the_chosen_features():
    made, y = separable_vectors()
    fitted = FeatureSearch(space="zeroshot", max_features=3, n_folds=3).fit(made, y)
    space = candidates("zeroshot", VECTOR_NAMES)
    again = FeatureSearch(max_features=3, n_folds=3).fit_matrix(evaluate_all(space, made), space, y)
    assert fitted.features_ == again.features_ != ()
    assert np.array_equal(fitted.transform(made), evaluate_all(fitted.features_, made))
    assert fitted.get_feature_names_out().tolist() == [str(f) for f in fitted.features_]


@pytest.mark.parametrize("space", ["kaggle", "zeroshot"])
def test_without_a_criterion_the_whole_space_is_kept(space):
    made, y = separable_vectors()
    fitted = FeatureSearch(space=space, criterion=None).fit(made, y)
    assert fitted.features_ == candidates(space, VECTOR_NAMES)


def test_the_search_clones_pickles_and_puts_out_frames():
    made, y = separable_vectors()
    original = FeatureSearch(space="zeroshot", max_features=2, n_folds=3)
    fitted = clone(original).fit(made, y)
    assert not hasattr(original, "features_")
    assert fitted.get_params() == original.get_params()
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(made), fitted.transform(made))
    frame = fitted.set_output(transform="pandas").transform(made)
    assert frame.columns.tolist() == [str(f) for f in fitted.features_]


def test_a_search_that_was_not_fitted_says_so():
    made, _ = separable_vectors()
    with pytest.raises(NotFittedError, match="FeatureSearch"):
        FeatureSearch().transform(made)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"criterion": "logloss"}, "no criterion 'logloss'; did you mean 'log_loss'"),
        ({"space": "defualt"}, "no candidate space 'defualt'; did you mean 'default'"),
        ({"max_features": 0}, "max_features is 0; expected at least 1"),
        ({"screen": 0}, "screen is 0; expected at least 1"),
        ({"C": 0.0}, "C is 0.0; expected a positive number"),
        ({"max_correlation": 0.0}, "max_correlation is 0.0; expected more than 0"),
        ({"tolerance": -0.1}, "tolerance is -0.1; expected 0 or more"),
        ({"n_folds": 1}, "n_folds is 1; expected at least 2"),
        (
            {"criterion": None, "max_features": 5, "space": "zeroshot"},
            "keeps all 16 candidates.*raise max_features",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    made, y = separable_vectors(20)
    with pytest.raises(SettingError, match=message):
        FeatureSearch(**{"space": "zeroshot", **settings}).fit(made, y)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"labels have shape \(2,\); expected \(20,\)"),
        ([2] * 20, "labels lie outside 0..1"),
        ([np.nan] * 20, "labels lie outside 0..1"),
        ([1] * 20, "labels are all the same"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, message):
    made, _ = separable_vectors(20)
    with pytest.raises(InputError, match=message):
        FeatureSearch(space="zeroshot").fit(made, labels)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], r"sample_weight has shape \(1,\)"),
        ([-1.0] + [1.0] * 19, "sample_weight holds a negative number"),
        ([0.0] * 20, "only noughts"),
    ],
)
def test_weights_that_are_none_are_refused(weight, message):
    made, y = separable_vectors(20)
    with pytest.raises(InputError, match=message):
        FeatureSearch(space="zeroshot", n_folds=2).fit(made, y, sample_weight=weight)


def test_groups_of_another_length_are_refused():
    made, y = separable_vectors(20)
    with pytest.raises(InputError, match=r"groups have shape \(3,\); expected \(20,\)"):
        FeatureSearch(space="zeroshot").fit(made, y, groups=[1, 2, 3])


def test_a_matrix_that_does_not_fit_its_features_is_refused():
    with pytest.raises(InputError, match=r"matrix has shape \(4, 2\); expected one column for each of 3"):
        FeatureSearch().fit_matrix(np.zeros((4, 2)), FEATURES[:3], [0, 1, 0, 1])


def test_a_space_without_its_vectors_is_refused():
    made, y = separable_vectors(20)
    few = Vectors({"strong.prob": made.channels["strong.prob"]}, made.offsets)
    with pytest.raises(FeatureError, match="space 'ghostbuster' needs vectors that are not there"):
        FeatureSearch(space="ghostbuster").fit(few, y)


@pytest.mark.parametrize("criterion", ["auroc", "accuracy"])
def test_soft_labels_are_refused_where_they_have_no_meaning(criterion):
    X, _ = planted(50, 3)
    with pytest.raises(SettingError, match=f"criterion '{criterion}' wants labels 0 and 1; use log_loss"):
        FeatureSearch(criterion=criterion).fit_matrix(X, FEATURES[:3], np.linspace(0, 1, 50))


def test_auroc_refuses_a_fold_that_tests_on_one_class():
    X, y = planted(50, 3)
    human, machine = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    one = (np.concatenate([human[5:], machine[5:]]), human[:5])
    with pytest.raises(SettingError, match="tests on one class only, where auroc is undefined"):
        FeatureSearch(criterion="auroc", cv=[one, one]).fit_matrix(X, FEATURES[:3], y)


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        ([([0, 1], [2])], SettingError, r"cv has 1 fold\(s\); expected at least 2"),
        ([([0, 1], []), ([0, 1], [2])], SettingError, "fold 0: test is empty"),
        ([([0, 1], [9]), ([0, 1], [2])], SettingError, r"fold 0: test points at a text outside 0..3"),
        ([([0, 1], [2]), ([0, 1], [1])], SettingError, "fold 1 tests on texts it trains on"),
        ([([0, 1], [2]), ([0, 2], [3])], InputError, "fold 1 trains on texts of one class only"),
    ],
)
def test_given_folds_that_cannot_be_used_are_refused(cv, error, message):
    with pytest.raises(error, match=message):
        given_folds(cv, np.array([0.0, 1.0, 0.0, 1.0]))


def penalised_loss(b, X, y, w, C):
    z = X @ b
    return w @ (np.logaddexp(0, z) - y * z) + b[1:] @ b[1:] / (2 * C)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1.0, 100.0]), st.booleans())
def test_newton_finds_the_minimum_that_a_general_optimiser_finds(seed, C, separable):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(60), np.clip(rng.normal(size=(60, 3)) * [1, 3, 0.1], -5, 5)])
    y = (X[:, 1] > 0).astype(float) if separable else rng.random(60)
    w = rng.gamma(2.0, 1.0, 60)
    best = minimize(penalised_loss, np.zeros(4), (X, y, w, C), method="BFGS", options={"gtol": 1e-6})
    found = fit_logistic(X, y, w, C)
    assert penalised_loss(found, X, y, w, C) <= best.fun + 1e-6
    together = fit_each(X[:, :3], X[:, 3:], y, w, C, fit_logistic(X[:, :3], y, w, C))
    np.testing.assert_allclose(together[:, 0], found, atol=1e-3 * (1 + np.abs(found).max()))


@given(st.integers(0, 1000))
def test_criteria_agree_with_scikit_learn_under_weights_and_ties(seed):
    rng = np.random.default_rng(seed)
    y = np.array([0.0, 1.0, *rng.integers(0, 2, 30)])
    log_odds = np.round(rng.normal(size=(32, 2)), 1)
    weight = rng.gamma(1.0, 1.0, 32) + 0.01
    for name, criterion in CRITERIA.items():
        p = 1 / (1 + np.exp(-log_odds))
        expected = [SCORES[name](y, p[:, i], weight) for i in range(2)]
        np.testing.assert_allclose(criterion.score(y, log_odds, weight), expected, rtol=1e-9)
