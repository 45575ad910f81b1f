"""Recalibrate thresholds on a user's own human texts; features, head and probabilities stay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import TypeVar

from ghostbuster.arrays import Progress
from ghostbuster.decision.judge import is_judged
from ghostbuster.decision.thresholds import RATES, Threshold, thresholds
from ghostbuster.detector.detector import Detector
from ghostbuster.detector.params import Params
from ghostbuster.errors import InputError
from ghostbuster.reading.read import Reading
from ghostbuster.reading.texts import check_texts
from ghostbuster.text.prepare import prepare

Judging = TypeVar("Judging", bound=Detector)


def recalibrated(
    detector: Judging,
    texts: Sequence[str],
    register: str | None = None,
    progress: Progress | None = None,
    read: Callable[[Sequence[str]], Reading] | None = None,
) -> Judging:
    """A detector whose thresholds are measured on ``texts``, so that its false-positive rate holds for them.

    Counted are different texts that the detector would judge: neither too short nor unlike those it knows.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted
        Left as it is.
    texts : sequence of str
        All by people.
    register : str, optional
        Make thresholds of this register instead of those for every text.
    progress : callable, optional
        Called with (tokens done, tokens in all).
    read : callable, optional
        Texts to a reading, where they were read before; by default the detector reads them.

    Returns
    -------
    GhostbusterClassifier
        Its manifest says what it was calibrated on. Rates below one in the number of texts have no threshold.

    Raises
    ------
    InputError
        When there are too few texts to see the rate ``max_fpr``.
    """
    listed = check_texts(texts)
    different = list({prepare(text).text: text for text in listed}.values())
    _refuse_few(len(different), len(listed), detector.params)  # before any model reads
    reading = detector.read(different, progress) if read is None else read(different)
    reading = reading.take(is_judged(reading, detector.trained_, detector.params.min_tokens))
    _refuse_few(len(reading.prepared), len(listed), detector.params)
    about = "human texts it was calibrated on" + (f" for register {register!r}" if register else "")
    made = tuple(
        replace(one, about=about)
        for one in thresholds(detector.probability_of(reading), RATES)
        if one.is_supported
    )
    return _with_thresholds(detector, made, register, reading)


def _with_thresholds(
    detector: Judging, made: tuple[Threshold, ...], register: str | None, reading: Reading
) -> Judging:
    """A copy with these thresholds, whose manifest says where they come from."""
    trained = detector.trained_
    entry = {
        "register": register or "",
        "n_human": len(reading.prepared),
        "n_tokens": int(reading.n_tokens.sum()),
        "digest": texts_digest(reading.texts),
    }
    facts = {"calibrated": [*trained.manifest.get("calibrated", []), entry]}
    changed = copy(detector)
    if register is None:
        changed.trained_ = trained.with_thresholds(made, trained.register_thresholds, facts)
    else:
        by_register = {**trained.register_thresholds, register: made}
        changed.trained_ = trained.with_thresholds(trained.thresholds, by_register, facts)
    return changed


def texts_digest(prepared: Sequence[str]) -> str:
    """SHA-256 over prepared texts, whatever their order: equal digests mean equal human texts."""
    parts = sorted(hashlib.sha256(text.encode("utf-8")).digest() for text in prepared)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _refuse_few(n_usable: int, n_given: int, params: Params) -> None:
    wanted = round(1 / params.max_fpr)
    if n_usable * params.max_fpr < 1:
        raise InputError(
            f"{n_usable} of {n_given} human texts can be used (different ones of English prose, of "
            f"{params.min_tokens} tokens or more): too few to promise a false-positive rate of "
            f"{params.max_fpr:g}, which takes {wanted} or more: give more texts, or a higher rate"
        )
