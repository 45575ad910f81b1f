"""Probabilities along a text: of sliding windows, and of sentences.

A sentence alone is far too short to judge. Its probability is that of the windows that cover it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import AnyInt, Float1d, Int1d, Vectors
from ghostbuster.decision.machine_share import machine_share
from ghostbuster.decision.verdict import decide
from ghostbuster.errors import InputError, SettingError
from ghostbuster.metrics.intervals import Estimate
from ghostbuster.reading.read import Reading
from ghostbuster.reading.texts import check_texts
from ghostbuster.text.prepare import PreparedText
from ghostbuster.text.sentences import sentence_spans

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector


WINDOW = 200
"""Units (tokens, or words where the models have different tokens) that a window holds."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Part of a text.

    Attributes
    ----------
    start, end : int
        In characters of the prepared text.
    first, last : int
        Its units are ``first`` to ``last - 1``.
    probability : float
        That a machine wrote it, if machine and human passages were equally common. The detector's threshold
        is a promise about whole texts; it says nothing of passages.
    doubts : tuple of str
        Why the detector does not trust itself here, as in a verdict's reasons; of windows only.
    """

    start: int
    end: int
    first: int
    last: int
    probability: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passages:
    """Probabilities along one text.

    Attributes
    ----------
    windows : tuple of Passage
        Equally long, evenly spaced; neighbours share half of their units or more.
    sentences : tuple of Passage
        Every sentence that holds a unit. Its log-odds are the mean of those of the windows that cover it,
        weighted by how much of it each covers.
    reason : str
        Why there are none; empty where there are some.
    share : Estimate or None
        Share of the windows that a machine wrote, with its 95 % interval (``machine_share``); None where
        there are none, or the detector trusts itself in none. Windows with doubts are left out of it.
    """

    windows: tuple[Passage, ...]
    sentences: tuple[Passage, ...]
    reason: str = ""
    share: Estimate | None = None


def judge_passages(detector: Detector, text: str, window: int = WINDOW) -> Passages:
    """Probabilities along a text, by one pass of the language models.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted
    text : str
        Of one and a half windows or more; a shorter one has no passages, and the reason says so.
    window : int
        Units a window holds; at least the detector's ``min_tokens``, which is taken where it is larger.

    Raises
    ------
    InputError
        When ``text`` is no str.
    SettingError
        When ``window`` is below 2.
    """
    return passages_of(detector, detector.read(check_texts([text])), window)


def passages_of(detector: Detector, reading: Reading, window: int = WINDOW) -> Passages:
    """``judge_passages`` for a text already read.

    Windows are slices of the text's own token scores, and means of its own blocks of hidden states. Unlike in
    a fresh text, the first tokens of a slice were read with what stands before them.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted
    reading : Reading
        Of one text.
    window : int

    Raises
    ------
    InputError
        When the reading has another number of texts, or the ends of its units were not kept.
    SettingError
        When ``window`` is below 2.
    """
    if len(reading.prepared) != 1 or reading.ends.size != reading.vectors.offsets[-1]:
        raise InputError(
            f"got a reading of {len(reading.prepared)} texts and {reading.ends.size} ends of "
            f"{reading.vectors.offsets[-1]} units; expected one text and every end: read it by itself"
        )
    if window < 2:  # noqa: PLR2004
        raise SettingError(f"window is {window}; expected 2 units or more")
    width = max(window, detector.params.min_tokens)
    least = width + width // 2
    n_units = reading.ends.size
    if n_units < least:
        unit = "tokens" if n_units == reading.n_tokens.sum() else "words"
        reason = f"too short: {n_units} {unit}; passages are judged in texts of {least} or more"
        return Passages((), (), reason)
    starts = window_starts(n_units, width)
    windows = _judge(detector, reading, starts, width)
    return Passages(windows, _sentences(reading, windows), share=_share(windows, n_units / width))


def window_starts(n_units: int, width: int) -> Int1d:
    """First units of evenly spaced windows, the least number whose neighbours share half or more."""
    n_windows = 1 + math.ceil((n_units - width) / (width // 2))
    return np.rint(np.linspace(0, n_units - width, n_windows)).astype(np.int64)


def cut(reading: Reading, starts: Int1d, width: int) -> Reading:
    """Windows of ``width`` units of a read text, as a reading of as many texts."""
    text, ends = reading.prepared[0].text, reading.ends
    rows = (starts[:, None] + np.arange(width)).ravel()
    channels = {name: values[rows] for name, values in reading.vectors.channels.items()}
    offsets = np.arange(starts.size + 1) * width
    spans = _spans(ends, starts, width)
    parts = [text[a:b].strip() for a, b in spans]
    prepared = tuple(PreparedText(part, len(part.split())) for part in parts)
    states = {name: one.of_passages(0, spans) for name, one in reading.vectors.states.items()}
    return Reading(prepared, Vectors(channels, offsets, states), np.full(starts.size, width))


def _spans(ends: AnyInt, starts: Int1d, width: int) -> list[tuple[int, int]]:
    """Start and end of each window, in characters."""
    return [(int(ends[i - 1]) if i else 0, int(ends[i + width - 1])) for i in starts.tolist()]


def _judge(detector: Detector, reading: Reading, starts: Int1d, width: int) -> tuple[Passage, ...]:
    """The windows with what the detector makes of each."""
    spans = _spans(reading.ends, starts, width)
    verdicts = detector.judge_reading(cut(reading, starts, width))
    made = []
    for (start, end), first, verdict in zip(spans, starts.tolist(), verdicts, strict=True):
        _, without_doubts = decide(verdict.probability, detector.threshold_.for_length(width), ())
        doubts = () if verdict.reasons == without_doubts else verdict.reasons
        made.append(Passage(start, end, first, first + width, verdict.probability, doubts))
    return tuple(made)


def _share(windows: Sequence[Passage], n_beside: float) -> Estimate | None:
    """Share of the windows that a machine wrote; ``n_beside`` of them would fit beside one another."""
    trusted = [window.probability for window in windows if not window.doubts]
    if not trusted:
        return None
    return machine_share(trusted, n_beside * len(trusted) / len(windows))


def _sentences(reading: Reading, windows: Sequence[Passage]) -> tuple[Passage, ...]:
    """The sentences, each with the probability of the windows around it."""
    bounds = np.array([(window.first, window.last) for window in windows])
    log_odds = _log_odds(np.array([window.probability for window in windows]))
    made = []
    for start, end, first, last in sentence_spans(reading.prepared[0].text, reading.ends):
        covered = np.minimum(bounds[:, 1], last) - np.maximum(bounds[:, 0], first)
        mean = float(np.average(log_odds, weights=np.maximum(covered, 0)))
        made.append(Passage(start, end, first, last, 1 / (1 + math.exp(-mean))))
    return tuple(made)


def _log_odds(probabilities: Float1d) -> Float1d:
    """Nats; calibrated probabilities are never 0 or 1."""
    found: Float1d = np.log(probabilities) - np.log1p(-probabilities)
    return found
