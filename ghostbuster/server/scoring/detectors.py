"""Which detectors a server has, and what of them a request may choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.decision.thresholds import Threshold
from ghostbuster.registry import did_you_mean
from ghostbuster.server.problems import quoted, unprocessable

if TYPE_CHECKING:
    from ghostbuster.detector.detector import Detector
    from ghostbuster.models.panel_choice import PanelName


@dataclass(frozen=True, slots=True)
class DetectorFile:
    """Where a detector is, and where its language models are if not where its file says.

    Attributes
    ----------
    path : Path
    panel : str, (weak path, strong path), or None
    """

    path: Path
    panel: PanelName | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request chose: a detector by its place, a register or none, and a promised rate."""

    detector: int
    register: str | None
    max_fpr: float


@dataclass(frozen=True)
class DetectorFacts:
    """A detector as requests see it.

    Attributes
    ----------
    name : str
        What a request calls it.
    identity : str
        Name and digest.
    max_fpr : float
        The promised rate where a request names none.
    thresholds : mapping of str or None to sequence of Threshold
        By register; None is any kind of text.
    device : str
        Where its language models compute.
    models : sequence of dict
        Facts about each weak model.
    unit : {"token", "word"}
    facts : dict
        As ``ghostbuster info --format json`` gives them.
    """

    name: str
    identity: str
    max_fpr: float
    thresholds: Mapping[str | None, Sequence[Threshold]]
    device: str
    models: Sequence[dict[str, Any]]
    unit: str
    facts: Mapping[str, Any]

    @property
    def registers(self) -> list[str]:
        """Kinds of text that have thresholds of their own."""
        return [name for name in self.thresholds if name is not None]

    def threshold(self, register: str | None, max_fpr: float) -> Threshold:
        """The promise that a choice puts in force."""
        return next(one for one in self.thresholds[register] if one.rate == max_fpr)


def choose(
    detectors: Sequence[DetectorFacts], name: str | None, register: str | None, max_fpr: float | None
) -> Choice:
    """What a request chose, with defaults for what it left out.

    Raises
    ------
    RequestError
        422, when there is no such detector, register or rate; it lists those there are.
    """
    number = _by_name(detectors, name)
    chosen = detectors[number]
    if register not in chosen.thresholds:
        known = chosen.registers
        expectation = f"a register of detector {chosen.name}" if known else "no register"
        hint = did_you_mean(str(register), known) if known else "this detector has none: leave it out"
        raise unprocessable(f"register {quoted(str(register))}", expectation, hint)
    rate = chosen.max_fpr if max_fpr is None else max_fpr
    rates = [one.rate for one in chosen.thresholds[register]]
    if rate not in rates:
        of = f"register {register!r}" if register else f"detector {chosen.name}"
        raise unprocessable(
            f"max_fpr {rate:g}",
            f"a rate that {of} has a threshold for",
            f"give one of {', '.join(f'{one:g}' for one in rates)}",
        )
    return Choice(number, register, rate)


def _by_name(detectors: Sequence[DetectorFacts], name: str | None) -> int:
    names = [one.name for one in detectors]
    if name is None:
        return 0
    if name not in names:
        raise unprocessable(
            f"detector {quoted(name)}", "a detector of this server", did_you_mean(name, names)
        )
    return names.index(name)


def detector_for(detector: Detector, choice: Choice) -> Detector:
    """The detector, judging as a request chose."""
    return detector.with_params(max_fpr=choice.max_fpr).for_register(choice.register)


def open_detectors(files: Sequence[DetectorFile]) -> tuple[list[Detector], list[DetectorFacts]]:
    """Open every detector with its language models, and say what is known of each.

    Raises
    ------
    GhostbusterError
        When a detector or a model of it cannot be used.
    """
    from ghostbuster.detector.artifact import open_artifact
    from ghostbuster.report.facts import facts_of

    detectors: list[Detector] = []
    facts: list[DetectorFacts] = []
    for file in files:
        artifact = open_artifact(file.path)
        detector = artifact.detector()
        if file.panel is not None:
            detector = detector.with_params(panel=file.panel)
        detector.judge([""])  # models that are missing, or do not fit, are refused here
        panel = detector.open_panel()
        known = facts_of(artifact)
        thresholds: dict[str | None, Sequence[Threshold]] = {None: detector.thresholds_}
        thresholds.update(detector.register_thresholds_)
        facts.append(
            DetectorFacts(
                name=_unused(artifact.path.stem, [one.name for one in facts]),
                identity=artifact.identity,
                max_fpr=detector.params.max_fpr,
                thresholds=thresholds,
                device=panel.device,
                models=panel.describe(),
                unit="token" if panel.shared_tokenizer else "word",
                facts=known
                | {"artifact": artifact.path.name},  # no path of the server's is a client's business
            )
        )
        detectors.append(detector)
    return detectors, facts


def _unused(name: str, used: Sequence[str]) -> str:
    number, made = 1, name
    while made in used:
        number += 1
        made = f"{name}-{number}"
    return made
