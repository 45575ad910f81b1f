import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import SCORES
from scipy.optimize import minimize

from ghostbuster.features.search.criteria import CRITERIA
from ghostbuster.features.search.logistic import _chord, fit_each, fit_logistic


def penalised_loss(b, X, y, w, C):
    z = X @ b
    return w @ (np.logaddexp(0, z) - y * z) + b[1:] @ b[1:] / (2 * C)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1.0, 100.0]), st.booleans())
def test_newton_finds_the_minimum_that_a_general_optimiser_finds(seed, C, separable):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(60), np.clip(rng.normal(size=(60, 3)) * [1, 3, 0.1], -5, 5)])
    y = (X[:, 1] > 0).astype(float) if separable else rng.random(60)
    w = rng.gamma(2.0, 1.0, 60)
    best = minimize(penalised_loss, np.zeros(4), (X, y, w, C), method="BFGS", options={"gtol": 1e-6})
    found = fit_logistic(X, y, w, C)
    assert penalised_loss(found, X, y, w, C) <= best.fun + 1e-6
    together = fit_each(X[:, :3], X[:, 3:], y, w, C, fit_logistic(X[:, :3], y, w, C))
    np.testing.assert_allclose(together[:, 0], found, atol=1e-3 * (1 + np.abs(found).max()))


@given(st.integers(0, 1000))
def test_criteria_agree_with_scikit_learn_under_weights_and_ties(seed):
    rng = np.random.default_rng(seed)
    y = np.array([0.0, 1.0, *rng.integers(0, 2, 30)])
    log_odds = np.round(rng.normal(size=(32, 2)), 1)
    weight = rng.gamma(1.0, 1.0, 32) + 0.01
    for name, criterion in CRITERIA.items():
        p = 1 / (1 + np.exp(-log_odds))
        expected = [SCORES[name](y, p[:, i], weight) for i in range(2)]
        np.testing.assert_allclose(criterion.score(y, log_odds, weight), expected, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_weights_changes_nothing_where_the_penalty_follows_it(scale):
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    y, w = (rng.random(80) < 1 / (1 + np.exp(-X[:, 1]))).astype(float), rng.gamma(2.0, 1.0, 80)
    found, scaled = fit_logistic(X, y, w, 1.0), fit_logistic(X, y, w * scale, 1.0 / scale)
    np.testing.assert_allclose(scaled, found, rtol=1e-5)
    start, other = (fit_logistic(X[:, :3], y, w * s, 1.0 / s) for s in (1.0, scale))
    one, two = (fit_each(X[:, :3], X[:, 3:], y, w * s, 1.0 / s, b) for s, b in ((1.0, start), (scale, other)))
    np.testing.assert_allclose(two, one, rtol=1e-4)


def test_candidates_of_a_mild_effect_are_settled_without_newtons_method_for_each():
    rng = np.random.default_rng(4)
    X, columns = np.column_stack([np.ones(400), rng.normal(size=(400, 2))]), rng.normal(size=(400, 50))
    y, w = (rng.random(400) < 1 / (1 + np.exp(-X[:, 1]))).astype(float), np.ones(400)
    start = fit_logistic(X, y, w, 1.0)
    found, settled = _chord(X, columns, y, w, 1.0, start)
    assert settled.all()
    for i in (0, 20, 49):
        alone = fit_logistic(np.column_stack([X, columns[:, i]]), y, w, 1.0)
        np.testing.assert_allclose(found[:, i], alone, atol=1e-6)
