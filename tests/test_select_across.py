import numpy as np
import pytest
from planted import FEATURES, planted
from test_search import by_brute_force

from ghostbuster.errors import InputError
from ghostbuster.features.search import FeatureSearch
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


@pytest.mark.parametrize("screen", [4, None])
def test_across_sources_brute_force_by_scikit_learn_on_levelled_columns_chooses_the_same(screen):
    X, y = planted(240, 12, seed=3)
    sources = np.arange(240) % 3
    X = X + sources[:, None] * X.std(0)
    levelled = level(X.astype(np.float64), y, sources).astype(np.float32)
    folds = leave_one_out(y, sources)
    expected, values = by_brute_force(levelled, y, folds, 3, "log_loss")
    made = FeatureSearch(max_features=3, select_across="source", screen=screen, max_correlation=1.0, C=1.0)
    made.fit_matrix(X, FEATURES[:12], y, sources=sources)
    assert made.features_ == tuple(FEATURES[i] for i in expected)
    assert [step.value for step in made.history_] == pytest.approx(values, abs=1e-5)


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
