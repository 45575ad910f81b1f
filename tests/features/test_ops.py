import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from strategies import wild_vectors

from ghostbuster.arrays import Vectors
from ghostbuster.features.chains import Apply, Vector
from ghostbuster.features.dynamics import WINDOW
from ghostbuster.features.evaluate import evaluate, evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import LARGEST, OPS, SKIPS
from ghostbuster.features.ragged import Layout, Ragged
from ghostbuster.features.reducers import REDUCERS

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
    "v-over-root": [1.0, 0.5**1.5, 1.0, 0.0, -1.0],
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
    # differences -2, 1, 0, of these 3, -1
    "s-diff-std": np.sqrt(14 / 9),
    "s-diff2-std": 2.0,
    "s-diff2-entropy": np.log(2),
    "s-diff2-autocorr": -0.5,
    "s-diff-abs": 1.0,
    "s-diff-skew": -20 / 27 / (14 / 9) ** 1.5,
    "s-diff-kurt": -1.5,
    "s-var-ratio-4": 1.0,  # too short to say
    "s-var-ratio-16": 1.0,
    # deviations 1, -1, 0, 0: |1 + i|^2 = 2 at a quarter of a cycle a unit, 2^2 = 4 at a half
    "s-spec-centroid": (2 * 0.25 + 4 * 0.5) / 6,
    "s-spec-entropy": -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 3 / np.log(2),
    "s-spec-slow": 0.0,
    "s-diversity": 0.0,  # one pair of patterns fills one bin
    "s-diversity-5": 0.0,
    "s-diversity-std": 0.0,
    "s-abs": 2.0,
    "s-under-2": 0.0,
    "s-under-5": 0.0,
    "s-under-10": 0.0,
    "s-under-15": 0.0,
    "s-over-minus-half": 1.0,
    "s-over-1": 0.75,
    "s-over-5": 0.0,
    "s-over-7": 0.0,
    "s-drift": 0.0,
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


def variance_ratio(x, width):
    if x.size < 2 * width:
        return 1.0
    means = [x[i : i + width].mean() for i in range(x.size - width + 1)]
    return width * np.mean((np.array(means) - x.mean()) ** 2) / np.var(x)


def spectrum(x):
    """Frequencies and their shares of the power, by the sums that define them."""
    cycles, places = np.arange(1, x.size // 2 + 1), np.arange(x.size)
    waves = np.exp(-2j * np.pi * np.outer(cycles, places) / x.size)
    power = np.abs(waves @ (x - x.mean())) ** 2
    return cycles / x.size, power / power.sum()


def diversity(x, scale=1, n_bins=40):
    means = [np.mean(x[i : i + scale]) for i in range(x.size - scale + 1)]
    patterns = [np.array(means[i : i + 3]) for i in range(len(means) - 2)]
    cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairwise(patterns)]
    return stats.entropy(np.histogram(cosines, n_bins, (-1, 1))[0]) / np.log(n_bins)


