"""Parse labels: what users write for human and machine, as probabilities of machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Bool1d, Float1d, Int1d
from ghostbuster.errors import InputError
from ghostbuster.folds import is_machine
from ghostbuster.label_words import EXPECTED, is_truth_value, probability_of_machine

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
        What ``label_words.probability_of_machine`` knows, of any dtype: 0/1, False/True, "human"/"machine",
        "human-written"/"AI-generated", or probabilities of machine.
    n_texts : int

    Raises
    ------
    InputError
        When the length differs, a label is none of these, or one class is missing.
    """
    labels, probability = _probabilities(y, n_texts)
    made = Labels(_classes(labels, probability), probability)
    missing = [name for side, name in enumerate(NAMES) if not np.any(made.hard == side)]
    if missing:
        raise InputError(f"no {missing[0]} text among {n_texts}; expected both classes")
    return made


def hard_labels(y: npt.ArrayLike, n_texts: int) -> Int1d:
    """0 human, 1 machine, shape (n_texts,), of labels as ``encode_labels`` reads them; of one class too.

    Raises
    ------
    InputError
        When the length differs, or a label is none of those.
    """
    return is_machine(_probabilities(y, n_texts)[1]).astype(np.intp)


def _probabilities(y: npt.ArrayLike, n_texts: int) -> tuple[list[Any], Float1d]:
    """Labels one by one, and the probability of machine that each tells."""
    array = _array(y, "labels")
    if array.ndim != 1 or array.size != n_texts:
        raise InputError(f"labels have shape {array.shape}; expected ({n_texts},), one a text")
    labels: list[Any] = array.tolist()
    found = [probability_of_machine(label) for label in labels]
    for i, (label, probability) in enumerate(zip(labels, found, strict=True)):
        if probability is None or not 0 <= probability <= 1:
            raise InputError(f"label {label!r} of text {i}; expected {EXPECTED}; or a probability between")
    return labels, np.array(found, dtype=np.float64)


def _classes(labels: Sequence[Any], probability: Float1d) -> AnyArray:
    """The labels as given, human first: truth values, numbers, or the commonest word of each side."""
    if all(map(is_truth_value, labels)):
        return np.array([False, True])
    words = [label for label in labels if isinstance(label, str)]
    if not words:
        return np.array([0, 1])
    if len(words) < len(labels):
        return np.array(NAMES)
    machine = is_machine(probability)
    sides = (
        [word for word, is_one in zip(words, machine, strict=True) if bool(is_one) is side]
        for side in (False, True)
    )
    return np.array(
        [
            Counter(side).most_common(1)[0][0] if side else name
            for side, name in zip(sides, NAMES, strict=True)
        ]
    )


def _array(values: Any, name: str) -> AnyArray:
    """What was given, one value a text, as an array: also what can be gone through once."""
    if isinstance(values, Mapping | AbstractSet | str | bytes):
        kind = type(values).__name__
        raise InputError(f"{name} are one {kind}; expected a sequence in the order of the texts: pass a list")
    try:
        return np.asarray(list(values) if isinstance(values, Iterator) else values)
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
