"""The child process that holds the detectors: pieces of texts in, verdicts out."""

from __future__ import annotations

import pickle
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.server.child_process import DONE, FAILED, PROGRESS, READY
from ghostbuster.server.scoring.detectors import (
    Choice,
    DetectorFacts,
    DetectorFile,
    detector_for,
    open_detectors,
)
from ghostbuster.system.resource_errors import resource_error
from ghostbuster.text.documents.read import JudgedText

if TYPE_CHECKING:
    from ghostbuster.decision.verdict import Verdict
    from ghostbuster.detector.detector import Detector
    from ghostbuster.reading.read import Reading
    from ghostbuster.report.html.detail import Detail

_EVERY = 0.2
"""Seconds between two words about progress."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A text to judge.

    Attributes
    ----------
    text : str
    path : str
        What its sender calls it.
    choice : Choice
    detail : bool
        Whether all that a report shows of it is wanted too.
    document : JudgedText or None
        What is known of the document that it was read from.
    """

    text: str
    path: str
    choice: Choice
    detail: bool = False
    document: JudgedText | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a text: the documented object, and what a report of it is made of."""

    record: dict[str, Any]
    detail: bytes = b""


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """How a scoring process computes.

    Attributes
    ----------
    device, gpu_layers
        As the command line's options.
    cores : tuple of int
        Those that the process may use; empty for all.
    cache : bool
        Whether scores are remembered on disk.
    """

    device: str | None = None
    gpu_layers: int | None = None
    cores: tuple[int, ...] = ()
    cache: bool = False


class CancelledError(Exception):
    """Nobody wants the answer any more."""


def unpack_detail(data: bytes) -> tuple[Verdict, Detail]:
    """What a report of a text is made of.

    Parameters
    ----------
    data : bytes
        From `Answer`, of a child of this very process.
    """
    found: tuple[Verdict, Detail] = pickle.loads(zlib.decompress(data))  # noqa: S301 - our own child made it
    return found


def score_pieces(connection: Connection, files: Sequence[DetectorFile], settings: ChildSettings) -> None:
    """Open the detectors, then answer each list of `Ask` with a list of `Answer` or of errors."""
    import os

    from ghostbuster.models.backend.devices import choose

    if settings.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, settings.cores)
    with _cache(settings):
        try:
            choose(settings.device, settings.gpu_layers)
            detectors, facts = open_detectors(files)
        except Exception as error:
            said = resource_error(error)
            if said is None and not isinstance(error, GhostbusterError):
                raise
            connection.send((FAILED, ModelError(said) if said else error))
            return
        connection.send((READY, facts))
        while True:
            asks = connection.recv()
            if isinstance(asks, list):  # not a late word that an answer is not wanted
                _answer(connection, detectors, facts, asks)


def _answer(
    connection: Connection,
    detectors: Sequence[Detector],
    facts: Sequence[DetectorFacts],
    asks: Sequence[Ask],
) -> None:
    try:
        connection.send((DONE, _judged(detectors, facts, asks, _teller(connection))))
    except CancelledError:
        connection.send((DONE, []))
    except Exception as error:
        said = resource_error(error)
        if said is None and not isinstance(error, GhostbusterError):
            raise
        if len(asks) > 1:  # one text's fault is not its neighbours'
            connection.send((DONE, [_alone(connection, detectors, facts, ask) for ask in asks]))
        else:
            connection.send((DONE, [ModelError(said or str(error))]))


def _alone(
    connection: Connection, detectors: Sequence[Detector], facts: Sequence[DetectorFacts], ask: Ask
) -> Answer | GhostbusterError:
    try:
        return _judged(detectors, facts, [ask], _teller(connection))[0]
    except CancelledError:
        return ModelError("cancelled")
    except Exception as error:
        said = resource_error(error)
        if said is None and not isinstance(error, GhostbusterError):
            raise
        return ModelError(said or str(error))


def _teller(connection: Connection) -> Callable[[int, int], None]:
    """Tells the parent what share is done, and ends the work when it is not wanted any more."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if connection.poll():
            connection.recv()
            raise CancelledError
        now = time.monotonic()
        if now - last > _EVERY:
            last = now
            connection.send((PROGRESS, done / max(total, 1)))

    return tell


def _judged(
    detectors: Sequence[Detector],
    facts: Sequence[DetectorFacts],
    asks: Sequence[Ask],
    tell: Callable[[int, int], None],
) -> list[Answer]:
    """All texts of a detector are read together, and judged together where they share a promise."""
    import numpy as np

    by_detector: dict[int, list[int]] = defaultdict(list)
    for i, ask in enumerate(asks):
        by_detector[ask.choice.detector].append(i)
    answers: dict[int, Answer] = {}
    for number, rows in by_detector.items():
        reading = detectors[number].read([asks[i].text for i in rows], tell)
        known = [asks[i].document or JudgedText(asks[i].text) for i in rows]
        reading = reading.annotated([one.notes for one in known], [one.refusal for one in known])
        by_choice: dict[Choice, list[int]] = defaultdict(list)
        for place, i in enumerate(rows):
            by_choice[asks[i].choice].append(place)
        for choice, places in by_choice.items():
            judging = detector_for(detectors[number], choice)
            part = reading.take(np.array(places))
            chosen = [asks[rows[place]] for place in places]
            made = _answers(judging, facts[number], part, chosen)
            answers.update(zip((rows[place] for place in places), made, strict=True))
    return [answers[i] for i in range(len(asks))]


def _answers(detector: Detector, facts: DetectorFacts, reading: Reading, asks: Sequence[Ask]) -> list[Answer]:
    from ghostbuster.report.report import Report

    verdicts = detector.judge_reading(reading)
    paths = [ask.path for ask in asks]
    parts = [() if ask.document is None else ask.document.parts for ask in asks]
    records = Report(paths, verdicts, facts.identity, detector.threshold_, facts.device, parts).records()
    answers = [Answer(record) for record in records]
    return [
        replace(answer, detail=_packed(detector, reading, i, verdicts[i], asks[i].text))
        if asks[i].detail
        else answer
        for i, answer in enumerate(answers)
    ]


def _packed(detector: Detector, reading: Reading, i: int, verdict: Verdict, written: str) -> bytes:
    import numpy as np

    from ghostbuster.report.html.detail import detail_for

    detail = detail_for(detector, reading.take(np.array([i])), written)
    return zlib.compress(pickle.dumps((verdict, detail)), level=1)


def _cache(settings: ChildSettings) -> AbstractContextManager[None]:
    if not settings.cache:
        return nullcontext()
    from ghostbuster.reading.cache import remember_scores

    return remember_scores()
