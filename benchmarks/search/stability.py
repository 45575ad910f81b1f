"""Stability of a feature search: how often each feature is chosen on bootstrap resamples of the texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, AnyFloat, Int1d
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.expression import Feature

if TYPE_CHECKING:
    from ghostbuster.features.search.estimator import FeatureSearch


ALIKE = 0.9  # features that correlate more stand for each other


@dataclass(frozen=True, slots=True)
class Inclusion:
    """How steadily one feature is chosen.

    Attributes
    ----------
    feature : Feature
    share : float
        Of the resamples that chose it, 0 to 1.
    alike : float
        Of the resamples that chose it or a feature that correlates more than ``ALIKE`` with it: what a
        detector relies on though its features take turns.
    """

    feature: Feature
    share: float
    alike: float


def stability(
    search: FeatureSearch,
    X: AnyFloat,
    y: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    sources: npt.ArrayLike | None = None,
    n_resamples: int = 50,
) -> tuple[Inclusion, ...]:
    """Search again on bootstrap resamples, among the candidates that the first search had on its shortlist.

    Whole groups are drawn with replacement, within each source where sources are given; a text drawn twice
    counts twice, on one side of every fold. Resamples are searched by as many threads as
    ``joblib.parallel_config`` allows.

    Parameters
    ----------
    search : FeatureSearch
        Fitted on these texts; its settings and seed are used.
    X : array of shape (n_texts, n_shortlist)
        Values of ``search.shortlist_``.
    y, groups, sample_weight, sources
        As they were given to ``fit``.
    n_resamples : int

    Returns
    -------
    tuple of Inclusion
        Every feature that was chosen at least once, the steadiest first.

    Raises
    ------
    SettingError
        When ``n_resamples`` is not positive.
    InputError
        When ``X`` does not hold the features of the shortlist.
    sklearn.exceptions.NotFittedError
        Before ``search.fit``.

    References
    ----------
    Sauerbrei and Schumacher, "A bootstrap resampling procedure for model building", Statistics in Medicine 11
    (1992). Meinshausen and Buehlmann, "Stability selection", JRSS B 72 (2010).
    """
    from joblib import Parallel, delayed
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(search, "shortlist_")
    if n_resamples < 1:
        raise SettingError(f"n_resamples is {n_resamples}; expected at least 1")
    if X.ndim != 2 or X.shape[1] != len(search.shortlist_):
        raise InputError(
            f"matrix has shape {X.shape}; expected one column for each of {len(search.shortlist_)} "
            "features of the shortlist"
        )
    texts = _Texts.of(X, y, groups, sample_weight, sources)
    seeds = np.random.SeedSequence(search.random_state).spawn(n_resamples)
    work = (delayed(_chosen)(search, texts, np.random.default_rng(seed)) for seed in seeds)
    chosen = np.stack(Parallel(require="sharedmem")(work))
    return _inclusions(search.shortlist_, chosen, X)


@dataclass(frozen=True, eq=False)
class _Texts:
    """What is drawn from."""

    X: AnyFloat
    y: npt.NDArray[np.float64]
    groups: AnyArray
    weight: npt.NDArray[np.float64]
    sources: AnyArray | None

    @classmethod
    def of(
        cls,
        X: AnyFloat,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None,
        sample_weight: npt.ArrayLike | None,
        sources: npt.ArrayLike | None,
    ) -> _Texts:
        n = X.shape[0]
        made = cls(
            X,
            np.asarray(y, dtype=np.float64),
            np.arange(n) if groups is None else np.asarray(groups),
            np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
            None if sources is None else np.asarray(sources),
        )
        for name, row in (
            ("y", made.y),
            ("groups", made.groups),
            ("sample_weight", made.weight),
            ("sources", made.sources),
        ):
            if row is not None and row.shape != (n,):
                raise InputError(f"{name} has shape {row.shape}; expected ({n},), one a text")
        return made


def drawn(groups: AnyArray, sources: AnyArray | None, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """How often each text occurs in a resample of whole groups, as many as each source has: (n_texts,)."""
    _, codes = np.unique(groups, return_inverse=True)
    times = np.zeros(codes.max() + 1, dtype=np.intp)
    where = np.zeros(codes.size) if sources is None else sources
    owner = dict(zip(codes.tolist(), where.tolist(), strict=True))  # a group of two sources is the last's
    by_source: dict[Any, list[int]] = {}
    for code, source in owner.items():
        by_source.setdefault(source, []).append(code)
    for own in by_source.values():
        times[own] = np.bincount(rng.integers(0, len(own), len(own)), minlength=len(own))
    return times[codes]


def _chosen(search: FeatureSearch, texts: _Texts, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which features of the shortlist a search of one resample chooses: (n_shortlist,)."""
    from sklearn.base import clone

    times = drawn(texts.groups, texts.sources, rng)
    rows = np.flatnonzero(times)
    again = clone(search)
    if search.cv is not None and not isinstance(search.cv, int):
        place = np.full(times.size, -1)
        place[rows] = np.arange(rows.size)
        again.set_params(cv=[tuple(_kept(place, side) for side in fold) for fold in search.cv])
    again.fit_matrix(
        texts.X[rows],
        search.shortlist_,
        texts.y[rows],
        texts.groups[rows],
        (texts.weight * times)[rows],
        None if texts.sources is None else texts.sources[rows],
    )
    chosen = set(again.features_)
    return np.array([feature in chosen for feature in search.shortlist_])


def _kept(place: Int1d, side: npt.ArrayLike) -> Int1d:
    """New indices of those texts of a fold's side that were drawn."""
    moved = place[np.asarray(side, dtype=np.intp)]
    return moved[moved >= 0]


def _inclusions(
    features: tuple[Feature, ...], chosen: npt.NDArray[np.bool_], X: AnyFloat
) -> tuple[Inclusion, ...]:
    share = chosen.mean(axis=0)
    used = np.flatnonzero(share > 0)
    close = np.abs(np.corrcoef(X[:, used], rowvar=False).reshape(used.size, used.size)) > ALIKE
    found = [
        Inclusion(features[i], float(share[i]), float(chosen[:, used[close[k]]].any(axis=1).mean()))
        for k, i in enumerate(used.tolist())
    ]
    return tuple(sorted(found, key=lambda one: -one.share))
