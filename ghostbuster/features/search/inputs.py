"""Validate the search's parameters, labels, weights and sources before anything costly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Float32
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.search.criteria import CRITERIA
from ghostbuster.folds import is_machine
from ghostbuster.registry import did_you_mean


def check_settings(
    criterion: str | None,
    select_across: str | None,
    counts: Mapping[str, int | None],
    C: float | None,
    max_correlation: float,
) -> None:
    """Refuse parameters of `FeatureSearch` that are out of range.

    Parameters
    ----------
    criterion, select_across, C, max_correlation
        As ``FeatureSearch``'s.
    counts : mapping of str to int or None
        Settings by name that are at least 1, or None.

    Raises
    ------
    SettingError
        Names the setting and what was expected.
    """
    if criterion is not None and criterion not in CRITERIA:
        raise SettingError(f"no criterion {criterion!r}; {did_you_mean(criterion, CRITERIA)}")
    if select_across not in (None, "source"):
        raise SettingError(f"select_across is {select_across!r}; expected 'source' or None")
    for name, value in counts.items():
        if value is not None and value < 1:
            raise SettingError(f"{name} is {value}; expected at least 1")
    if C is not None and not C > 0:
        raise SettingError(f"C is {C}; expected a positive number")
    if not 0 < max_correlation <= 1:
        raise SettingError(f"max_correlation is {max_correlation}; expected more than 0 and at most 1")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Labels and weights of texts, and where the texts come from.

    Attributes
    ----------
    y : array of shape (n_texts,)
        Probability of machine.
    weight : array of shape (n_texts,)
        Mean 1.
    sources : int array of shape (n_texts,), or None
        0, 1, 2, ... for each source.
    """

    y: Float1d
    weight: Float1d
    sources: npt.NDArray[np.intp] | None = None

    @classmethod
    def checked(
        cls,
        n_texts: int,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        sources: npt.ArrayLike | None,
    ) -> Self:
        """Check what a user gave.

        Raises
        ------
        InputError
            When lengths differ, labels lie outside 0..1 or are of one class, weights are no weights, or a
            source has texts of one class only.
        """
        labels = _labels(y, n_texts)
        codes = None if sources is None else _source_codes(sources, labels)
        return cls(labels, _weights(sample_weight, n_texts), codes)

    def check_hard(self, criterion: str) -> None:
        """Refuse labels between 0 and 1.

        Raises
        ------
        SettingError
            Names the criterion that has no use for them.
        """
        if not np.isin(self.y, (0, 1)).all():
            raise SettingError(f"criterion {criterion!r} wants labels 0 and 1; use log_loss for soft labels")

    def centered(self, X: Float32) -> Float32:
        """Columns centred by `center_sources`, where sources are known."""
        return center_sources(X, self.y, self.sources)


def _labels(y: npt.ArrayLike, n_texts: int) -> Float1d:
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (n_texts,):
        raise InputError(f"labels have shape {labels.shape}; expected ({n_texts},), one a text")
    if not np.all((labels >= 0) & (labels <= 1)):
        raise InputError("labels lie outside 0..1; expected 0 for human, 1 for machine, or a probability")
    if np.all(labels == labels[:1]):
        raise InputError("labels are all the same; expected both human and machine texts")
    return labels


def _weights(sample_weight: npt.ArrayLike | None, n_texts: int) -> Float1d:
    """Weights of mean 1."""
    weight = np.ones(n_texts) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_texts,):
        raise InputError(f"sample_weight has shape {weight.shape}; expected ({n_texts},), one a text")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() == 0:
        raise InputError("sample_weight holds a negative number, NaN or infinity, or only noughts")
    return weight * (n_texts / float(weight.sum()))


def _source_codes(sources: npt.ArrayLike, labels: Float1d) -> npt.NDArray[np.intp]:
    named: AnyArray = np.asarray(sources)
    if named.shape != labels.shape:
        raise InputError(f"sources have shape {named.shape}; expected {labels.shape}, one source a text")
    names, codes = np.unique(named, return_inverse=True)
    if names.size < 2:  # noqa: PLR2004 - one source has nothing to be compared with
        raise InputError("one source only; expected two or more: leave select_across out")
    for code, name in enumerate(names.tolist()):
        machine = is_machine(labels[codes == code])
        if machine.all() or not machine.any():
            raise InputError(
                f"source {name!r} has texts of one class only; expected human and machine ones of each"
            )
    return codes.astype(np.intp)
