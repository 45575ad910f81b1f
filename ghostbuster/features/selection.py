"""Greedy forward selection of columns: screening proposes, an exact cross-validated fit decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ghostbuster.features.criteria import Criterion
from ghostbuster.features.folds import Fold
from ghostbuster.features.logistic import fit_each, fit_logistic, sigmoid
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.screening import Screen

Float1d = npt.NDArray[np.float64]
Float2d = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

SECOND_CHANCES = 4  # more rounds of proposals before the search gives up
_ALL_AT_ONCE = 64  # candidates fitted together without a screen


@dataclass(frozen=True, slots=True)
class Rules:
    """How a selection goes.

    Parameters
    ----------
    criterion : Criterion
        Its mean over folds is maximised.
    max_columns : int
        Stop at so many.
    screen : int or None
        Candidates fitted exactly a round; None fits all.
    tolerance : float
        Least improvement of the criterion.
    max_correlation : float
        A candidate that correlates more with a chosen column (in size) is dropped.
    C : float
        Inverse strength of the L2 penalty, for weights of mean 1.
    """

    criterion: Criterion
    max_columns: int
    screen: int | None
    tolerance: float
    max_correlation: float
    C: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column, and the criterion with it and all chosen before."""

    column: int
    value: float


class _FoldModel:
    """The chosen columns of one fold, scaled on its training texts, and their fit."""

    def __init__(self, X: Float32, y: Float1d, weight: Float1d, fold: Fold, rules: Rules) -> None:
        self._X, self._y, self._weight, self._rules = X, y, weight, rules
        self.train, self.test = fold
        self._train_design, self._test_design = np.ones((self.train.size, 1)), np.ones((self.test.size, 1))
        self.coefficients = fit_logistic(self._train_design, y[self.train], weight[self.train], rules.C)

    def value(self) -> float:
        """The criterion of the present fit."""
        return float(self._score((self._test_design @ self.coefficients)[:, None])[0])

    def values_with(self, candidates: Sequence[int]) -> Float1d:
        """The criterion with each candidate added, exactly fitted."""
        train, test = self._scaled(candidates)
        fits = self._fit_each(train)
        return self._score(self._test_design @ fits[:-1] + test * fits[-1])

    def add(self, candidate: int) -> None:
        """Take a candidate in."""
        train, test = self._scaled([candidate])
        self.coefficients = self._fit_each(train)[:, 0]
        self._train_design = np.hstack([self._train_design, train])
        self._test_design = np.hstack([self._test_design, test])

    def residuals(self) -> Float1d:
        """Weighted residuals of all texts; 0 for those neither trained nor tested on."""
        found = np.zeros(self._y.size)
        for rows, design in ((self.train, self._train_design), (self.test, self._test_design)):
            p = sigmoid(design @ self.coefficients)
            found[rows] = self._weight[rows] * (self._y[rows] - p)
        return found

    def held_out(self) -> Float1d:
        """Probabilities of the test texts."""
        return sigmoid(self._test_design @ self.coefficients)

    def _scaled(self, candidates: Sequence[int]) -> tuple[Float2d, Float2d]:
        columns = self._X[:, list(candidates)]
        scaler = ColumnScaler.fit(columns[self.train], self._weight[self.train])
        return scaler.transform(columns[self.train]), scaler.transform(columns[self.test])

    def _fit_each(self, columns: Float2d) -> Float2d:
        y, weight = self._y[self.train], self._weight[self.train]
        return fit_each(self._train_design, columns, y, weight, self._rules.C, self.coefficients)

    def _score(self, log_odds: Float2d) -> Float1d:
        return self._rules.criterion.score(self._y[self.test], log_odds, self._weight[self.test])


def select_columns(
    X: Float32, y: Float1d, weight: Float1d, folds: Sequence[Fold], rules: Rules
) -> tuple[float, tuple[Chosen, ...]]:
    """Add, time and again, the column that most improves the mean criterion over the folds.

    Parameters
    ----------
    X : float32 array of shape (n_texts, n_candidates)
        No constant column; of two that do equally well the first is taken.
    y, weight : arrays of shape (n_texts,)
        Labels between 0 and 1, weights of mean 1.
    folds : sequence of (train, test)
        The same for every candidate.
    rules : Rules

    Returns
    -------
    float
        The criterion without any column.
    tuple of Chosen
        In order of choice; empty when nothing improves it.
    """
    models = [_FoldModel(X, y, weight, fold, rules) for fold in folds]
    screen = Screen(X, weight, folds)
    alive = np.ones(X.shape[1], dtype=np.bool_)
    chosen: list[Chosen] = []
    baseline = value = float(np.mean([model.value() for model in models]))
    while len(chosen) < rules.max_columns and alive.any():
        found = _best_addition(
            models, _proposals(screen, models, alive, chosen, rules), value + rules.tolerance
        )
        if found is None:
            break
        chosen.append(found)
        value = found.value
        for model in models:
            model.add(found.column)
        if rules.max_correlation < 1:
            alive &= np.abs(screen.correlations(found.column)) <= rules.max_correlation
        alive[found.column] = False
    return baseline, tuple(chosen)


def _proposals(
    screen: Screen,
    models: Sequence[_FoldModel],
    alive: npt.NDArray[np.bool_],
    chosen: Sequence[Chosen],
    rules: Rules,
) -> Iterator[npt.NDArray[np.intp]]:
    """Rounds of candidates to fit: the most promising first, or all at once."""
    left = np.flatnonzero(alive)
    if rules.screen is None or rules.screen >= left.size:
        yield left
        return
    residuals = np.stack([model.residuals() for model in models], axis=1)
    curvature = _curvature(models, residuals.shape[0], screen.weight)
    gains = screen.gains(residuals, curvature, [c.column for c in chosen], rules.C)
    ranked = left[np.argsort(-gains[left], kind="stable")]
    for first in range(0, rules.screen * (1 + SECOND_CHANCES), rules.screen):
        if first < ranked.size:
            yield np.sort(ranked[first : first + rules.screen])


def _curvature(models: Sequence[_FoldModel], n_texts: int, weight: Float1d) -> Float1d:
    """Weight times p (1 - p), p held out; the mean of all held-out p for texts that no fold tests."""
    total, times = np.zeros(n_texts), np.zeros(n_texts)
    for model in models:
        total[model.test] += model.held_out()
        times[model.test] += 1
    p = np.where(times > 0, total / np.maximum(times, 1), total.sum() / times.sum())
    curvature: Float1d = weight * p * (1 - p)
    return curvature


def _best_addition(
    models: Sequence[_FoldModel], rounds: Iterator[npt.NDArray[np.intp]], beat: float
) -> Chosen | None:
    """The best candidate of the first round that has one better than ``beat``."""
    for candidates in rounds:
        values = np.zeros(candidates.size)
        for first in range(0, candidates.size, _ALL_AT_ONCE):
            part = slice(first, first + _ALL_AT_ONCE)
            values[part] = np.mean([model.values_with(candidates[part].tolist()) for model in models], axis=0)
        best = int(np.argmax(values))
        if values[best] > beat:
            return Chosen(int(candidates[best]), float(values[best]))
    return None
