"""Greedy forward selection of columns: screening proposes, an exact cross-validated fit decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float1d, Float2d, Float32
from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.features.search.columns import Columns
from ghostbuster.features.search.criteria import Criterion
from ghostbuster.features.search.logistic import fit_each, fit_logistic, sigmoid
from ghostbuster.features.search.screening import Present, Screen
from ghostbuster.folds import Fold

SHORTLIST = 32  # candidates of a round that are noted as promising
SECOND_CHANCES = 4  # more rounds of proposals before the search gives up
_ALL_AT_ONCE = 64  # candidates fitted together without a screen
_COMPARED = 32  # candidates compared with the chosen columns at a time


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of a selection.

    Parameters
    ----------
    criterion : Criterion
        Its mean over folds is maximised.
    max_columns : int
        Stop at so many.
    screen : int or None
        Candidates fitted exactly a round; None fits all.
    max_correlation : float
        A candidate that correlates more with a chosen column (in size) is dropped.
    C : float
        Inverse strength of the L2 penalty, for weights of mean 1.
    caution : float
        A candidate is worth the mean of its gains over the folds, less so many standard errors of that mean.
    """

    criterion: Criterion
    max_columns: int
    screen: int | None
    max_correlation: float
    C: float
    caution: float = 0.0

    def worth(self, gains: Float2d) -> Float1d:
        """Of gains (n_folds, n_candidates) by each candidate: (n_candidates,)."""
        worth: Float1d = gains.mean(axis=0)
        if self.caution:
            worth = worth - self.caution * gains.std(axis=0, ddof=1) / np.sqrt(gains.shape[0])
        return worth


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column, and the criterion with it and all chosen before."""

    column: int
    value: float


class _FoldModel:
    """The chosen columns of one fold, scaled on its training texts, and their fit."""

    def __init__(self, y: Float1d, weight: Float1d, fold: Fold, rules: Rules) -> None:
        self._y, self._weight, self._rules = y, weight, rules
        self.train, self.test = fold
        self._train_design, self._test_design = np.ones((self.train.size, 1)), np.ones((self.test.size, 1))
        self.coefficients = fit_logistic(self._train_design, y[self.train], weight[self.train], rules.C)

    def value(self) -> float:
        """The criterion of the present fit."""
        return float(self._score((self._test_design @ self.coefficients)[:, None])[0])

    def values_with(self, candidates: Float32) -> Float1d:
        """The criterion with each candidate, shape (n_texts, n_candidates), added and exactly fitted."""
        train, test = self._scaled(candidates)
        fits = self._fit_each(train)
        return self._score(self._test_design @ fits[:-1] + test * fits[-1])

    def add(self, candidate: Float32) -> None:
        """Take a candidate, shape (n_texts, 1), in."""
        train, test = self._scaled(candidate)
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

    def _scaled(self, columns: Float32) -> tuple[Float2d, Float2d]:
        scaler = ColumnScaler.fit(columns[self.train], self._weight[self.train])
        return scaler.transform(columns[self.train]), scaler.transform(columns[self.test])

    def _fit_each(self, columns: Float2d) -> Float2d:
        y, weight = self._y[self.train], self._weight[self.train]
        return fit_each(self._train_design, columns, y, weight, self._rules.C, self.coefficients)

    def _score(self, log_odds: Float2d) -> Float1d:
        return self._rules.criterion.score(self._y[self.test], log_odds, self._weight[self.test])


@dataclass(frozen=True, slots=True)
class Problem:
    """Data of a selection, texts in the order of ``fold_order``.

    Parameters
    ----------
    columns : Columns
        No constant one; of two that do equally well the first is taken.
    y, weight : arrays of shape (n_texts,)
        Labels between 0 and 1, weights of mean 1.
    folds : tuple of (train, test)
        The same for every candidate.
    cells : tuple of slice
        Where each fold's held-out texts lie.
    """

    columns: Columns
    y: Float1d
    weight: Float1d
    folds: tuple[Fold, ...]
    cells: tuple[slice, ...]


class _Search:
    """The models of all folds, the columns chosen so far and those that are still to be had."""

    def __init__(self, problem: Problem, rules: Rules) -> None:
        self.columns, self.rules = problem.columns, rules
        self.models = [_FoldModel(problem.y, problem.weight, fold, rules) for fold in problem.folds]
        self.screen = Screen(problem.columns, problem.weight, problem.cells)
        self.alive = np.ones(problem.columns.n_columns, dtype=np.bool_)
        self.chosen: list[Chosen] = []
        self.shortlisted = np.zeros(problem.columns.n_columns, dtype=np.bool_)
        self.scaled: Float2d = np.empty((problem.y.size, 0))
        self.values = np.array([model.value() for model in self.models])
        self.baseline = float(self.values.mean())

    def best_addition(self) -> Chosen | None:
        """The best candidate of the first round that has one that is worth adding."""
        for candidates in filter(len, self._proposals()):
            self.shortlisted[candidates] = True
            values = np.empty((len(self.models), candidates.size))
            for first in range(0, candidates.size, _ALL_AT_ONCE):
                part = slice(first, first + _ALL_AT_ONCE)
                tried = self.columns.take(candidates[part].tolist())
                values[:, part] = [model.values_with(tried) for model in self.models]
            worth = self.rules.worth(values - self.values[:, None])
            best = int(np.argmax(worth))
            if worth[best] > 0:
                self.values = values[:, best]
                return Chosen(int(candidates[best]), float(self.values.mean()))
        return None

    def add(self, found: Chosen) -> None:
        """Take a column in."""
        self.chosen.append(found)
        self.alive[found.column] = False
        for model in self.models:
            model.add(self.columns.take([found.column]))
        self.scaled = np.hstack([self.scaled, self.screen.scaled([found.column])])

    def _proposals(self) -> Iterator[npt.NDArray[np.intp]]:
        """Rounds of candidates to fit: the most promising first, or all at once."""
        left, screen = np.flatnonzero(self.alive), self.rules.screen
        if screen is None or screen >= left.size:
            yield np.fromiter(self._unlike_the_chosen(left), dtype=np.intp)
            return
        residuals = np.stack([model.residuals() for model in self.models], axis=1)
        curvature = _curvature(self.models, self.screen.weight)
        gains = self.screen.gains(Present(residuals, curvature, self.scaled, self.rules.C))
        promising = left[np.argsort(-gains[left], kind="stable")]
        self.shortlisted[promising[:SHORTLIST]] = True
        ranked = self._unlike_the_chosen(promising)
        for _ in range(1 + SECOND_CHANCES):
            proposed = np.fromiter(islice(ranked, screen), dtype=np.intp)
            yield np.sort(proposed)

    def _unlike_the_chosen(self, ranked: npt.NDArray[np.intp]) -> Iterator[int]:
        """Candidates in the order given, without those too much like a chosen one: these are dropped."""
        for first in range(0, ranked.size, _COMPARED):
            part = ranked[first : first + _COMPARED]
            alike = self._correlation(part) > self.rules.max_correlation
            self.alive[part[alike]] = False
            yield from part[~alike].tolist()

    def _correlation(self, candidates: npt.NDArray[np.intp]) -> Float1d:
        """Largest Pearson correlation, in size, of each candidate with a chosen column."""
        if not self.chosen or self.rules.max_correlation == 1:
            return np.zeros(candidates.size)
        a, b = (x - x.mean(axis=0) for x in (self.screen.scaled(candidates.tolist()), self.scaled))
        scale = np.sqrt(np.sum(a * a, axis=0))[:, None] * np.sqrt(np.sum(b * b, axis=0))
        product = np.abs(a.T @ b)
        largest: Float1d = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0).max(axis=1)
        return largest


@dataclass(frozen=True, slots=True)
class Selection:
    """Result of a selection.

    Attributes
    ----------
    baseline : float
        The criterion without any column.
    chosen : tuple of Chosen
        In order of choice; empty when nothing improves the criterion.
    shortlist : tuple of int
        Columns that were fitted exactly, or among the ``SHORTLIST`` most promising, in some round.
    """

    baseline: float
    chosen: tuple[Chosen, ...]
    shortlist: tuple[int, ...]


def select_columns(problem: Problem, rules: Rules) -> Selection:
    """Greedy forward selection: add the column that most improves the mean criterion, and again."""
    search = _Search(problem, rules)
    while len(search.chosen) < rules.max_columns and search.alive.any():
        found = search.best_addition()
        if found is None:
            break
        search.add(found)
    shortlist = np.flatnonzero(search.shortlisted).tolist()
    return Selection(search.baseline, tuple(search.chosen), tuple(shortlist))


def _curvature(models: Sequence[_FoldModel], weight: Float1d) -> Float1d:
    """Weight times p (1 - p), p held out; the mean of all held-out p for texts that no fold tests."""
    total, times = np.zeros(weight.size), np.zeros(weight.size)
    for model in models:
        total[model.test] += model.held_out()
        times[model.test] += 1
    p = np.where(times > 0, total / np.maximum(times, 1), total.sum() / times.sum())
    curvature: Float1d = weight * p * (1 - p)
    return curvature
