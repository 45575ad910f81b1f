"""What a label may be, in any table or array: a number, a truth value, a usual word for human or machine."""

from __future__ import annotations

import math
import re
from typing import Any

HUMAN_WORDS = frozenset(("human", "humans", "person", "persons", "people"))
MACHINE_WORDS = frozenset(
    (
        "machine", "machines", "ai", "a.i.", "llm", "llms", "model", "bot", "gpt", "chatgpt", "artificial",
        "synthetic",
    )
)  # fmt: skip
_FILLERS = frozenset(
    (
        "written", "generated", "made", "authored", "produced", "by", "a", "an", "text", "texts", "essay",
        "essays", "document", "documents", "answer", "answers", "sample", "samples",
    )
)  # fmt: skip
_TRUTH = {"true": 1.0, "false": 0.0}
_NUMBERS_BEGIN = frozenset("+-.0123456789")
_GAPS = re.compile(r"[\s_/()-]+")

EXPECTED = "0, false or human; 1, true, machine or AI (also such as human-written, AI-generated)"
"""What messages say is expected."""


def probability_of_machine(label: Any) -> float | None:
    """What a label says: 0 for human, 1 for machine, or a number as it is (a soft label).

    Parameters
    ----------
    label : object
        A number, also written as text (``"0.0"``), a truth value, or a word in any case of letters.

    Returns
    -------
    float or None
        None for anything else: what is missing, not finite, or a word that could mean either.
    """
    if isinstance(label, str):
        return _of_word(label)
    if getattr(label, "ndim", 0) or not _is_number(label):
        return None
    return _finite(label)


def certain_label(label: Any) -> int | None:
    """0 for human, 1 for machine; None for anything else, soft labels too."""
    probability = probability_of_machine(label)
    return int(probability) if probability in {0.0, 1.0} else None


def plain_label(label: Any) -> Any:
    """A label of a table, as a reader of tables with types would give it: ``"1"`` is 1, ``"True"`` is true.

    Words stay as they were written, without spaces around them.
    """
    if not isinstance(label, str):
        return label
    word = label.strip()
    if word.casefold() in _TRUTH:
        return bool(_TRUTH[word.casefold()])
    number = probability_of_machine(word) if word[:1] in _NUMBERS_BEGIN else None
    if number is None:
        return word
    return int(number) if number.is_integer() else number


def is_truth_value(label: Any) -> bool:
    """Whether a label is a ``bool``, Python's or NumPy's."""
    return isinstance(label, bool) or type(label).__name__ in {"bool", "bool_"}


def _is_number(label: Any) -> bool:
    return is_truth_value(label) or (hasattr(label, "__float__") and hasattr(label, "__abs__"))


def _finite(label: Any) -> float | None:
    try:
        number = float(label)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _of_word(label: str) -> float | None:
    word = label.strip().casefold()
    if word in _TRUTH:
        return _TRUTH[word]
    if word.isascii() and word[:1] in _NUMBERS_BEGIN:
        return _finite(word)
    words = [part for part in _GAPS.split(word) if part]
    if words == ["generated"]:
        return 1.0
    kept = {part for part in words if part not in _FILLERS} - {"intelligence"}
    if kept and kept <= HUMAN_WORDS:
        return 0.0
    return 1.0 if kept and kept <= MACHINE_WORDS else None
