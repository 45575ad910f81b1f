import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from ghostbuster.arrays import Vectors
from ghostbuster.errors import ArtifactError, InputError
from ghostbuster.features.search.centering import center_sources
from ghostbuster.heads.state_probe import STRENGTH, StateProbe, states_of
from ghostbuster.hidden_states import HiddenStates


def states(means, layers=None):
    means = np.asarray(means, dtype=np.float16)
    return HiddenStates.without_blocks(range(means.shape[1]) if layers is None else layers, means)


def drawn(n=200, n_layers=3, width=8, seed=0):
    """Texts whose machine half is moved along one direction of every layer."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    means = rng.normal(size=(n, n_layers, width)) * rng.lognormal(0, 1, (n_layers, width))
    means[y == 1, :, 0] += 2
    return states(means), y.astype(float)


def by_hand():
    return StateProbe(
        (2, 5), np.array([[1, 2], [0, 0]], np.float32), np.array([[1, 0.5], [-1, 2]], np.float32), 0.25
    )


def test_a_score_is_the_weighted_distance_from_the_mean_by_hand():
    read = states([[[3, 4], [1, 1]], [[1, 2], [0, 0]]], layers=[2, 5])
    # (3 - 1) * 1 + (4 - 2) * 0.5 = 3 from the first layer, -1 * 1 + 2 * 1 = 1 from the second
    assert by_hand().contributions(read).tolist() == [[3.0, 1.0], [0.0, 0.0]]
    assert by_hand().raw_score(read).tolist() == [4.25, 0.25]


def test_layers_that_it_does_not_know_are_passed_over():
    read = states([[[9, 9], [3, 4], [9, 9], [1, 1]]], layers=[0, 2, 3, 5])
    assert by_hand().raw_score(read).tolist() == [4.25]


def test_learning_equals_scikit_learns_on_standardised_columns():
    read, y = drawn()
    probe = StateProbe.fit(read, y, np.ones(y.size))
    columns = read.means.reshape(y.size, -1).astype(np.float64)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    model = LogisticRegression(C=STRENGTH / 3, tol=1e-8, max_iter=10_000).fit(scaled, y)
    np.testing.assert_allclose(probe.raw_score(read), model.decision_function(scaled), atol=2e-3)


def test_sources_at_different_levels_are_brought_to_one_before_learning():
    read, y = drawn(400)
    sources = np.repeat(["a", "b"], 200)
    moved = read.means.astype(np.float32)
    moved[200:] += 5
    probe = StateProbe.fit(states(moved), y, np.ones(400), sources)
    columns = center_sources(moved.astype(np.float16).astype(np.float32).reshape(400, -1), y, sources)
    same = StateProbe.fit(states(columns.reshape(moved.shape)), y, np.ones(400))
    np.testing.assert_allclose(probe.coef, same.coef, atol=5e-3)


def test_weights_count_like_copies_and_soft_labels_like_both():
    read, y = drawn(60)
    twice = np.where(np.arange(60) < 20, 2, 1)
    rows = np.repeat(np.arange(60), twice)
    weighted = StateProbe.fit(read, y, twice * 60 / twice.sum())
    # weights of mean 1 weigh against the penalty as 60 texts do, copies as 80
    copied = StateProbe.fit(read.take(rows), y[rows], np.full(rows.size, 60 / rows.size))
    np.testing.assert_allclose(weighted.raw_score(read), copied.raw_score(read), atol=2e-3)
    soft = np.full(60, 0.5)
    assert np.abs(StateProbe.fit(read, soft, np.ones(60)).raw_score(read)).max() < 1e-3


def test_the_same_texts_give_the_same_probe_and_each_text_the_same_score_alone():
    read, y = drawn()
    probe, again = (StateProbe.fit(read, y, np.ones(y.size)) for _ in range(2))
    np.testing.assert_array_equal(probe.coef, again.coef)
    alone = [float(probe.raw_score(read.take([i]))[0]) for i in range(10)]
    assert alone == probe.raw_score(read)[:10].tolist()


@given(st.integers(0, 10_000))
def test_a_probe_restored_from_its_state_says_the_same(seed):
    rng = np.random.default_rng(seed)
    layers = tuple(sorted(rng.choice(30, 3, replace=False).tolist()))
    mean, coef = rng.normal(size=(2, 3, 4)).astype(np.float32)
    probe = StateProbe(layers, mean, coef, float(rng.normal()))
    read = states(rng.normal(size=(5, 3, 4)), layers)
    assert StateProbe.from_state(probe.state()).raw_score(read).tolist() == probe.raw_score(read).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"layers": [5, 2]},
        {"layers": [2, 2]},
        {"layers": [-1, 2]},
        {"layers": []},
        {"layers": [2, 5, 7]},
        {"layers": [2.0, 5.0]},
        {"layers": [True, 5]},
        {"layers": 3},
        {"mean": np.zeros((2, 3), np.float32)},
        {"coef": np.zeros(2, np.float32)},
        {"coef": np.zeros((2, 2))},
        {"coef": np.zeros((2, 2), np.int32), "mean": np.zeros((2, 2), np.int32)},
        {"coef": np.zeros((2, 0), np.float32), "mean": np.zeros((2, 0), np.float32)},
        {"coef": np.zeros((2, 70_000), np.float32), "mean": np.zeros((2, 70_000), np.float32)},
        {"baseline": "x"},
        {"baseline": None},
    ],
)
def test_a_damaged_probe_is_refused(change):
    with pytest.raises(ArtifactError, match="probe of hidden states"):
        StateProbe.from_state(by_hand().state() | change)


def test_a_probe_that_lacks_a_part_is_refused():
    for name in by_hand().state():
        with pytest.raises(ArtifactError, match=f"probe of hidden states cannot be restored .*{name}"):
            StateProbe.from_state({k: v for k, v in by_hand().state().items() if k != name})


def test_states_of_another_model_or_none_are_refused():
    with pytest.raises(InputError, match="hidden states are 3 wide; expected 2"):
        by_hand().raw_score(states(np.zeros((1, 2, 3)), layers=[2, 5]))
    with pytest.raises(InputError, match=r"no hidden states of layers \[5\]"):
        by_hand().raw_score(states(np.zeros((1, 1, 2)), layers=[2]))
    with pytest.raises(InputError, match="read without hidden states"):
        by_hand().raw_score(None)
    with pytest.raises(InputError, match="read without hidden states"):
        states_of(Vectors({"strong.logprob": np.zeros(3)}, np.array([0, 3])))


def test_passages_of_a_text_are_means_of_its_blocks():
    blocks = np.array([[[1.0]], [[3.0]], [[8.0]]], np.float16)
    read = HiddenStates(
        np.array([7]),
        np.array([[[3.0]]], np.float16),
        np.array([7]),
        blocks,
        np.array([64, 64, 10]),
        np.array([100, 200, 220]),
        np.array([0, 3]),
    )
    made = read.of_passages(0, [(0, 200), (100, 220)])
    assert made.layers.tolist() == [7]
    assert made.means.ravel().tolist() == [2.0, np.float16((64 * 3 + 10 * 8) / 74)]
    assert made.take([1]).means.ravel().tolist() == [made.means[1, 0, 0]]
