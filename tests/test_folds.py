import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.errors import InputError
from ghostbuster.folds import balanced_weights, grouped_folds, leave_one_out


def labels(n):
    return np.arange(n) % 2


@given(st.integers(10, 80), st.integers(2, 5), st.integers(0, 1000))
def test_no_group_stands_on_both_sides_and_every_text_is_tested_once(n_pairs, n_folds, seed):
    groups = np.repeat(np.arange(n_pairs), 2)
    folds = grouped_folds(labels(2 * n_pairs), groups, n_folds, seed)
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(2 * n_pairs))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


def test_the_same_seed_gives_the_same_folds():
    one, two = (grouped_folds(labels(40), None, 5, seed=3) for _ in range(2))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(one, two, strict=True))


def test_leaving_one_source_out_tests_each_source_alone():
    sources = np.array(["a", "b", "a", "b", "c", "c"])
    folds = leave_one_out(np.array([0, 0, 1, 1, 0, 1]), sources)
    assert [test.tolist() for _, test in folds] == [[0, 2], [1, 3], [4, 5]]
    assert folds[0][0].tolist() == [1, 3, 4, 5]


def test_a_text_related_to_the_source_left_out_is_not_learned_from():
    sources, groups = ["a", "a", "a", "b", "b", "b"], [0, 1, 4, 1, 2, 3]
    folds = leave_one_out(np.array([0, 1, 1, 0, 0, 1]), sources, groups)
    assert [train.tolist() for train, _ in folds] == [[4, 5], [0, 2]]


def test_too_few_texts_of_a_class_for_the_folds_are_refused():
    with pytest.raises(InputError, match="3 human and 7 machine texts; expected at least 5 of each"):
        grouped_folds(np.array([0] * 3 + [1] * 7), None, 5, 0)


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(InputError, match="2 groups; expected at least 5"):
        grouped_folds(labels(20), np.arange(20) // 10, 5, 0)


def test_groups_that_leave_one_class_to_train_on_are_refused():
    hard = np.array([0] * 10 + [1] * 10)
    with pytest.raises(InputError, match="one class only"):
        grouped_folds(hard, hard, 2, 0)


def test_one_source_cannot_be_left_out():
    with pytest.raises(InputError, match="one source only"):
        leave_one_out(labels(4), ["a"] * 4)


def test_a_source_that_holds_a_class_alone_is_named():
    with pytest.raises(InputError, match="without source 'a' one class is left"):
        leave_one_out(np.array([0, 0, 1, 1]), ["a", "a", "b", "b"])


def test_balanced_weights_give_each_class_and_source_the_same_say():
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    sources = np.array(["a", "a", "a", "a", "b", "b", "b", "b"])
    weights = balanced_weights(y, sources)
    assert weights.mean() == pytest.approx(1.0)
    for label in (0, 1):
        for source in ("a", "b"):
            assert weights[(y == label) & (sources == source)].sum() == pytest.approx(2.0)


def test_classes_weigh_the_same_when_one_source_lacks_a_class():
    y = np.array([0, 0, 0, 1])
    weights = balanced_weights(y, ["a", "b", "b", "a"])
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())
    assert weights[0] == pytest.approx(weights[1:3].sum())
