"""Text formats of a pair's verdict: table and JSON. To add one, add its row to ``PAIR_FORMATS``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghostbuster.registry import lookup
from ghostbuster.system.printable import printable

if TYPE_CHECKING:
    from ghostbuster.decision.pair_slope import PairSlope
    from ghostbuster.decision.pairs import PairVerdict
    from ghostbuster.decision.thresholds import Threshold

_LIKELIER = {"a": "A is likelier the machine's", "b": "B is likelier the machine's", "tie": "a tie"}


@dataclass(frozen=True)
class PairReport:
    """A pair's verdict beside the names of its texts.

    Attributes
    ----------
    paths : (str, str)
    verdict : PairVerdict
    model : str
        The detector's name and digest.
    threshold : Threshold
        The promise that the single verdicts keep.
    slope : PairSlope
    device : str
    """

    paths: tuple[str, str]
    verdict: PairVerdict
    model: str
    threshold: Threshold
    slope: PairSlope
    device: str = "CPU"

    def record(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from ghostbuster.report.report import Report

        alone = Report(self.paths, [self.verdict.a, self.verdict.b], self.model, self.threshold, self.device)
        shown = ("path", "probability", "label", "reasons", "n_tokens", "n_words", "threshold")
        a, b = ({name: one[name] for name in shown} for one in alone.records())
        return {
            "probability": self.verdict.probability,
            "likelier": self.verdict.likelier,
            "reasons": list(self.verdict.reasons),
            "a": a,
            "b": b,
            "calibration": self.slope.state(),
            "model": self.model,
            "device": self.device,
        }


Format = Callable[[PairReport], str]


def render_json(report: PairReport) -> str:
    """One object."""
    return json.dumps(report.record(), ensure_ascii=False, indent=2, allow_nan=False)


def render_table(report: PairReport) -> str:
    """The answer, then each text by itself, then what the number means."""
    from ghostbuster.report.formats.verdicts import render_table as verdicts_table
    from ghostbuster.report.report import Report

    one = report.verdict
    p = one.probability if one.likelier != "b" else 1 - one.probability
    learned = (
        f"learned from {report.slope.n_pairs:,} pairs on {report.slope.n_groups:,} prompts or documents"
        if report.slope.n_groups
        else "not learned from pairs: Bayes' rule for two texts that have nothing in common"
    )
    alone = Report(["A", "B"], [one.a, one.b], report.model, report.threshold, report.device)
    return "\n".join(
        [
            f"{_LIKELIER[one.likelier]}: probability {p:.3f}, were one by a person and one by a machine",
            *(f"  - {printable(reason)}" for reason in one.reasons),
            f"  - how sure a difference of scores makes: {learned}",
            "",
            f"A: {printable(report.paths[0])}",
            f"B: {printable(report.paths[1])}",
            "",
            "Each by itself:",
            "",
            verdicts_table(alone),
        ]
    )


PAIR_FORMATS: dict[str, Format] = {"table": render_table, "json": render_json}


def pair_format(name: str) -> Format:
    """The function that formats a pair's verdict, by its name in ``PAIR_FORMATS``.

    Raises
    ------
    SettingError
        When there is none; it names the nearest.
    """
    return lookup(PAIR_FORMATS, name, "form")
