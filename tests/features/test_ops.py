import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from strategies import wild_vectors

from ghostbuster.arrays import Vectors
from ghostbuster.features.chains import Apply, Vector
from ghostbuster.features.evaluate import evaluate, evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import LARGEST, OPS, SKIPS
from ghostbuster.features.ragged import Layout, Ragged
from ghostbuster.features.reducers import REDUCERS, WINDOW

A = np.array([0.5, 0.25, 1.0, 0.0, -2.0])
B = np.array([0.25, 0.5, 1.0, 0.0, 4.0])

BY_HAND = {
    "v-add": [0.75, 0.75, 2.0, 0.0, 2.0],
    "v-sub": [0.25, -0.25, 0.0, 0.0, -6.0],
    "v-mul": [0.125, 0.125, 1.0, 0.0, -8.0],
    "v-div": [2.0, 0.5, 1.0, 0.0, -0.5],
    "v->": [1.0, 0.0, 0.0, 0.0, 0.0],
    "v-<": [0.0, 1.0, 0.0, 0.0, 1.0],
    "v-ratio": [2.0, 0.5, 1.0, 1.0, 1e-4 / 4],
}

ONE_TEXT = {
    # Verma et al. 2024: of 3, 1, 2, 2
    "s-max": 3.0,
    "s-min": 1.0,
    "s-avg": 2.0,
    "s-avg-top-25": 2.0,
    "s-len": 4.0,
    "s-var": 0.5,
    "s-l2": np.sqrt(18.0),
    # ours
    "s-std": np.sqrt(0.5),
    "s-rms": np.sqrt(4.5),
    "s-skew": 0.0,
    "s-kurt": -1.0,  # mean of 1, 1, 0, 0 over 0.25 is 2
    "s-autocorr": -0.5,  # deviations 1, -1, 0, 0
    "s-p05": 1.15,
    "s-p10": 1.3,
    "s-p25": 1.75,
    "s-p50": 2.0,
    "s-p75": 2.25,
    "s-p90": 2.7,
    "s-p95": 2.85,
    "s-avg-top-quarter": 3.0,
    "s-avg-bottom-quarter": 1.0,
    "s-win-min": 1.0,
    "s-win-max": 3.0,
}


def autocorrelation(x):
    d = x - x.mean()
    return np.sum(d[:-1] * d[1:]) / np.sum(d * d)


def windowed(x, choose):
    if x.size < 16:
        return choose(x)
    return np.mean([choose(x[i : i + 16]) for i in range(x.size - 15)])


def quarter(x):
    return int(np.ceil(x.size / 4))


# the same by numpy, scipy or a plain loop
INDEPENDENT = {
    "s-max": np.max,
    "s-min": np.min,
    "s-avg": np.mean,
    "s-avg-top-25": lambda x: np.mean(sorted(x, reverse=True)[:25]),
    "s-len": len,
    "s-var": np.var,
    "s-l2": np.linalg.norm,
    "s-std": np.std,
    "s-rms": lambda x: np.sqrt(np.mean(x**2)),
    "s-skew": stats.skew,
    "s-kurt": stats.kurtosis,
    "s-autocorr": autocorrelation,
    "s-p05": lambda x: np.quantile(x, 0.05),
    "s-p10": lambda x: np.quantile(x, 0.10),
    "s-p25": lambda x: np.quantile(x, 0.25),
    "s-p50": np.median,
    "s-p75": lambda x: np.quantile(x, 0.75),
    "s-p90": lambda x: np.quantile(x, 0.90),
    "s-p95": lambda x: np.quantile(x, 0.95),
    "s-avg-top-quarter": lambda x: np.mean(np.sort(x)[-quarter(x) :]),
    "s-avg-bottom-quarter": lambda x: np.mean(np.sort(x)[: quarter(x)]),
    "s-win-min": lambda x: windowed(x, np.min),
    "s-win-max": lambda x: windowed(x, np.max),
}


def reduced(name, *texts):
    flat = np.concatenate([np.asarray(text, dtype=np.float64) for text in texts])
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts])))
    return evaluate(Feature(Vector("a.x"), name), Vectors({"a.x": flat}, offsets))


@pytest.mark.parametrize("name", OPS)
def test_every_op_gives_what_a_hand_calculation_gives(name):
    np.testing.assert_allclose(OPS[name].apply(A.copy(), B.copy()), BY_HAND[name])


@pytest.mark.parametrize("name", ["v-add", "v-mul"])
@given(st.data())
def test_commuting_ops_commute(name, data):
    made = data.draw(wild_vectors(["a.x", "a.y"]))
    one, other = (
        evaluate_all([Feature(Apply(Vector(a), name, Vector(b)), r) for r in REDUCERS], made)
        for a, b in (("a.x", "a.y"), ("a.y", "a.x"))
    )
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", OPS)
def test_ops_leave_their_inputs_alone(name):
    a, b = A.copy(), B.copy()
    OPS[name].apply(a, b)
    assert np.array_equal(a, A)
    assert np.array_equal(b, B)


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.binary])
@given(st.data())
def test_binary_ops_give_noughts_and_ones(name, data):
    made = data.draw(wild_vectors(["a.x", "a.y"]))
    assert set(OPS[name].apply(made.channels["a.x"], made.channels["a.y"])) <= {0.0, 1.0}


