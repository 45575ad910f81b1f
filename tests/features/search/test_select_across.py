import numpy as np
import pytest
from planted import FEATURES, SCORES, planted, winsorised
from sklearn.linear_model import LogisticRegression

from ghostbuster.errors import InputError
from ghostbuster.features.search.criteria import CRITERIA
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.search.selection import Rules
from ghostbuster.folds import leave_one_out


def four_sources(n_texts=400, seed=0):
    """Column 0 tells sources apart, and so their shares of machine texts; column 1 flips its sign in one
    source; column 2 has the same middling effect in all of them; column 3 is noise."""
    rng = np.random.default_rng(seed)
    sources = np.arange(n_texts) % 4
    y = (rng.random(n_texts) < np.array([0.05, 0.2, 0.8, 0.95])[sources]).astype(int)
    side = 2 * y - 1
    flips = np.where(sources == 3, -1, 1)
    X = rng.normal(size=(n_texts, 4))
    X[:, 0] += 4 * sources
    X[:, 1] += 1.2 * side * flips
    X[:, 2] += 0.6 * side
    return X.astype(np.float32), y, sources


def level(X, y, sources):
    """Every source's midpoint between its class means moved to the mean of them, written out."""
    middle = {
        s: np.mean([X[(sources == s) & (y == c)].mean(0) for c in (0, 1)], axis=0) for s in set(sources)
    }
    return X - np.stack([middle[s] for s in sources]) + np.mean(list(middle.values()), axis=0)


def test_across_sources_the_feature_with_the_same_effect_everywhere_comes_first():
    X, y, sources = four_sources()
    one_by_one = {"max_features": 1, "screen": None, "C": 1.0}
    plain = FeatureSearch(**one_by_one).fit_matrix(X, FEATURES[:4], y)
    assert plain.features_ == (FEATURES[0],)  # it knows where a text comes from
    across = FeatureSearch(**one_by_one, select_across="source")
    across.fit_matrix(X, FEATURES[:4], y, sources=sources)
    assert across.features_ == (FEATURES[2],)


def by_lower_ends(X, y, sources, n_features):
    """Brute force on center_sources columns: the largest mean gain over sources less its standard error."""
    folds = leave_one_out(y, sources)
    level_of = [log_losses(X, y, folds, [])]
    chosen = []
    for _ in range(n_features):
        worth = {}
        for candidate in set(range(X.shape[1])) - set(chosen):
            gains = np.subtract(log_losses(X, y, folds, [*chosen, candidate]), level_of[-1])
            worth[candidate] = np.mean(gains) - np.std(gains, ddof=1) / np.sqrt(len(gains))
        chosen.append(max(worth, key=lambda i: (round(worth[i], 12), -i)))
        level_of.append(log_losses(X, y, folds, chosen))
    return chosen, [np.mean(losses) for losses in level_of[1:]]


def log_losses(X, y, folds, columns):
    """Minus the log-loss of each held-out source, by scikit-learn."""
    found = []
    for train, test in folds:
        weight = np.ones(train.size)
        if columns:
            a, b = winsorised(X[train][:, columns], X[test][:, columns], weight)
            model = LogisticRegression(C=1.0, tol=1e-10, solver="newton-cholesky").fit(a, y[train])
            p = model.predict_proba(b)[:, 1]
        else:
            p = np.full(test.size, y[train].mean())
        found.append(SCORES["log_loss"](y[test], p, np.ones(test.size)))
    return found


@pytest.mark.parametrize("screen", [4, None])
def test_across_sources_brute_force_by_scikit_learn_on_levelled_columns_chooses_the_same(screen):
    X, y = planted(240, 12, seed=3)
    sources = np.arange(240) % 3
    X = X + sources[:, None] * X.std(0)
    expected, values = by_lower_ends(level(X.astype(np.float64), y, sources), y, sources, 3)
    made = FeatureSearch(max_features=3, select_across="source", screen=screen, max_correlation=1.0, C=1.0)
    made.fit_matrix(X, FEATURES[:12], y, sources=sources)
    assert made.features_ == tuple(FEATURES[i] for i in expected)
    assert [step.value for step in made.history_] == pytest.approx(values, abs=1e-5)


def test_the_lower_end_of_a_gain_is_its_mean_less_a_standard_error_by_hand():
    rules = Rules(CRITERIA["log_loss"], 1, None, 1.0, 1.0, caution=1.0)
    # gains 1, 2, 3: mean 2, deviation 1, standard error 1 / sqrt(3); 2, 2, 2: no error
    assert rules.worth(np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]])) == pytest.approx([2 - 3**-0.5, 2.0])


def test_related_texts_of_two_sources_are_never_parted():
    X, y = planted(90, 5)
    sources, groups = np.arange(90) % 3, np.arange(90) // 2
    folds = leave_one_out(y, sources, groups)
    assert any(train.size + test.size < 90 for train, test in folds)
    one = FeatureSearch(max_features=2, select_across="source")
    one.fit_matrix(X, FEATURES[:5], y, groups, sources=sources)
    other = FeatureSearch(max_features=2, select_across="source", cv=folds)
    other.fit_matrix(X, FEATURES[:5], y, sources=sources)
    assert one.history_ == other.history_


def test_without_sources_there_is_nothing_to_select_across():
    X, y = planted(50, 3)
    with pytest.raises(InputError, match="select_across='source' needs sources; expected one a text"):
        FeatureSearch(select_across="source").fit_matrix(X, FEATURES[:3], y)
