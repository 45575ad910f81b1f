import numpy as np
import pytest
from planted import FEATURES, planted
from sklearn.exceptions import NotFittedError

from benchmarks.search.stability import drawn, stability
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.expression import Feature
from ghostbuster.features.search.estimator import FeatureSearch


def one_strong_effect(n_texts=120, seed=0):
    """Ten columns; the label follows column 4, of which column 7 is all but a copy."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_texts, 10)).astype(np.float32)
    X[:, 7] = X[:, 4] + 0.02 * X[:, 7]
    return X, (X[:, 4] + 0.5 * rng.normal(size=n_texts) > 0).astype(int)


def test_of_two_like_features_that_take_turns_each_stands_for_the_other_and_noise_is_never_chosen():
    X, y = one_strong_effect()
    search = FeatureSearch(max_features=1, screen=None).fit_matrix(X, FEATURES[:10], y)
    found = stability(search, X, y, n_resamples=20)
    assert {one.feature for one in found} == {FEATURES[4], FEATURES[7]}
    assert sum(one.share for one in found) == pytest.approx(1.0)
    assert found[0].share >= found[1].share > 0
    assert [one.alike for one in found] == [1.0, 1.0]


def test_only_candidates_on_the_shortlist_are_searched_again():
    X, y = planted()
    wide = np.hstack([X, np.random.default_rng(1).normal(size=(300, 80)).astype(np.float32)])
    names = (*FEATURES, *(Feature.parse(f"b.v{i} s-avg") for i in range(80)))
    search = FeatureSearch(max_features=2, screen=2).fit_matrix(wide, names, y)
    assert set(search.features_) < set(search.shortlist_) < set(names)
    columns = [names.index(feature) for feature in search.shortlist_]
    found = stability(search, wide[:, columns], y, n_resamples=3)
    assert {one.feature for one in found} <= set(search.shortlist_)


def test_the_same_seed_gives_the_same_shares_twice():
    X, y = planted(100, 8)
    search = FeatureSearch(max_features=3, screen=None, random_state=5).fit_matrix(X, FEATURES[:8], y)
    one, other = (stability(search, X, y, n_resamples=4) for _ in range(2))
    assert one == other


def test_whole_groups_are_drawn_and_every_source_keeps_its_number_of_them():
    groups = np.repeat(np.arange(30), 3)
    sources = np.where(groups < 10, "a", "b")
    times = drawn(groups, sources, np.random.default_rng(0))
    by_group = times.reshape(30, 3)
    assert (by_group == by_group[:, :1]).all()
    assert by_group[:10, 0].sum() == 10
    assert by_group[10:, 0].sum() == 20
    assert 0 in times


def test_given_folds_and_sources_are_kept_to():
    X, y = planted(120, 6)
    sources = np.arange(120) % 3
    folds = [(np.flatnonzero(sources != s), np.flatnonzero(sources == s)) for s in range(3)]
    given = FeatureSearch(max_features=2, cv=folds).fit_matrix(X, FEATURES[:6], y)
    X_short = X[:, [FEATURES.index(f) for f in given.shortlist_]]
    assert stability(given, X_short, y, n_resamples=2)
    across = FeatureSearch(max_features=2, select_across="source")
    across.fit_matrix(X, FEATURES[:6], y, sources=sources)
    X_short = X[:, [FEATURES.index(f) for f in across.shortlist_]]
    assert stability(across, X_short, y, sources=sources, n_resamples=2)


def test_what_cannot_be_resampled_is_refused():
    X, y = planted(60, 4)
    with pytest.raises(NotFittedError, match="FeatureSearch"):
        stability(FeatureSearch(), X, y)
    search = FeatureSearch(max_features=2, screen=None).fit_matrix(X, FEATURES[:4], y)
    with pytest.raises(SettingError, match="n_resamples is 0; expected at least 1"):
        stability(search, X, y, n_resamples=0)
    with pytest.raises(InputError, match=r"matrix has shape \(60, 3\); expected one column for each of 4"):
        stability(search, X[:, :3], y)
    with pytest.raises(InputError, match=r"groups has shape \(2,\); expected \(60,\)"):
        stability(search, X, y, groups=[1, 2])
