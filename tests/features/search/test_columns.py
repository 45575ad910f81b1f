import numpy as np
import pytest
from joblib import parallel_config
from planted import FEATURES, planted, separable_vectors

from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.search.columns import Columns, fill_columns
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.search.inputs import Labelled
from ghostbuster.folds import fold_order


@pytest.mark.parametrize(("max_memory", "in_memory"), [(700 * 10 * 4, True), (300 * 10 * 4, False)])
def test_columns_come_back_as_they_went_in_from_memory_or_from_a_file(max_memory, in_memory):
    X = np.random.default_rng(0).normal(size=(10, 700)).astype(np.float32)
    with Columns(10, 700, max_memory) as columns:
        assert columns.in_memory is in_memory
        for first in range(0, 700, columns.block):
            columns.append(X[:, first : first + columns.block])
        assert columns.n_columns == 700
        assert np.array_equal(columns.take([699, 3, 3]), X[:, [699, 3, 3]])
        blocks = list(columns.blocks(64))
        assert [which.stop for which, _ in blocks] == [*range(64, 700, 64), 700]
        assert np.array_equal(np.hstack([block for _, block in blocks]), X)


def test_less_memory_than_a_few_columns_need_is_refused():
    with pytest.raises(SettingError, match="max_memory is 10239 bytes; expected at least 10240 for 10 texts"):
        Columns(10, 10_000, 10_239)


def test_constant_columns_are_left_out_and_texts_stand_in_the_order_asked_for():
    X = np.array([[1, 7, 3], [2, 7, 3], [4, 7, 5]], dtype=np.float32)
    labelled = Labelled(np.array([0.0, 1.0, 1.0]), np.ones(3))
    with Columns(3, 3, 10**6) as columns:
        assert fill_columns(columns, lambda which: X[:, which], labelled, np.array([2, 0, 1])) == [0, 2]
        assert columns.take([0, 1]).tolist() == [[4, 5], [1, 3], [2, 3]]


def test_each_folds_held_out_texts_lie_side_by_side():
    folds = [(np.array([0, 2]), np.array([1, 4])), (np.array([1, 4]), np.array([0, 4]))]
    order, cells = fold_order(folds, 6)
    assert [order[cell].tolist() for cell in cells] == [[1, 4], [0], [2, 3, 5]]


def test_a_search_with_little_memory_chooses_the_same():
    X, y = planted(60, 20)
    wide = np.hstack([X, *(X + np.random.default_rng(i).normal(0, 9, X.shape) for i in range(19))])
    names = [FEATURES[i % 20] for i in range(400)]
    much, little = (
        FeatureSearch(max_features=5, max_memory=size).fit_matrix(wide, names, y)
        for size in (10**8, 60 * 4 * 256)
    )
    assert len(much.history_) == 5
    assert much.history_ == little.history_


def test_threads_around_a_search_change_nothing():
    made, y = separable_vectors()
    alone = FeatureSearch(space="zeroshot", cv=3).fit(made, y)
    with parallel_config(n_jobs=3):
        assert FeatureSearch(space="zeroshot", cv=3).fit(made, y).history_ == alone.history_


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([1, 2], r"sources have shape \(2,\); expected \(4,\)"),
        (["a"] * 4, "one source only; expected two or more"),
        (["a", "a", "b", "b"], "source 'a' has texts of one class only"),
    ],
)
def test_sources_that_cannot_be_compared_are_refused(sources, message):
    with pytest.raises(InputError, match=message):
        Labelled.checked(4, [0, 0, 1, 1], None, sources)
