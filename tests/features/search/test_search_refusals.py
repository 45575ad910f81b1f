import numpy as np
import pytest
from planted import FEATURES, planted, separable_vectors
from sklearn.exceptions import NotFittedError

from ghostbuster.arrays import Vectors
from ghostbuster.errors import FeatureError, InputError, SettingError
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.folds import given_folds


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
        ({"select_across": "sources"}, "select_across is 'sources'; expected 'source' or None"),
        ({"max_memory": 100}, "max_memory is 100 bytes; expected at least 2080 for 20 texts"),
        ({"cv": 1}, "cv is 1; expected at least 2 folds"),
        (
            {"criterion": None, "max_features": 5, "space": "zeroshot"},
            "keeps all 26 candidates.*raise max_features",
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
        FeatureSearch(space="zeroshot", cv=2).fit(made, y, sample_weight=weight)


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