def test_a_quotient_by_almost_nothing_is_held_at_the_largest_size():
    a, b = np.array([1.0, -1.0, 1.0]), np.array([1e-25, 1e-25, 1e-31])
    assert OPS["v-div"].apply(a, b).tolist() == [LARGEST, -LARGEST, 0.0]


@pytest.mark.parametrize("name", REDUCERS)
def test_every_reducer_gives_what_a_hand_calculation_gives(name):
    np.testing.assert_allclose(reduced(name, [3.0, 1.0, 2.0, 2.0]), [ONE_TEXT[name]], rtol=1e-6)


@pytest.mark.parametrize("name", REDUCERS)
@pytest.mark.parametrize("lengths", [(1, 2, 3), (15, 16, 17, 24, 25, 26), (100, 1, 333, 40), (50, 50, 50)])
def test_every_reducer_agrees_with_an_independent_implementation(name, lengths):
    rng = np.random.default_rng(len(lengths))
    texts = [rng.gamma(2.0, 3.0, n) for n in lengths]
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        expected = [INDEPENDENT[name](text) for text in texts]
    # one unit has no shape: ours is defined as 0 where the others divide by nothing
    np.testing.assert_allclose(reduced(name, *texts), np.nan_to_num(expected), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", REDUCERS)
def test_a_text_without_units_has_the_value_its_row_states(name):
    alone = reduced(name, [])
    between = reduced(name, [1.0, 2.0], [], [3.0])
    assert alone.tolist() == [REDUCERS[name].empty]
    assert between[1] == REDUCERS[name].empty
    assert between[[0, 2]].tolist() == reduced(name, [1.0, 2.0], [3.0]).tolist()


@pytest.mark.parametrize("name", ["s-skew", "s-kurt", "s-autocorr", "s-std", "s-var"])
def test_shape_of_a_text_of_equal_units_is_nought(name):
    assert reduced(name, [0.1] * 7, [1e9 + 0.1] * 1000) == pytest.approx([0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("name", REDUCERS)
@given(st.data())
def test_reducers_are_finite_for_any_finite_vectors(name, data):
    made = data.draw(wild_vectors(["a.x", "a.y"]))
    chains = [Vector("a.x"), *(Apply(Vector("a.x"), op, Vector("a.y")) for op in OPS)]
    values = evaluate_all([Feature(chain, name) for chain in chains], made)
    assert np.isfinite(values).all()
    assert np.isfinite(values.astype(np.float32)).all()


@pytest.mark.parametrize("name", [r.name for r in REDUCERS.values() if not r.depends_on_length])
def test_a_text_twice_as_long_reduces_to_about_the_same(name):
    text = np.random.default_rng(0).gamma(2.0, 1.0, 4000)
    once, twice = reduced(name, text, np.concatenate([text, text]))
    assert twice == pytest.approx(once, rel=0.01, abs=0.01)


@pytest.mark.parametrize("name", [r.name for r in REDUCERS.values() if r.depends_on_length])
def test_reducers_said_to_follow_length_do(name):
    rng = np.random.default_rng(0)
    short, long = reduced(name, rng.normal(size=50), rng.normal(size=5000))
    assert abs(long) > 1.3 * abs(short)


def test_windows_average_the_extremes_of_sixteen_neighbours():
    text = np.zeros(20)
    text[0], text[19] = 5.0, -4.0
    assert WINDOW == 16
    assert reduced("s-win-max", text).tolist() == [1.0]  # one window of five holds the 5
    assert reduced("s-win-min", text).tolist() == [-0.8]


def test_skipping_leaves_short_texts_whole():
    name, n = "u-skip-25", SKIPS["u-skip-25"].n_units
    texts = [np.arange(n - 1.0), np.arange(float(n)), np.arange(n + 1.0), np.arange(n + 10.0)]
    made = Vectors({"a.x": np.concatenate(texts)}, np.cumsum([0, *map(len, texts)]))
    lengths = evaluate(Feature(Vector("a.x"), "s-len", name), made)
    assert lengths.tolist() == [24, 25, 1, 10]
    assert evaluate(Feature(Vector("a.x"), "s-min", name), made).tolist() == [0, 0, 25, 25]


def test_a_sorted_vector_keeps_texts_apart():
    made = Ragged(np.array([3.0, 1.0, 9.0, 7.0, 8.0]), Layout([2, 3]))
    assert made.ordered.tolist() == [1, 3, 7, 8, 9]


def test_the_ratio_holds_both_sides_within_its_bounds_by_hand():
    a, b = np.array([1e9, 1e9, 1.0, -5.0, 1e-9]), np.array([1e9, 2.0, 1e9, 1.0, 1e-9])
    np.testing.assert_allclose(OPS["v-ratio"].apply(a, b), [1.0, 5e3, 1e-4, 1e-4, 1.0], rtol=1e-12)
