"""Evaluate verdicts on labelled texts: AUROC, TPR, F1, calibration error, with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Bool1d, Float1d, Int1d
from ghostbuster.decision.verdict import Verdict
from ghostbuster.errors import InputError
from ghostbuster.folds import is_machine
from ghostbuster.metrics.classification import (
    Estimate,
    auroc,
    bootstrap,
    expected_calibration_error,
    f1,
    tpr_at_fpr,
    wilson,
)

FPR = 0.01
"""False-positive rate at which the share of machine texts found is reported."""


@dataclass(frozen=True)
class Slice:
    """Figures for part of the texts.

    Attributes
    ----------
    column, value : str
        Texts whose ``column`` holds ``value``.
    n_human, n_machine : int
    figures : dict of str to Estimate or None
        None where the part lacks a class that the figure needs.
    """

    column: str
    value: str
    n_human: int
    n_machine: int
    figures: Mapping[str, Estimate | None]


@dataclass(frozen=True)
class Evaluation:
    """Figures for all texts, and for parts of them.

    Attributes
    ----------
    n_human, n_machine : int
    n_unjudged : int
        Texts too short for a probability; they count only in the shares called machine or unsure.
    figures : dict of str to Estimate or None
        None where the texts lack a class that the figure needs.
    slices : tuple of Slice
    """

    n_human: int
    n_machine: int
    n_unjudged: int
    figures: Mapping[str, Estimate | None]
    slices: tuple[Slice, ...] = ()


def evaluate(
    labels: Sequence[int],
    verdicts: Sequence[Verdict],
    groups: Sequence[str] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Compare verdicts with labels.

    Parameters
    ----------
    labels : sequence of int, length n_texts
        0 human, 1 machine.
    verdicts : sequence of Verdict, length n_texts
    groups : sequence of str, length n_texts, optional
        Texts that share one are drawn together when an interval is estimated.
    columns : mapping of str to sequence of str, optional
        Each splits the texts; ``generator`` compares each generator's texts with all human ones.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Evaluation
        ``auroc``; ``tpr_at_1_percent_fpr``; ``f1`` at probability 0.5; ``calibration_error`` (expected,
        15 bins); and of the verdicts ``false_positive_rate`` (human texts called machine),
        ``true_positive_rate`` and ``unsure_rate`` (of all). Intervals are 95 %: bootstrap for the first four,
        Wilson for shares. Texts by people alone give the false-positive rate, those of machines the
        true-positive rate; figures that compare both are then None.

    Raises
    ------
    InputError
        When there is no text.
    """
    y = np.asarray(labels, dtype=np.intp)
    p = np.array([verdict.probability for verdict in verdicts], dtype=np.float64)
    called = np.array([verdict.label for verdict in verdicts])
    if not y.size:
        raise InputError("no text to evaluate; expected texts by people, by machines, or both")
    judged = np.isfinite(p)
    both = _has_both(y[judged])
    drawn = None if groups is None else np.asarray(groups)[judged]
    estimate = partial(_estimate, y=y[judged], p=p[judged], groups=drawn, seed=seed)
    figures = {
        "auroc": estimate(auroc) if both else None,
        "tpr_at_1_percent_fpr": estimate(partial(tpr_at_fpr, fpr=FPR)) if both else None,
        "f1": estimate(_f1) if both else None,
        "calibration_error": estimate(expected_calibration_error) if both else None,
        **_called_machine(called, y),
        "unsure_rate": _share(called == "unsure"),
    }
    slices = slices_by(labels, verdicts, columns or {}, seed)
    return Evaluation(int(np.sum(y == 0)), int(np.sum(y == 1)), int(np.sum(~judged)), figures, slices)


def slices_by(
    labels: Sequence[int], verdicts: Sequence[Verdict], columns: Mapping[str, Sequence[str]], seed: int = 0
) -> tuple[Slice, ...]:
    """The figures of parts, as ``evaluate`` gives them: for each column, each of its values in turn.

    Parameters
    ----------
    labels, verdicts, columns, seed : as for ``evaluate``
    """
    y = np.asarray(labels, dtype=np.intp)
    p = np.array([verdict.probability for verdict in verdicts], dtype=np.float64)
    called = np.array([verdict.label for verdict in verdicts])
    return tuple(
        _slice(name, value, rows, (y, p, called), seed)
        for name, values in columns.items()
        for value, rows in _parts(name, np.asarray(values), y)
    )


def _f1(y: npt.NDArray[np.generic], p: npt.NDArray[np.generic]) -> float:
    return f1(y, is_machine(p))


def _estimate(metric: Any, *, y: Any, p: Any, groups: Any, seed: int) -> Estimate:
    return bootstrap(metric, y, p, groups=groups, seed=seed)


def _share(hits: Bool1d) -> Estimate:
    return wilson(int(hits.sum()), int(hits.size))


def _has_both(y: Int1d) -> bool:
    """Whether there are texts of people and of machines."""
    return 0 < int(y.sum()) < y.size


def _called_machine(called: npt.NDArray[np.str_], y: Int1d) -> dict[str, Estimate | None]:
    """Shares of human and of machine texts called machine; None of what there is none of."""
    hits = called == "machine"
    return {
        name: _share(hits[y == label]) if np.any(y == label) else None
        for label, name in enumerate(("false_positive_rate", "true_positive_rate"))
    }


def _parts(name: str, values: npt.NDArray[np.str_], y: Int1d) -> list[tuple[str, Bool1d]]:
    """Each value of a column with the rows it stands for."""
    if name == "generator":
        machine = y == 1
        return [(str(v), (machine & (values == v)) | ~machine) for v in np.unique(values[machine])]
    return [(str(v), values == v) for v in np.unique(values)]


def _slice(
    name: str,
    value: str,
    rows: Bool1d,
    scored: tuple[Int1d, Float1d, npt.NDArray[np.str_]],
    seed: int,
) -> Slice:
    y, p, called = scored[0][rows], scored[1][rows], scored[2][rows]
    judged = np.isfinite(p)
    figures = {
        "auroc": bootstrap(auroc, y[judged], p[judged], seed=seed) if _has_both(y[judged]) else None,
        **_called_machine(called, y),
    }
    return Slice(name, value, int(np.sum(y == 0)), int(np.sum(y == 1)), figures)
