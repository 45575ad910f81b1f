import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.scaling import ColumnScaler

matrices = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(-1e12, 1e12)
)


def test_a_normal_column_is_z_scored():
    X = np.random.default_rng(0).normal(3.0, 2.0, (100_000, 1))
    scaler = ColumnScaler.fit(X)
    assert scaler.mean == pytest.approx([3.0], abs=0.03)
    assert scaler.scale == pytest.approx([2.0], abs=0.03)


def test_one_wild_value_moves_nothing_and_is_held_at_the_limit():
    calm = np.random.default_rng(0).normal(size=(500, 1))
    wild = np.vstack([calm, [[1e9]]])
    one, other = ColumnScaler.fit(calm), ColumnScaler.fit(wild)
    assert other.mean == pytest.approx(one.mean, abs=0.02)
    assert other.scale == pytest.approx(one.scale, abs=0.05)
    assert other.transform([[1e9], [-1e9]]).tolist() == [[5.0], [-5.0]]


def test_weights_move_mean_and_scale_as_repeated_rows_do():
    X = np.array([[0.0], [1.0], [1.0], [3.0]])
    one = ColumnScaler.fit(X[[0, 1, 3]], sample_weight=[1, 2, 1], clip=np.inf)
    other = ColumnScaler.fit(X, clip=np.inf)
    assert one.mean == pytest.approx(other.mean)
    assert one.scale == pytest.approx(other.scale)


def test_a_column_of_mostly_one_value_keeps_the_others_apart():
    X = np.zeros((100, 1))
    X[:5] = 1.0
    scaled = ColumnScaler.fit(X).transform(X)
    assert scaled[0, 0] > 4
    assert scaled[-1, 0] == pytest.approx(-0.229, abs=0.001)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9 / 3])
def test_a_constant_column_becomes_nought(value):
    X = np.full((7, 1), value)
    assert ColumnScaler.fit(X).transform(X) == pytest.approx(np.zeros((7, 1)), abs=1e-6)


@given(matrices)
def test_scaled_values_are_finite_and_within_the_clip(X):
    scaled = ColumnScaler.fit(X).transform(X)
    assert (np.abs(scaled) <= 5).all()


@given(matrices)
def test_columns_are_scaled_alone_as_they_are_together(X):
    together = ColumnScaler.fit(X).transform(X)
    for i in range(X.shape[1]):
        assert np.allclose(ColumnScaler.fit(X[:, [i]]).transform(X[:, [i]])[:, 0], together[:, i], atol=1e-3)


@given(matrices)
def test_state_brings_back_the_same_scaler(X):
    scaler = ColumnScaler.fit(X, clip=4.0)
    again = ColumnScaler.from_state(scaler.state())
    assert np.array_equal(again.transform(X), scaler.transform(X))
    assert again.clip == 4.0


@pytest.mark.parametrize(
    ("mean", "scale", "clip", "message"),
    [
        ([0.0], [1.0, 1.0], 5.0, r"mean \(1,\) and scale \(2,\) differ"),
        ([0.0], [0.0], 5.0, "scale holds a value that is not positive"),
        ([0.0], [1.0], 0.0, "clip is 0.0; expected a positive number"),
    ],
)
def test_a_scaler_of_parts_that_do_not_fit_is_refused(mean, scale, clip, message):
    with pytest.raises(SettingError, match=message):
        ColumnScaler(np.array(mean), np.array(scale), clip)


def test_a_state_without_a_number_for_clip_is_refused():
    with pytest.raises(SettingError, match="clip is 'five'"):
        ColumnScaler.from_state({"mean": [0.0], "scale": [1.0], "clip": "five"})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0], r"matrix has shape \(2,\); expected \(n_texts, n_columns\)"),
        (np.zeros((0, 2)), "no rows to fit"),
        ([[np.nan]], "matrix holds NaN or infinity"),
    ],
)
def test_matrices_that_cannot_be_scaled_are_refused(X, message):
    with pytest.raises(InputError, match=message):
        ColumnScaler.fit(X)


def test_a_matrix_of_other_columns_is_refused():
    scaler = ColumnScaler.fit(np.eye(3))
    with pytest.raises(InputError, match="matrix has 2 columns; the scaler was fitted on 3"):
        scaler.transform(np.eye(2))


def test_whole_numbers_are_scaled_as_the_same_fractions_are():
    counts = np.array([[1, 200], [3, 100], [2, 500], [9, 400]])
    made = ColumnScaler.fit(counts)
    np.testing.assert_array_equal(
        made.transform(counts), ColumnScaler.fit(counts * 1.0).transform(counts * 1.0)
    )
    assert made.transform(counts).dtype == np.float64