def diversity_spread(x, n_bins=40):
    return np.std(np.nan_to_num([diversity(x, scale, n_bins) for scale in range(1, 6)]), ddof=1)


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
    "s-diff-std": lambda x: np.std(np.diff(x)),
    "s-diff2-std": lambda x: np.std(np.diff(x, 2)),
    "s-diff2-entropy": lambda x: stats.entropy(np.histogram(np.diff(x, 2), 20)[0]),
    "s-diff2-autocorr": lambda x: autocorrelation(np.diff(x, 2)),
    "s-diff-abs": lambda x: np.mean(np.abs(np.diff(x))),
    "s-diff-skew": lambda x: stats.skew(np.diff(x)),
    "s-diff-kurt": lambda x: stats.kurtosis(np.diff(x)),
    "s-var-ratio-4": lambda x: variance_ratio(x, 4),
    "s-var-ratio-16": lambda x: variance_ratio(x, 16),
    "s-spec-centroid": lambda x: np.dot(*spectrum(x)),
    "s-spec-entropy": lambda x: stats.entropy(spectrum(x)[1]) / np.log(max(x.size // 2, 2)),
    "s-spec-slow": lambda x: np.sum(spectrum(x)[1][spectrum(x)[0] <= 1 / 8]),
    "s-diversity": diversity,
    "s-diversity-5": lambda x: diversity(x, 5),
    "s-diversity-std": diversity_spread,
    "s-abs": lambda x: np.mean(np.abs(x)),
    "s-under-2": lambda x: np.mean(x < -2),
    "s-under-5": lambda x: np.mean(x < -5),
    "s-under-10": lambda x: np.mean(x < -10),
    "s-under-15": lambda x: np.mean(x < -15),
    "s-over-minus-half": lambda x: np.mean(x > -0.5),
    "s-over-1": lambda x: np.mean(x > 1),
    "s-over-5": lambda x: np.mean(x > 5),
    "s-over-7": lambda x: np.mean(x > 7),
    "s-drift": lambda x: np.mean(x[-max(x.size // 2, 1) :]) - np.mean(x[: max(x.size // 2, 1)]),
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
@pytest.mark.parametrize("shift", [0.0, 6.0])  # of one sign, and of both
def test_every_reducer_agrees_with_an_independent_implementation(name, lengths, shift):
    rng = np.random.default_rng(len(lengths))
    texts = [rng.gamma(2.0, 3.0, n) - shift for n in lengths]
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        expected = [INDEPENDENT[name](text) for text in texts]
    # one unit has no shape: ours is defined as 0 where the others divide by nothing
    np.testing.assert_allclose(reduced(name, *texts), np.nan_to_num(expected), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", REDUCERS)
def test_a_text_without_units_has_the_value_its_row_states(name):
    alone = reduced(name, [])
    between = reduced(name, [1.0, 2.0], [], [3.0])
    assert alone.tolist() == [REDUCERS[name].empty]
    assert between[1] == REDUCERS[name].empty
    assert between[[0, 2]].tolist() == reduced(name, [1.0, 2.0], [3.0]).tolist()


SHAPES = ["s-skew", "s-kurt", "s-autocorr", "s-std", "s-var", "s-drift"]
SHAPES += [name for name in REDUCERS if name.startswith(("s-diff", "s-spec", "s-diversity"))]


@pytest.mark.parametrize("name", SHAPES)
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


# a text said twice has power at every second frequency only, and halves that are alike
OTHERS = ("s-spec-entropy", "s-drift")
FREE = [r.name for r in REDUCERS.values() if not r.depends_on_length and r.name not in OTHERS]


@pytest.mark.parametrize("name", FREE)
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


def test_variation_over_many_units_has_a_ratio_above_one_and_from_unit_to_unit_below_one():
    slow, fast = np.repeat([0.0, 1.0], 64), np.tile([0.0, 1.0], 64)
    assert reduced("s-var-ratio-16", slow)[0] > 10
    assert reduced("s-var-ratio-4", fast).tolist() == [0.0]  # every four have the same mean


def test_a_wave_has_all_its_power_at_its_own_frequency():
    slow = np.cos(2 * np.pi * np.arange(96) / 16)
    fast = np.cos(2 * np.pi * np.arange(96) / 3)
    assert reduced("s-spec-centroid", slow, fast) == pytest.approx([1 / 16, 1 / 3])
    assert reduced("s-spec-slow", slow, fast) == pytest.approx([1.0, 0.0])
    assert reduced("s-spec-entropy", slow, fast) == pytest.approx([0.0, 0.0], abs=1e-9)


def test_white_noise_of_any_length_has_about_the_same_spectrum():
    rng = np.random.default_rng(0)
    for name in ("s-spec-entropy", "s-spec-centroid", "s-var-ratio-16"):
        short, long = (
            np.mean(reduced(name, *(rng.normal(size=200) for _ in range(200)))),
            reduced(name, rng.normal(size=20_000)),
        )
        assert short == pytest.approx(long[0], rel=0.15)


def test_patterns_that_come_again_are_less_diverse_than_noise():
    rng = np.random.default_rng(0)
    again, noise = np.tile([1.0, -2.0, 0.5], 100), rng.normal(size=300)
    assert reduced("s-diversity", again, noise).round(2).tolist() == [0.0, pytest.approx(0.95, abs=0.05)]


def test_a_drift_is_the_last_half_less_the_first_without_the_middle():
    assert reduced("s-drift", [1.0, 2.0, 50.0, 4.0, 6.0]).tolist() == [3.5]


def test_a_text_of_one_unit_has_one_difference_of_nought():
    made = Ragged(np.array([3.0, 1.0, 4.0, 7.0]), Layout([1, 3]))
    assert made.differences.values.tolist() == [0, 3, 3]
    assert made.differences.differences.values.tolist() == [0, 0]
    assert made.differences.differences.layout.lengths.tolist() == [1, 1]


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
