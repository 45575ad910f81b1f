import pickle
from itertools import pairwise

import numpy as np
import pytest
from planted import FEATURES, SCORES, planted, separable_vectors, winsorised
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from strategies import VECTOR_NAMES

from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import candidates
from ghostbuster.folds import drawn_folds


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


def test_float32_columns_are_enough_to_choose_as_in_float64():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(250, 15)) * 10.0 ** rng.integers(-6, 7, 15) * (1 + 1e-3 * rng.normal(size=15))
    y = (X @ (rng.normal(size=15) / X.std(0)) + rng.normal(size=250) > 0).astype(int)
    folds = list(StratifiedKFold(3, shuffle=True, random_state=1).split(X, y))
    expected, values = by_brute_force(X, y, folds, 4, "log_loss")
    made = search(max_features=4, screen=5, cv=folds).fit_matrix(X, FEATURES[:15], y)
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
    made = search(max_features=10, criterion="auroc").fit_matrix(X, FEATURES[:10], y)
    assert made.features_[0] == FEATURES[4]
    assert 1 <= len(made.features_) < 10


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


def test_fit_evaluates_the_space_and_transform_the_chosen_features():
    made, y = separable_vectors()
    fitted = FeatureSearch(space="zeroshot", max_features=3, cv=3).fit(made, y)
    space = candidates("zeroshot", VECTOR_NAMES)
    again = FeatureSearch(max_features=3, cv=3).fit_matrix(evaluate_all(space, made), space, y)
    assert fitted.features_ == again.features_ != ()
    assert np.array_equal(fitted.transform(made), evaluate_all(fitted.features_, made))
    assert fitted.get_feature_names_out().tolist() == [str(f) for f in fitted.features_]


@pytest.mark.parametrize("space", ["kaggle", "zeroshot"])
def test_without_a_criterion_the_whole_space_is_kept(space):
    made, y = separable_vectors()
    fitted = FeatureSearch(space=space, criterion=None).fit(made, y)
    assert fitted.features_ == candidates(space, VECTOR_NAMES)
    few = FeatureSearch(space=space, criterion=None, cv=None).fit(made.take([0, 1, 2]), y[:3])
    assert set(few.features_) <= set(fitted.features_)


def test_the_search_clones_pickles_and_puts_out_frames():
    made, y = separable_vectors()
    original = FeatureSearch(space="zeroshot", max_features=2, cv=3)
    fitted = clone(original).fit(made, y)
    assert not hasattr(original, "features_")
    assert fitted.get_params() == original.get_params()
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(made), fitted.transform(made))
    frame = fitted.set_output(transform="pandas").transform(made)
    assert frame.columns.tolist() == [str(f) for f in fitted.features_]
