import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.errors import InputError
from ghostbuster.heads.mixing import SHRINKAGE, mix_of, shares_of, stacked_mix
from ghostbuster.heads.reader_figures import FEWEST, reader_figures
from ghostbuster.heads.scorer import mixed
from ghostbuster.metrics.classification import auroc, tpr_at_fpr


def drawn(n=2000, useful=(1.0, 1.0, 0.0), seed=0):
    """Held-out log-odds of three readers, each as useful as it is told to be, on different scales."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(float)
    parts = rng.normal(size=(n, 3)) + np.outer(2 * y - 1, useful)
    return parts * [1.0, 5.0, 0.2], y


def loss(line, parts, y):
    """The objective written out once more: cross-entropy and the pull towards one another."""
    z = (parts - parts.mean(axis=0)) / parts.std(axis=0)
    raw = z @ line[:-1] + line[-1]
    off = line[:-1] - line[:-1].mean()
    return np.mean(np.logaddexp(0, raw) - y * raw) + SHRINKAGE * off @ off


def test_the_mix_is_the_best_of_its_objective():
    parts, y = drawn()
    spread = parts.std(axis=0)
    weights = np.array(stacked_mix(parts, y, np.ones(y.size))) * spread
    middle = np.linspace(-1, 1, 41)
    best = min(loss(np.append(weights, b), parts, y) for b in middle)
    for k in range(3):
        for step in (-0.05, 0.05):
            other = weights.copy()
            other[k] = max(other[k] + step, 0)
            if other[k] != weights[k]:
                assert min(loss(np.append(other, b), parts, y) for b in middle) > best


def test_a_reader_weighs_by_what_it_earns_whatever_its_scale():
    parts, y = drawn(useful=(1.0, 1.0, 0.2))
    mix = np.array(stacked_mix(parts, y, np.ones(y.size)))
    weights = mix * parts.std(axis=0)
    assert weights[0] == pytest.approx(weights[1], rel=0.15)
    assert 0 < weights[2] < weights[0] / 2
    scaled = np.array(stacked_mix(parts * [7, 1, 3], y, np.ones(y.size)))
    np.testing.assert_allclose(scaled * [7, 1, 3], mix, rtol=1e-3)


def test_no_weight_is_negative_even_of_a_reader_that_is_always_wrong():
    parts, y = drawn(useful=(1.0, 0.5, -1.0))
    mix = stacked_mix(parts, y, np.ones(y.size))
    assert mix[2] == 0.0
    assert min(mix) >= 0


def test_where_nothing_tells_the_classes_apart_readers_weigh_alike():
    parts, y = drawn(useful=(-1.0, -1.0, -1.0))
    weights = np.array(stacked_mix(parts, y, np.ones(y.size))) * parts.std(axis=0)
    np.testing.assert_allclose(weights, 1 / 3)


def test_a_reader_that_is_not_there_weighs_nothing():
    parts, y = drawn()
    parts[:, 1] = 0.0
    mix = stacked_mix(parts, y, np.ones(y.size), [True, False, True])
    assert mix[1] == 0.0
    assert mix[0] > 0


def test_weights_of_texts_count_like_copies():
    parts, y = drawn(200)
    copies = np.where(np.arange(200) < 50, 3, 1)
    copied = stacked_mix(np.repeat(parts, copies, axis=0), np.repeat(y, copies), np.ones(copies.sum()))
    np.testing.assert_allclose(stacked_mix(parts, y, copies.astype(float)), copied, rtol=1e-4)


@given(st.integers(0, 1000))
def test_the_mix_never_ranks_much_worse_than_the_best_reader(seed):
    rng = np.random.default_rng(seed)
    parts, y = drawn(400, useful=tuple(rng.uniform(0, 1.5, 3)), seed=seed)
    mix = stacked_mix(parts, y, np.ones(y.size))
    best = max(auroc(y, parts[:, k]) for k in range(3))
    assert auroc(y, mixed(parts, mix)) > best - 0.01


def test_what_does_not_fit_is_named():
    parts, y = drawn(10)
    with pytest.raises(InputError, match=r"shape \(10, 3\) for 9 labels"):
        stacked_mix(parts, y[:9], np.ones(10))
    with pytest.raises(InputError, match="0 readers"):
        stacked_mix(parts, y, np.ones(10), [False] * 3)


def test_shares_set_by_hand_leave_the_rest_to_the_others_alike():
    parts, _ = drawn()
    spread = (parts * mix_of(parts, 0.4)).std(axis=0)
    np.testing.assert_allclose(spread / spread.sum(), [0.3, 0.4, 0.3])
    spread = (parts * mix_of(parts, 0.0)).std(axis=0)
    np.testing.assert_allclose(spread / spread.sum(), [0.5, 0.0, 0.5])


def test_shares_are_of_the_spread_by_hand():
    assert shares_of(np.array([[0.0, 0.0], [2.0, 4.0]]), (3.0, 0.5)).tolist() == [0.75, 0.25]


def test_figures_are_means_over_sources_that_have_both_classes():
    rng = np.random.default_rng(0)
    n = 2 * FEWEST
    y = np.concatenate([np.arange(n) % 2, np.arange(n) % 2, np.zeros(n)])
    parts = np.column_stack([rng.normal(size=3 * n) + y, rng.normal(size=3 * n)])
    sources = np.repeat(["a", "b", "people"], n)
    features, words, both = reader_figures(parts, (1.0, 0.5), ("features", "words"), y, sources)
    slices = [slice(0, n), slice(n, 2 * n)]
    assert features["auroc"] == pytest.approx(np.mean([auroc(y[s], parts[s, 0]) for s in slices]))
    assert words["reader"] == "words"
    assert features["share"] + words["share"] == pytest.approx(1)
    raw = parts @ [1.0, 0.5]
    assert both["tpr_at_1_percent_fpr"] == pytest.approx(np.mean([tpr_at_fpr(y[s], raw[s]) for s in slices]))
    assert (both["reader"], both["n_sources"]) == ("all, mixed", 2)
    (alone,) = reader_figures(parts, (1.0, 0.0), ("features",), y, None)
    assert (alone["reader"], alone["share"], alone["n_sources"]) == ("features", 1.0, 1)
    assert alone["auroc"] == auroc(y, parts[:, 0])
