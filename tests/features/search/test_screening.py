"""Guesses of the screen against the score test, written out for one candidate and one fold at a time."""

import numpy as np
import pytest
from planted import planted

from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.search import screening
from ghostbuster.features.search.columns import Columns
from ghostbuster.features.search.screening import Present, Screen
from ghostbuster.folds import drawn_folds, fold_order

C = 0.5


def gathered(X):
    """The columns of a matrix, a few at a time, as a search gathers them."""
    columns = Columns(*X.shape, 1 << 24)
    for first in range(0, X.shape[1], 7):
        columns.append(X[:, first : first + 7].astype(np.float32))
    return columns


def situation(seed=0, n_texts=90, n_columns=30, n_chosen=2):
    """Texts in the order of three folds, the last ten in none, and models with chosen columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_texts, n_columns)) * rng.gamma(2, 2, n_columns) + rng.normal(size=n_columns)
    X[3, 0], X[4, 0], X[5, 1] = 1e6, -1e6, 1e6  # held at the limit, on both sides
    weight = rng.gamma(3, 1, n_texts)
    rows = np.arange(n_texts - 10)
    folds = [(np.setdiff1d(np.arange(n_texts), rows[i::3]), rows[i::3]) for i in range(3)]
    order, cells = fold_order(folds, n_texts)
    curvature = weight[order] * rng.uniform(0.05, 0.25, n_texts)
    residuals = weight[order, None] * rng.normal(size=(n_texts, 3)) * 0.3
    chosen = rng.normal(size=(n_texts, n_chosen))
    return X[order], weight[order], cells, Present(residuals, curvature, chosen, C)


def by_the_score_test(z, cell, present, fold, weight):
    """A guess in one fold: projected on what is chosen, one Newton step, its effect held out."""
    held = np.zeros(z.size, dtype=bool)
    held[cell] = True
    design = np.column_stack([np.ones(z.size), present.chosen])
    d, r = present.curvature, present.residuals[:, fold]
    penalty = np.diag([1e-9 * d.sum(), *[1 / C] * present.chosen.shape[1]])
    train = ~held
    hessian = (design[train].T * d[train]) @ design[train] + penalty
    explained = np.linalg.solve(hessian, design[train].T @ (d[train] * z[train]))
    information = d[train] @ z[train] ** 2 + 1 / C - explained @ hessian @ explained
    b = z[train] @ r[train] / information
    rest = (z - design @ explained)[held]
    return (b * rest @ r[held] - b**2 * d[held] @ rest**2 / 2) / weight[held].sum()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_guess_is_the_score_test_written_out(seed):
    X, weight, cells, present = situation(seed)
    gains = Screen(gathered(X), weight, cells).gains(present)
    scaler = ColumnScaler.fit(X.astype(np.float32), weight)
    scaled = scaler.transform(X.astype(np.float32)).astype(np.float64)
    expected = [
        np.mean([by_the_score_test(z, cells[f], present, f, weight) for f in range(3)]) for z in scaled.T
    ]
    np.testing.assert_allclose(gains, expected, rtol=2e-3, atol=2e-6)
    assert np.max(np.abs(gains)) > 1e-3  # the tolerance is far below what is compared


def test_guesses_do_not_depend_on_how_many_columns_are_looked_at_together(monkeypatch):
    X, weight, cells, present = situation()
    whole = Screen(gathered(X), weight, cells).gains(present)
    monkeypatch.setattr(screening, "_CACHED", 4 * X.shape[0])  # four columns
    monkeypatch.setattr(screening, "_SOLVED", 8)
    np.testing.assert_allclose(Screen(gathered(X), weight, cells).gains(present), whole, rtol=1e-5, atol=1e-9)
    monkeypatch.setattr(screening, "_CACHED", 1)
    np.testing.assert_allclose(Screen(gathered(X), weight, cells).gains(present), whole, rtol=1e-5, atol=1e-9)


def test_a_fold_whose_texts_weigh_nothing_is_left_out_of_the_mean():
    X, weight, cells, present = situation()
    idle = weight.copy()
    idle[cells[1]] = 0.0
    still = present.curvature * (idle > 0), present.residuals * (idle > 0)[:, None]
    without = Present(still[1], still[0], present.chosen, C)
    gains = Screen(gathered(X), idle, cells).gains(without)
    scaler = ColumnScaler.fit(X.astype(np.float32), idle)
    scaled = scaler.transform(X.astype(np.float32)).astype(np.float64)
    expected = [np.mean([by_the_score_test(z, cells[f], without, f, idle) for f in (0, 2)]) for z in scaled.T]
    np.testing.assert_allclose(gains, expected, rtol=2e-3, atol=2e-6)


def test_chosen_columns_come_on_the_scale_that_all_texts_give_them():
    X, weight, cells, _ = situation()
    screen = Screen(gathered(X), weight, cells)
    alone = ColumnScaler.fit(X.astype(np.float32), weight).transform(X.astype(np.float32))
    np.testing.assert_allclose(screen.scaled([5, 2]), alone[:, [5, 2]], rtol=1e-6)
    assert screen.scaled([5, 2]).dtype == np.float64


def test_the_strongest_planted_column_is_guessed_first():
    X, y = planted()
    weight = np.ones(y.size)
    folds = drawn_folds(y, None, 3, 0)
    order, cells = fold_order(folds, y.size)
    base = np.full((y.size, 3), y.mean())
    present = Present(y[order, None] - base, base[:, 0] * (1 - base[:, 0]), np.empty((y.size, 0)), 1.0)
    gains = Screen(gathered(X[order]), weight, cells).gains(present)
    strength = [abs(np.corrcoef(column, y)[0, 1]) for column in X.T]
    assert np.argmax(gains) == np.argmax(strength)
