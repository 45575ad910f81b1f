"""Parse labels: what users write for human and machine, as probabilities of machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Bool1d, Float1d, Int1d
from ghostbuster.errors import InputError
from ghostbuster.folds import is_machine

NAMES = ("human", "machine")


@dataclass(frozen=True)
class Labels:
    """Labels of many texts.

    Attributes
    ----------
    classes : array of shape (2,)
        The user's own words or numbers, human first.
    probability : array of shape (n_texts,)
        Of machine: 0, 1, or between for a soft label.
    """

    classes: AnyArray
    probability: Float1d

    @property
    def hard(self) -> Int1d:
        """0 human, 1 machine, shape (n_texts,); a soft label counts as the nearer."""
        return is_machine(self.probability).astype(np.intp)

    @property
    def people(self) -> Bool1d:
        """Texts that thresholds are measured on, shape (n_texts,).

        Those labelled 0; where every label is soft, those nearer to 0 than to 1.
        """
        certain: Bool1d = self.probability == 0
        return certain if certain.any() else ~is_machine(self.probability)


def encode_labels(y: npt.ArrayLike, n_texts: int) -> Labels:
    """Check labels and turn them into probabilities of machine.

    Parameters
    ----------
    y : array-like of shape (n_texts,)
        0/1, False/True, "human"/"machine", or probabilities of machine.
    n_texts : int

    Raises
    ------
    InputError
        When the length differs, a label is none of these, or one class is missing.
    """
    labels = _array(y, "labels")
    if labels.ndim != 1 or labels.size != n_texts:
        raise InputError(f"labels have shape {labels.shape}; expected ({n_texts},), one a text")
    if labels.dtype.kind in "bui":
        classes = np.array([False, True]) if labels.dtype.kind == "b" else np.array([0, 1])
        probability = labels.astype(np.float64)
    elif labels.dtype.kind == "f":
        classes, probability = np.array([0, 1]), labels.astype(np.float64)
    else:
        classes = np.array(NAMES)
        probability = np.array([_of_name(label, i) for i, label in enumerate(labels.tolist())])
    wrong = np.flatnonzero(~((probability >= 0) & (probability <= 1)))
    if wrong.size:
        raise InputError(
            f"label {labels.tolist()[wrong[0]]!r} of text {wrong[0]}; expected 0 (human), 1 (machine), or a "
            "probability of machine between"
        )
    made = Labels(classes, probability)
    missing = [name for side, name in enumerate(NAMES) if not np.any(made.hard == side)]
    if missing:
        raise InputError(f"no {missing[0]} text among {n_texts}; expected both classes")
    return made


def _of_name(label: object, i: int) -> float:
    if label in NAMES:
        return float(NAMES.index(str(label)))
    with suppress(OverflowError):
        if isinstance(label, int | float):
            return float(label)
    raise InputError(f"label {label!r} of text {i}; expected 'human' or 'machine', or 0 or 1")


def _array(values: npt.ArrayLike, name: str) -> AnyArray:
    try:
        return np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} are no array ({error}); expected one value a text") from None


def row_array(values: npt.ArrayLike | None, name: str, n_texts: int, default: Any = None) -> Any:
    """``values`` as an array with one entry a text, or the default.

    Raises
    ------
    InputError
        When there is not one entry a text.
    """
    if values is None:
        return default
    array = _array(values, name)
    if array.shape != (n_texts,):
        raise InputError(f"{name} has shape {array.shape}; expected ({n_texts},), one a text")
    return array
